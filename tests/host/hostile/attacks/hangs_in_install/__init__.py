"""Waits in its install for what never comes."""

import asyncio


async def __install__(ctx):
    await asyncio.Event().wait()
