"""Never gives the thread back in its install."""


def __install__(ctx):
    while True:
        pass
