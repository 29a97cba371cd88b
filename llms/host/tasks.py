"""What extensions do in the background. It ends when the extension is unloaded."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from llms.kernel import foreign
from llms.kernel.accounts import Accounts
from llms.kernel.errors import LlmsError
from llms.kernel.undo import Undo

T = TypeVar("T")
_PATIENCE = 10.0  # seconds until the loop has had time for another thread's wish


class Tasks:
    """The tasks of all extensions. They run on the event loop that made this, whichever thread starts one."""

    def __init__(self, accounts: Accounts) -> None:
        self._loop = asyncio.get_running_loop()
        self._accounts = accounts
        self._tasks: dict[asyncio.Task[Any], str] = {}  # and whose each is

    def spawn(self, work: Coroutine[Any, Any, Any], *, extension: str) -> asyncio.Task[Any]:
        """Runs `work` in the background. What it raises is logged with the extension's name, and counted."""
        task = self._on_loop(lambda: self._start(self._watched(work, extension), extension))
        self._on_loop(lambda: task.add_done_callback(lambda _: work.close()))  # of one cancelled before it began
        return task

    def schedule(self, function: Callable[[], Any], *, every: float, at_once: bool = False, extension: str) -> Undo:
        """Calls `function` every `every` seconds, the first time at once or after that long; two never overlap."""

        async def repeat() -> None:
            if not at_once:
                await asyncio.sleep(every)
            while True:
                await self._watched(foreign.call(function, extension=extension), extension)
                await asyncio.sleep(every)

        task = self._on_loop(lambda: self._start(repeat(), extension))
        return lambda: self._on_loop(lambda: _cancel(task))

    @property
    def all(self) -> list[asyncio.Task[Any]]:
        """Every task that runs."""
        return list(self._tasks)

    def of(self, extension: str) -> list[asyncio.Task[Any]]:
        return [task for task, owner in self._tasks.items() if owner == extension]

    def cancel(self, extension: str) -> None:
        """Cancels the tasks of `extension`; they end when the event loop comes to them."""
        for task in self.of(extension):
            task.cancel()

    async def end(self, extension: str | None = None, *, within: float = 5.0) -> None:
        """Cancels the tasks of `extension`, or all, and waits for their end `within` seconds at most."""
        tasks = [task for task, owner in self._tasks.items() if extension in (None, owner)]
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, stuck = await asyncio.wait(tasks, timeout=within)
        for task in stuck:
            logger = logging.getLogger(f"llms.ext.{self._tasks.get(task, '')}")
            logger.error("A background task goes on although it was cancelled. Let CancelledError pass.")

    def _on_loop(self, act: Callable[[], T]) -> T:
        """What `act` gives on the loop's own thread: sync handlers run in others, where asyncio is not safe."""
        if _runs_here(self._loop):
            return act()
        done: Future[T] = Future()
        self._loop.call_soon_threadsafe(lambda: done.set_result(act()))
        return done.result(_PATIENCE)

    def _start(self, work: Coroutine[Any, Any, Any], extension: str) -> asyncio.Task[Any]:
        task = self._loop.create_task(work, name=f"llms-{extension}")
        self._tasks[task] = extension
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return task

    async def _watched(self, work: Coroutine[Any, Any, Any], extension: str) -> Any:
        try:
            with self._accounts.charge(extension), foreign.border(extension):
                return await work
        except LlmsError as error:
            logging.getLogger(f"llms.ext.{extension}").error("A background task failed: %s", error, exc_info=error)
            return None


def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether this code runs on the thread of `loop`."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
