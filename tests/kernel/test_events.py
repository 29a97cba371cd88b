"""Whoever watches hears what happens from then on, and holds up nobody."""

import asyncio

from llms.kernel.events import Events


async def test_everybody_who_watches_hears_an_event() -> None:
    events = Events()
    watching = [events.watch(), events.watch()]
    upcoming = [asyncio.ensure_future(anext(watch)) for watch in watching]
    await asyncio.sleep(0)
    events.publish("reload", {"extension": "xmas"})
    assert [await one for one in upcoming] == [("reload", {"extension": "xmas"})] * 2
    for watch in watching:
        await watch.aclose()
    events.publish("reload")  # nobody is left


async def test_a_slow_watcher_loses_the_oldest_events() -> None:
    events = Events()
    watch = events.watch()
    first = asyncio.ensure_future(anext(watch))
    await asyncio.sleep(0)
    for number in range(100):
        events.publish("count", number)
    assert (await first)[1] == 36  # 64 are kept
    assert (await anext(watch))[1] == 37
    await watch.aclose()
