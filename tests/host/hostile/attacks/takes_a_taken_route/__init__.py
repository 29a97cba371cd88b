"""Wants the address that its neighbour has."""


def __install__(ctx):
    ctx.add_get("/greeting", lambda request: {"said": "hacked"})
