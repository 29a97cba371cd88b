"""Gives two routes the one name that the router has for them."""


def __install__(ctx):
    ctx.add_get("one", lambda request: {"one": True}, name="mine")
    ctx.add_get("two", lambda request: {"two": True}, name="mine")
