"""Background work is watched, and ends with its extension."""

import asyncio
import logging

import pytest

from llms.host.tasks import Tasks
from llms.kernel.accounts import Accounts


@pytest.fixture
async def tasks() -> Tasks:
    return Tasks(Accounts())


async def test_a_task_gives_what_its_work_gives(tasks: Tasks) -> None:
    async def work() -> int:
        return 7

    task = tasks.spawn(work(), extension="a")
    assert tasks.of("a") == [task]
    assert await task == 7
    await asyncio.sleep(0)
    assert tasks.of("a") == []


async def test_what_a_task_raises_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    accounts = Accounts()

    async def work() -> None:
        raise ValueError("no luck")

    await Tasks(accounts).spawn(work(), extension="a")
    assert accounts.of("a").last_error == "no luck"
    assert caplog.records[0].name == "llms.ext.a"
    assert caplog.records[0].levelno == logging.ERROR


async def test_ending_an_extension_cancels_its_tasks_alone(tasks: Tasks) -> None:
    mine = tasks.spawn(asyncio.Event().wait(), extension="a")
    other = tasks.spawn(asyncio.Event().wait(), extension="b")
    await tasks.end("a")
    assert mine.cancelled()
    assert not other.done()
    await tasks.end()
    assert other.cancelled()


async def test_a_schedule_goes_on_after_a_failure_until_it_is_taken_back(tasks: Tasks) -> None:
    calls = 0
    twice = asyncio.Event()

    def work() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError("the first time")
        loop.call_soon_threadsafe(twice.set)

    loop = asyncio.get_running_loop()
    undo = tasks.schedule(work, every=0.01, at_once=True, extension="a")
    await asyncio.wait_for(twice.wait(), 5)
    undo()
    undo()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert tasks.of("a") == []


async def test_a_schedule_waits_before_the_first_call_unless_told(tasks: Tasks) -> None:
    called = asyncio.Event()
    tasks.schedule(called.set, every=60, extension="a")
    await asyncio.sleep(0.02)
    assert not called.is_set()
    await tasks.end()


async def test_a_sync_handler_in_another_thread_may_start_a_task(tasks: Tasks) -> None:
    called = asyncio.Event()

    async def work() -> int:
        return 7

    task = await asyncio.to_thread(tasks.spawn, work(), extension="a")
    assert await task == 7
    undo = await asyncio.to_thread(tasks.schedule, called.set, every=60, at_once=True, extension="a")
    await asyncio.to_thread(undo)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert tasks.of("a") == []
