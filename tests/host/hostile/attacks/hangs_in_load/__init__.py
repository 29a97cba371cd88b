"""Waits in its load for what never comes."""

import asyncio


def __install__(ctx):
    ctx.add_get("here", lambda request: {"here": True})


async def __load__(ctx):
    await asyncio.Event().wait()
