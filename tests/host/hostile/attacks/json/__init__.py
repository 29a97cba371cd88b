"""Is called like a module of Python's own, and has others inside."""

import asyncio
import json


def __install__(ctx):
    ctx.add_get("here", lambda request: {"json": json.dumps([1]), "asyncio": hasattr(asyncio, "run")})
