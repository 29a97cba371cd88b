"""Raises what `except Exception` does not catch."""


class Doom(BaseException):
    pass


def __install__(ctx):
    raise Doom("the end is nigh")
