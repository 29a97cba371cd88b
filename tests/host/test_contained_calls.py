"""Hooks leave the process as it was, async ones also while they wait."""

import asyncio
import sys
from typing import Any

import pytest

from llms.host.importing import contained_calls
from llms.kernel.foreign import ExtensionError, call_here


def spoil(path: str) -> str:
    sys.path.insert(0, path)
    sys.stdout = sys.stderr
    return "done"


def test_a_sync_call_is_contained() -> None:
    before = (sys.path[:], sys.stdout)
    assert contained_calls(spoil)("/spoilt") == "done"
    assert (sys.path, sys.stdout) == before


async def test_async_calls_beside_each_other_leave_nothing_while_they_wait_and_at_their_end() -> None:
    before = (sys.path[:], sys.stdout)
    seen: list[Any] = []

    async def load(name: str) -> str:
        spoil(f"/{name}")
        await asyncio.sleep(0)
        spoil(f"/{name}")
        seen.append([path for path in sys.path if path not in before[0]])
        await asyncio.sleep(0)
        return name

    async def look() -> None:
        for _ in range(4):
            assert (sys.path, sys.stdout) == before
            await asyncio.sleep(0)

    hook = contained_calls(load)
    names = await asyncio.gather(_awaited(hook("a")), _awaited(hook("b")), look())
    assert list(names[:2]) == ["a", "b"]
    assert seen == [["/a"], ["/b"]]
    assert (sys.path, sys.stdout) == before


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


async def test_errors_cancellation_and_deadlines_reach_the_coroutine() -> None:
    ends: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("cancelled")

    async def broken() -> None:
        await asyncio.sleep(0)
        raise ValueError("no luck")

    with pytest.raises(ExtensionError, match=r"took longer than 0.01 s in forever"):
        await call_here(contained_calls(forever), extension="slow", deadline=0.01)
    with pytest.raises(ExtensionError, match="no luck"):
        await call_here(contained_calls(broken), extension="bad")
    assert ends == ["cancelled"]


async def test_a_coroutine_may_catch_what_is_thrown_and_go_on() -> None:
    async def stays() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "stayed"

    task = asyncio.ensure_future(_awaited(contained_calls(stays)()))
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "stayed"
