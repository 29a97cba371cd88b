"""Wants all addresses that begin with an e, `/ext` among them."""


def __install__(ctx):
    ctx.add_get("/e{rest:.*}", lambda request: {"said": "hacked"})
