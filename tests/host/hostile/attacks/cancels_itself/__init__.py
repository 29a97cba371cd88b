"""Awaits what it has cancelled, and so raises CancelledError, which looks as if the server was told to stop."""

import asyncio


async def __install__(ctx):
    task = asyncio.ensure_future(asyncio.sleep(60))
    task.cancel()
    await task
