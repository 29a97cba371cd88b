"""Running tools: in a thread, with a deadline, and every failure a text."""

import asyncio
import gc
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from llms.kernel.errors import NotFound
from llms.kernel.foreign import RUNNING
from llms.tools.execute import Executor
from llms.tools.registry import Tools
from llms.tools.results import Results


def _save(data: bytes, filename: str, info: dict[str, Any]) -> tuple[str, None]:
    return f"/~cache/{filename}", None


@pytest.fixture
def tools() -> Tools:
    return Tools()


@pytest.fixture
def executor(tools: Tools) -> Executor:
    return Executor(tools, Results(_save, _save), deadline=30)


def probe_add(a: int, b: int = 2) -> dict[str, int]:
    """Add two."""
    return {"sum": a + b}


def _named(tools: Tools, function: Callable[..., Any], name: str = "tool") -> None:
    tools.add(function, {"type": "function", "function": {"name": name}}, extension="mine")


async def test_the_golden_call(tools: Tools, executor: Executor) -> None:
    tools.add(probe_add)
    assert await executor.run("probe_add", {"a": "3"}) == ('{"sum": 5}', [])


async def test_the_golden_failure(tools: Tools, executor: Executor) -> None:
    tools.add(probe_add)
    failure: Any = ("Error executing tool 'probe_add':\nMissing required arguments: a", [])
    assert await executor.run("probe_add", {}) == failure


async def test_an_unknown_tool(executor: Executor) -> None:
    assert await executor.run("nothing", {}) == ("Error: Tool 'nothing' not found", [])


@pytest.mark.parametrize("name", [None, 5, ["a"], {}])
async def test_a_name_that_is_no_text(executor: Executor, name: Any) -> None:
    assert await executor.run(name, {}) == (f"Error: Tool '{name}' not found", [])


async def test_a_sync_tool_runs_in_a_thread_of_its_own(tools: Tools, executor: Executor) -> None:
    _named(tools, threading.get_ident)
    assert await executor.run("tool", {}) != (str(threading.get_ident()), [])


async def test_an_async_tool_runs_on_the_event_loop(tools: Tools, executor: Executor) -> None:
    async def where() -> int:
        return threading.get_ident()

    tools.add(where)
    assert await executor.run("where", None) == (str(threading.get_ident()), [])


async def test_other_tasks_go_on_while_a_sync_tool_blocks(tools: Tools, executor: Executor) -> None:
    released = threading.Event()
    _named(tools, lambda: released.wait(30))
    running = asyncio.create_task(executor.run("tool", {}))
    await asyncio.sleep(0)
    released.set()
    assert await running == ("True", [])


async def test_it_runs_as_its_extension(tools: Tools, executor: Executor) -> None:
    _named(tools, RUNNING.get)
    assert await executor.run("tool", {}) == ("mine", [])
    assert RUNNING.get() == ""


async def test_the_result_is_told_with_its_resources(tools: Tools, executor: Executor) -> None:
    _named(tools, lambda **given: [{"type": "image", "data": "aGVsbG8=", "filename": "a.png"}])
    assert await executor.run("tool", {"prompt": "P"}) == (
        "![P](/~cache/a.png)\n",
        [{"type": "image_url", "image_url": {"url": "/~cache/a.png"}}],
    )


async def test_results_are_kept_off_the_event_loop(tools: Tools) -> None:
    threads = []

    def save(data: bytes, filename: str, info: dict[str, Any]) -> tuple[str, None]:
        threads.append(threading.get_ident())
        return "/a", None

    _named(tools, lambda: {"type": "image", "data": "aGVsbG8="})
    await Executor(tools, Results(save, save)).run("tool", {})
    assert threads != [threading.get_ident()]
    assert len(threads) == 1


@pytest.mark.parametrize("name", ["function", "extension", "deadline", "name", "args", "self_"])
async def test_a_parameter_may_have_any_name(tools: Tools, executor: Executor, name: str) -> None:
    tool = eval(f"lambda {name}: {name}")
    _named(tools, tool)
    assert await executor.run("tool", {name: "value"}) == ("value", [])


# -- the user --------------------------------------------------------------------------------------------------


def _whoami(user: str | None = None) -> str:
    return f"I am {user}"


@pytest.mark.parametrize(("user", "text"), [("ann", "I am ann"), (None, "I am None")])
async def test_the_signed_in_user_is_given_and_never_taken(
    tools: Tools, executor: Executor, user: str | None, text: str
) -> None:
    _named(tools, _whoami)
    assert await executor.run("tool", {"user": "admin"}, user=user) == (text, [])


async def test_what_is_kept_is_the_users(tools: Tools) -> None:
    owners = []

    def save(data: bytes, filename: str, info: dict[str, Any], *, context: dict[str, Any]) -> tuple[str, None]:
        owners.append(context["user"])
        return "/a", None

    _named(tools, lambda: [{"type": "image", "data": "aGVsbG8="}, {"type": "file", "data": "aGVsbG8="}])
    await Executor(tools, Results(save, save)).run("tool", {}, user="ann")
    assert owners == ["ann", "ann"]


async def test_a_tool_that_wants_no_user_gets_none(tools: Tools, executor: Executor) -> None:
    tools.add(probe_add)
    assert await executor.run("probe_add", {"a": 1}, user="ann") == ('{"sum": 3}', [])


# -- failures --------------------------------------------------------------------------------------------------


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("no such city"), "no such city"),
        (ValueError(), "ValueError"),
        (KeyError("city"), "KeyError('city')"),
        (NotFound("Gone."), "Gone."),
        (SystemExit(3), "SystemExit"),
        (StopIteration(), "StopIteration"),
        (TimeoutError(), "TimeoutError"),
        (ExceptionGroup("several", [ValueError("a")]), "several (1 sub-exception)"),
        (ValueError("half \ud800"), "half ?"),
        (asyncio.CancelledError(), "It was cancelled by itself."),
    ],
)
async def test_what_a_tool_raises_is_its_answer(
    tools: Tools, executor: Executor, error: BaseException, message: str
) -> None:
    _named(tools, partial(_raise, error))
    assert await executor.run("tool", {}) == (f"Error executing tool 'tool':\n{message}", [])


async def test_what_an_async_tool_raises_is_its_answer(tools: Tools, executor: Executor) -> None:
    async def tool() -> None:
        raise ValueError("no such city")

    tools.add(tool)
    assert await executor.run("tool", {}) == ("Error executing tool 'tool':\nno such city", [])


async def test_a_tool_that_awaits_what_it_cancelled_ends_no_chat(tools: Tools, executor: Executor) -> None:
    async def tool() -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    tools.add(tool)
    text, resources = await executor.run("tool", {})
    assert text == "Error executing tool 'tool':\nIt was cancelled by itself."
    assert resources == []


@pytest.mark.parametrize("args", [[], "a", 5, True])
async def test_arguments_that_are_no_object(tools: Tools, executor: Executor, args: Any) -> None:
    tools.add(probe_add)
    text, resources = await executor.run("probe_add", args)
    assert text is not None
    assert text.startswith("Error executing tool 'probe_add':\nArguments must be an object")
    assert resources == []


async def test_names_that_are_no_text(tools: Tools, executor: Executor) -> None:
    bad: Any = {"a": 1, 5: 2}
    tools.add(probe_add)
    _named(tools, lambda **given: given)
    for name in ("probe_add", "tool"):
        text, _ = await executor.run(name, bad)
        assert text is not None
        assert text.startswith("Error executing tool")


# -- deadlines and cancellation --------------------------------------------------------------------------------


@pytest.mark.parametrize("deadline", [0.05, lambda: 0.05])
async def test_a_tool_that_hangs_is_given_up(tools: Tools, deadline: Any) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    done = threading.Event()
    tools.add(hang, extension="slow")
    _named(tools, done.wait)
    executor = Executor(tools, Results(_save, _save), deadline=deadline)
    for name in ("hang", "tool"):
        text, resources = await executor.run(name, {})
        assert text is not None
        assert text.startswith(f"Error executing tool '{name}':\n")
        assert "took longer than 0.05 s" in text
        assert resources == []
    done.set()


async def test_the_deadline_is_asked_for_at_each_call(tools: Tools) -> None:
    deadlines = [30.0, 0.01]
    done = threading.Event()
    tools.add(probe_add)
    _named(tools, done.wait)
    executor = Executor(tools, Results(_save, _save), deadline=lambda: deadlines[0])
    assert await executor.run("probe_add", {"a": 1}) == ('{"sum": 3}', [])
    del deadlines[0]
    text, _ = await executor.run("tool", {})
    assert "took longer" in str(text)
    done.set()


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_cancellation_passes(tools: Tools, executor: Executor, is_async: bool) -> None:
    started, done = threading.Event(), threading.Event()

    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    def block() -> None:
        started.set()
        done.wait(30)

    _named(tools, wait if is_async else block)
    task = asyncio.create_task(executor.run("tool", {}))
    await asyncio.to_thread(started.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    done.set()


async def test_a_deadline_of_the_caller_passes(tools: Tools, executor: Executor) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    tools.add(hang)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await executor.run("hang", {})


# -- rubbish ---------------------------------------------------------------------------------------------------


class _Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class _Text(str):
    def __str__(self) -> str:
        raise RuntimeError("no words")


async def _later() -> int:
    return 5


def _circle() -> dict[str, Any]:
    circle: dict[str, Any] = {"a": 1}
    circle["self"] = circle
    return circle


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (object, "<object object at"),
        (lambda: b"\xff", "b'\\xff'"),
        (lambda: (n for n in range(3)), "<generator object"),
        (lambda: float("nan"), "nan"),
        (lambda: {"n": float("nan")}, '{"n": NaN}'),
        (_circle, "{'a': 1, 'self': {...}}"),
        (_deep, "Error executing tool 'tool':\nmaximum recursion depth"),
        (lambda: {"deep": _deep()}, "Error executing tool 'tool':\nmaximum recursion depth"),
        (lambda: {object(): 1}, "{<object object at"),
        (_Unspeakable, "Error executing tool 'tool':\nno words"),
        (lambda: {"a": _Unspeakable()}, "Error executing tool 'tool':\nno words"),
        (lambda: _Text("a"), "Error executing tool 'tool':\nno words"),
        (_later, "5"),
        (lambda: ValueError("returned"), "returned"),
        (lambda: 10**5000, "Error executing tool 'tool':\nExceeds the limit"),
        (lambda: "a\udfff", "a?"),
        (lambda: None, "None"),
    ],
)
async def test_whatever_is_returned_becomes_a_text(
    tools: Tools, executor: Executor, make: Callable[[], Any], text: str
) -> None:
    _named(tools, make)
    said, resources = await executor.run("tool", {})
    assert str(said).startswith(text)
    assert str(said).encode()
    assert resources == []


async def test_a_huge_text_arrives_whole(tools: Tools, executor: Executor) -> None:
    huge = "ä" * 5_000_000
    _named(tools, lambda: huge)
    assert await executor.run("tool", {}) == (huge, [])


async def test_a_coroutine_nobody_awaited_is_closed_and_told(tools: Tools, executor: Executor) -> None:
    async def tool() -> Any:
        return _later()

    tools.add(tool)
    text, _ = await executor.run("tool", {})
    gc.collect()  # pytest fails on the warning a coroutine leaves that was never awaited
    assert (
        text == "Error executing tool 'tool':\nThe tool returned a coroutine instead of a result. Await it in the tool."
    )


async def test_an_object_whose_call_is_async_is_awaited(tools: Tools, executor: Executor) -> None:
    class Remote:
        async def __call__(self, n: int) -> int:
            return n + 1

    tools.add(Remote())
    assert await executor.run("Remote", {"n": "1"}) == ("2", [])


async def test_many_calls_run_at_once(tools: Tools, executor: Executor) -> None:
    barrier = threading.Barrier(8)
    _named(tools, lambda n: barrier.wait(30) >= 0 and n)
    answers = await asyncio.gather(*(executor.run("tool", {"n": n}) for n in range(8)))
    assert answers == [(str(n), []) for n in range(8)]


async def test_a_tool_put_straight_into_the_registry_runs(tools: Tools, executor: Executor) -> None:
    tools.functions["direct"] = probe_add
    assert await executor.run("direct", {"a": "1"}) == ('{"sum": 3}', [])
