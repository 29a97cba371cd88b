"""What it does in the background raises."""

import asyncio


async def work():
    await asyncio.sleep(0)
    raise RuntimeError("no luck in the background")


async def exit_from_a_task():
    raise SystemExit(7)


async def __load__(ctx):
    ctx.spawn(work())
    ctx.spawn(exit_from_a_task())
    ctx.schedule(work, every=0.2)
