"""Raises after it has added a flag."""


def __parser__(parser):
    parser.add_argument("--half-way")
    raise RuntimeError("no luck in the parser")


def __install__(ctx):
    ctx.add_get("here", lambda request: {"here": True})
