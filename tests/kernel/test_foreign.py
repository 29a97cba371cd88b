"""Calling code that is not ours: its thread, its deadline, and what becomes of what it raises."""

import asyncio
import contextvars
import functools
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from llms.kernel import foreign
from llms.kernel.errors import NotFound
from llms.kernel.foreign import ExtensionError

CALLS = [foreign.call, foreign.call_here]
Call = Callable[..., Coroutine[Any, Any, Any]]


@pytest.mark.parametrize("call", CALLS)
async def test_an_async_function_answers(call: Call) -> None:
    async def double(n: int, *, plus: int = 0) -> int:
        return 2 * n + plus

    assert await call(double, 4, plus=1, extension="mine") == 9


@pytest.mark.parametrize("call", CALLS)
async def test_a_sync_function_answers(call: Call) -> None:
    assert await call(lambda n, plus=0: 2 * n + plus, 4, plus=1, extension="mine") == 9


async def test_a_sync_function_runs_in_a_thread_of_its_own() -> None:
    assert await foreign.call(threading.get_ident, extension="mine") != threading.get_ident()


async def test_call_here_stays_in_the_event_loops_thread() -> None:
    assert await foreign.call_here(threading.get_ident, extension="mine") == threading.get_ident()


async def test_an_async_function_runs_on_the_event_loop() -> None:
    async def where() -> int:
        return threading.get_ident()

    assert await foreign.call(where, extension="mine") == threading.get_ident()


async def test_a_sync_function_that_returns_a_coroutine_has_it_awaited() -> None:
    async def inner() -> str:
        return "answer"

    def decorated() -> Awaitable[str]:
        return inner()

    assert await foreign.call(decorated, extension="mine") == "answer"


async def test_an_object_whose_call_is_async_is_awaited() -> None:
    class Handler:
        async def __call__(self) -> str:
            return "answer"

    assert await foreign.call(Handler(), extension="mine") == "answer"


async def test_a_partial_of_an_async_function_runs_on_the_event_loop() -> None:
    async def where(_: str) -> int:
        return threading.get_ident()

    assert await foreign.call(functools.partial(where, "x"), extension="mine") == threading.get_ident()


def _raising(error: BaseException) -> Callable[[], None]:
    def broken() -> None:
        raise error

    return broken


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("no luck"), "no luck"),
        (ValueError(), "ValueError"),
        (KeyError("choices"), "KeyError('choices')"),
        (StopIteration(), "StopIteration"),
        (TimeoutError("their own"), "their own"),
        (OSError(2, "No such file"), "[Errno 2] No such file"),
    ],
)
async def test_a_foreign_error_becomes_ours_in_its_own_words(call: Call, error: Exception, message: str) -> None:
    with pytest.raises(ExtensionError) as raised:
        await call(_raising(error), extension="mine", deadline=30)
    assert str(raised.value) == message
    assert raised.value.extension == "mine"


@pytest.mark.parametrize("call", CALLS)
async def test_an_error_of_ours_passes_unchanged(call: Call) -> None:
    ours = NotFound("Not here.")
    with pytest.raises(NotFound) as raised:
        await call(_raising(ours), extension="mine")
    assert raised.value is ours


async def test_the_cause_is_kept_for_the_log() -> None:
    with pytest.raises(ExtensionError) as raised:
        await foreign.call(_raising(ValueError("no luck")), extension="mine")
    assert isinstance(raised.value.__cause__, ValueError)


@pytest.mark.parametrize("call", CALLS)
async def test_an_async_function_over_its_deadline_is_stopped_and_named(call: Call) -> None:
    stopped = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    with pytest.raises(ExtensionError, match=r"'mine' took longer than 0.01 s in forever\. Mend or disable it\."):
        await call(forever, extension="mine", deadline=0.01)
    assert stopped.is_set()


async def test_a_sync_function_over_its_deadline_is_no_longer_waited_for() -> None:
    released = threading.Event()

    def slow() -> None:
        released.wait(30)

    try:
        with pytest.raises(ExtensionError, match=r"'mine' took longer than 0.01 s in slow\."):
            await foreign.call(slow, extension="mine", deadline=0.01)
    finally:
        released.set()


async def test_calls_that_never_end_do_not_hold_others_back() -> None:
    released = threading.Event()
    try:
        for _ in range(foreign.MOST_STUCK - 1):
            with pytest.raises(ExtensionError):
                await foreign.call(released.wait, 30, extension="stuck", deadline=0.001)
        assert await foreign.call(lambda: "done", extension="stuck", deadline=10) == "done"
        await asyncio.wait_for(asyncio.to_thread(lambda: None), 10)  # as the lookup of a host's name does
    finally:
        released.set()


async def test_an_extension_whose_calls_never_end_is_refused_and_others_are_not() -> None:
    released = threading.Event()
    try:
        for _ in range(foreign.MOST_STUCK):
            with pytest.raises(ExtensionError, match="took longer"):
                await foreign.call(released.wait, 30, extension="hopeless", deadline=0.001)
        with pytest.raises(ExtensionError, match=r"'hopeless' has 32 calls that never end\. Mend or disable it"):
            await foreign.call(released.wait, 30, extension="hopeless", deadline=0.001)
        assert await foreign.call(lambda: "done", extension="other", deadline=10) == "done"
    finally:
        released.set()


def test_a_call_that_never_ends_does_not_hold_up_the_end_of_the_process() -> None:
    script = (
        "import asyncio, threading\n"
        "from llms.kernel import foreign\n"
        "async def main():\n"
        "    await foreign.call(threading.Event().wait, extension='mine', deadline=0.01)\n"
        "try:\n"
        "    asyncio.run(main())\n"
        "except foreign.ExtensionError:\n"
        "    print('refused')\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("refused\n", "", 0)


async def test_a_sync_function_that_outlives_its_caller_does_no_harm() -> None:
    released = threading.Event()
    with pytest.raises(ExtensionError):
        await foreign.call(released.wait, 30, extension="outlived", deadline=0.01)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "llms-outlived"]
    released.set()
    await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive()


async def test_a_sync_function_sees_the_context_of_its_caller() -> None:
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("the caller's")
    assert await foreign.call(variable.get, extension="mine") == "the caller's"


async def test_a_sync_function_that_exits_ends_only_itself() -> None:
    with pytest.raises(ExtensionError, match=r"^SystemExit$"):
        await foreign.call(sys.exit, extension="mine")


async def test_a_timeout_of_its_own_is_not_taken_for_the_deadline() -> None:
    async def gives_up() -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    with pytest.raises(ExtensionError) as raised:
        await foreign.call(gives_up, extension="mine", deadline=30)
    assert str(raised.value) == "TimeoutError"


async def test_cancelling_the_caller_cancels_the_function() -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def forever() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    task = asyncio.create_task(foreign.call(forever, extension="mine", deadline=30))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()


def test_call_now_gives_what_the_function_returns() -> None:
    assert foreign.call_now(dict, extension="mine", a=1) == {"a": 1}


def test_call_now_turns_a_foreign_error_into_ours() -> None:
    with pytest.raises(ExtensionError, match=r"^no luck$"):
        foreign.call_now(_raising(ValueError("no luck")), extension="mine")


def test_call_now_lets_errors_of_ours_pass() -> None:
    with pytest.raises(NotFound):
        foreign.call_now(_raising(NotFound("Not here.")), extension="mine")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_keyboard_interrupt_of_an_extensions_own_ends_only_its_call(call: Call, is_async: bool) -> None:
    def raising() -> None:
        raise KeyboardInterrupt

    async def raising_async() -> None:
        raise KeyboardInterrupt

    with pytest.raises(ExtensionError, match="KeyboardInterrupt"):
        await call(raising_async if is_async else raising, extension="mine")
