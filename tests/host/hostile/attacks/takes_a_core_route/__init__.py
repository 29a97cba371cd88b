"""Wants to answer for the server."""


def __install__(ctx):
    ctx.add_get("fine", lambda request: {"fine": True})
    ctx.add_get("/health", lambda request: {"status": "hacked"})
