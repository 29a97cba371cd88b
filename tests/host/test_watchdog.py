"""An extension that keeps a thread from everybody else is named, and ended where that can be done."""

import asyncio
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvloop

from llms.host.importing import Imported, import_folder
from llms.host.interrupt import ExtensionBlocked
from llms.host.watchdog import Watchdog
from llms.kernel.foreign import ExtensionError, call_here

pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="nothing can be interrupted here")

_CODE = """
import asyncio, threading, time

def spin():
    while True:
        pass

def sleep():
    time.sleep(3600)

def wait():
    threading.Event().wait()

def lock():
    lock = threading.Lock()
    with lock:
        lock.acquire()

def call(function):
    return function()

def stubborn():
    while True:
        try:
            time.sleep(3600)
        except Exception:
            pass

def very_stubborn(times):
    while times:
        try:
            time.sleep(3600)
        except BaseException:
            times -= 1

def short():
    time.sleep(0.1)

async def blocking_handler():
    time.sleep(3600)

async def patient():
    await asyncio.sleep(0.2)
    return "done"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "__init__.py").write_text(_CODE)
    return folder


@pytest.fixture
def code(folder: Path) -> Iterator[Any]:
    imported = import_folder("slow", folder)
    yield imported.module
    imported.unload()


Blocked = list[tuple[str, float, str]]


@pytest.fixture
def blocked() -> Blocked:
    return []


@pytest.fixture
def dog(folder: Path, blocked: Blocked) -> Iterator[Watchdog]:
    """A watchdog with little patience, that knows the extension."""
    before = signal.getsignal(signal.SIGURG)
    dog = Watchdog(lambda *told: blocked.append(told), warn=0.1, limit=0.3)
    dog.add("slow", folder)
    yield dog
    dog.stop()
    dog.stop()
    assert signal.getsignal(signal.SIGURG) is before
    assert "llms-watchdog" not in [thread.name for thread in threading.enumerate()]


# -- deadlines -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["spin", "sleep", "wait", "lock", "stubborn"])
def test_code_over_its_deadline_is_interrupted_wherever_it_is(dog: Watchdog, code: ModuleType, how: str) -> None:
    told = rf"'slow' took longer than 0.05 s, and was at __init__.py:\d+ in {how}"
    with pytest.raises(ExtensionBlocked, match=told), dog.deadline("slow", 0.05):
        getattr(code, how)()


def test_an_import_over_its_deadline_is_interrupted(dog: Watchdog, folder: Path) -> None:
    (folder / "__init__.py").write_text("from . import forever")
    (folder / "forever.py").write_text("import time\ntime.sleep(3600)")
    with pytest.raises(ExtensionBlocked, match=r"forever.py:2"), dog.deadline("slow", 0.1):
        import_folder("slow", folder)
    assert "llms_ext_slow" not in sys.modules


def test_code_that_catches_everything_is_told_until_it_hears(dog: Watchdog, code: ModuleType) -> None:
    with dog.deadline("slow", 0.05):
        code.very_stubborn(2)


def test_code_in_time_is_left_alone(dog: Watchdog, code: ModuleType) -> None:
    with dog.deadline("slow", 60):
        code.short()


def test_after_the_block_nothing_is_interrupted(dog: Watchdog, code: ModuleType) -> None:
    with dog.deadline("slow", 0.05):
        pass
    code.short()


def test_a_deadline_ends_the_code_of_its_extension_alone(dog: Watchdog, tmp_path: Path) -> None:
    """What waits in the meantime, such as a person's own code, is not its business."""
    dog.add("other", tmp_path / "other")
    with dog.deadline("other", 0.05):
        time.sleep(0.3)


def test_the_extension_may_be_waiting_in_code_of_others(dog: Watchdog, code: ModuleType) -> None:
    with pytest.raises(ExtensionBlocked, match="in call"), dog.deadline("slow", 0.1):
        code.call(lambda: time.sleep(3600))


def test_deadlines_nest(dog: Watchdog, code: ModuleType) -> None:
    with dog.deadline("slow", 60):
        with pytest.raises(ExtensionBlocked), dog.deadline("slow", 0.05):
            code.spin()
        code.short()


def test_a_moment_that_is_bad_for_an_error_is_let_pass(dog: Watchdog, code: ModuleType) -> None:
    """An error inside the logging library could leave its lock taken for ever."""

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            time.sleep(0.002)

    logger = logging.getLogger("test.watchdog")
    logger.propagate = False
    logger.addHandler(slow := Slow())

    def log_for_ever() -> None:
        while True:
            logger.error("again")

    with pytest.raises(ExtensionBlocked), dog.deadline("slow", 0.05):
        code.call(log_for_ever)
    logger.removeHandler(slow)
    assert slow.lock is not None
    assert slow.lock.acquire(blocking=False)
    slow.lock.release()


async def test_a_sync_hook_on_the_event_loop_is_interrupted(dog: Watchdog, code: ModuleType) -> None:
    with pytest.raises(ExtensionError, match="took longer than"), dog.deadline("slow", 0.05):
        await call_here(code.sleep, extension="slow")


async def test_an_async_hook_that_waits_keeps_nobody_and_goes_on(dog: Watchdog, code: ModuleType) -> None:
    with dog.deadline("slow", 0.05):
        assert await code.patient() == "done"


def test_in_another_thread_it_is_only_reported(
    dog: Watchdog, code: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    event = threading.Event()

    def run() -> None:
        with dog.deadline("slow", 0.05):
            code.call(lambda: event.wait(10))

    thread = threading.Thread(target=run)
    thread.start()
    _until(lambda: bool(caplog.records))
    event.set()
    thread.join()
    assert "'slow' took longer than 0.05 s" in caplog.messages[0]
    assert len(caplog.records) == 1


def _until(met: Callable[[], bool]) -> None:
    for _ in range(500):
        if met():
            return
        time.sleep(0.01)
    raise AssertionError("It never came true.")


# -- the event loop --------------------------------------------------------------------------------------------


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner


def test_a_handler_that_blocks_the_loop_fails_and_the_others_go_on(
    runner: asyncio.Runner, dog: Watchdog, code: ModuleType, blocked: Blocked, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve() -> Any:
        dog.watch(asyncio.get_running_loop())
        answers = await asyncio.gather(code.blocking_handler(), code.patient(), return_exceptions=True)
        await asyncio.sleep(0.1)
        return answers

    error, answer = runner.run(serve())
    assert isinstance(error, ExtensionBlocked)
    assert "'slow' kept the server waiting for 0.3 s at __init__.py" in str(error)
    assert answer == "done"
    ((extension, seconds, place),) = blocked
    assert (extension, place.split(":")[0], seconds >= 0.3) == ("slow", "__init__.py", True)
    assert [(record.name, record.levelname) for record in caplog.records] == [("llms.ext.slow", "WARNING")]
    assert "in blocking_handler" in caplog.messages[0]


def test_a_short_block_is_told_and_not_interrupted(
    runner: asyncio.Runner, dog: Watchdog, code: ModuleType, blocked: Blocked, caplog: pytest.LogCaptureFixture
) -> None:
    dog.limit = 60

    async def serve() -> None:
        dog.watch(asyncio.get_running_loop())
        code.call(lambda: time.sleep(0.4))
        await asyncio.sleep(0.05)

    runner.run(serve())
    assert [told[0] for told in blocked] == ["slow"]
    assert len(caplog.records) == 1


def test_a_callback_that_blocks_is_ended_too(runner: asyncio.Runner, dog: Watchdog, code: ModuleType) -> None:
    failures: list[Any] = []

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failures.append(context["exception"]))
        dog.watch(loop)
        loop.call_soon(code.stubborn)
        await asyncio.sleep(0.05)

    runner.run(serve())
    assert "kept the server waiting" in str(failures[0])


def test_where_no_extension_is_to_blame_nothing_is_said_or_done(
    runner: asyncio.Runner, dog: Watchdog, blocked: Blocked, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve() -> None:
        dog.watch(asyncio.get_running_loop())
        time.sleep(0.5)  # noqa: ASYNC251
        await asyncio.sleep(0.05)

    runner.run(serve())
    assert (blocked, caplog.records) == ([], [])


def test_the_innermost_extension_is_to_blame(
    dog: Watchdog, code: ModuleType, blocked: Blocked, tmp_path: Path, runner: asyncio.Runner
) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "__init__.py").write_text("import time\ndef nap(): time.sleep(0.25)")
    inner: Imported = import_folder("inner", tmp_path / "inner")
    dog.add("inner", tmp_path / "inner")

    async def serve() -> None:
        dog.watch(asyncio.get_running_loop())
        code.call(inner.module.nap)
        await asyncio.sleep(0.05)

    runner.run(serve())
    inner.unload()
    assert [told[0] for told in blocked] == ["inner"]


def test_a_hook_with_a_deadline_may_keep_the_loop_until_then(
    runner: asyncio.Runner, dog: Watchdog, code: ModuleType
) -> None:
    async def serve() -> str:
        dog.watch(asyncio.get_running_loop())
        with dog.deadline("slow", 60):
            code.call(lambda: time.sleep(0.6))
        return "installed"

    assert runner.run(serve()) == "installed"


def test_a_loop_in_another_thread_is_watched_but_not_interrupted(
    dog: Watchdog, code: ModuleType, blocked: Blocked, caplog: pytest.LogCaptureFixture
) -> None:
    event = threading.Event()

    async def serve() -> None:
        dog.watch(asyncio.get_running_loop())
        code.call(lambda: event.wait(10))
        await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    _until(lambda: bool(caplog.records))
    event.set()
    thread.join()
    assert [told[0] for told in blocked] == ["slow"]


async def test_files_that_were_taken_back_are_nobodys(
    dog: Watchdog, code: ModuleType, folder: Path, blocked: Blocked
) -> None:
    fresh = Watchdog(lambda *told: blocked.append(told), warn=0.05, limit=60)
    undo = fresh.add("slow", folder)
    undo()
    undo()
    fresh.watch(asyncio.get_running_loop())
    code.short()
    await asyncio.sleep(0.05)
    fresh.stop()
    assert blocked == []


def test_a_loop_that_was_closed_is_let_go(dog: Watchdog) -> None:
    loop = asyncio.new_event_loop()
    dog.watch(loop)
    loop.close()
    with dog.deadline("slow", 0.01):
        time.sleep(0.1)


def test_a_stopped_watchdog_can_be_used_again(dog: Watchdog, code: ModuleType) -> None:
    with dog.deadline("slow", 60):
        pass
    dog.stop()
    with pytest.raises(ExtensionBlocked), dog.deadline("slow", 0.05):
        code.sleep()
