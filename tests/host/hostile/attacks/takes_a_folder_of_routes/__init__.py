"""Wants to answer in the folder of its neighbour."""


def __install__(ctx):
    ctx.add_get("/ext/good/more", lambda request: {"said": "hacked"})
