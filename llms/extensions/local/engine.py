"""One model, ready when needed: started on first use, stopped when idle, restarted after a crash."""

import asyncio
import contextlib
import logging
import math
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from llms.api import ProviderUnreachable

from .endpoint import Endpoint
from .models import LocalModel
from .process import ModelProcess

_CRASHES = 3
_CRASH_SECONDS = 60.0

log = logging.getLogger("llms.local")


class Engine:
    """Supervises the process of one model. Cheap to make; nothing runs before the first `use()`.

        async with engine.use() as endpoint:
            ...  # requests to endpoint.socket, through a connector with `force_close=True`

    Belongs to one event loop. Call `stop()` before that loop ends.
    """

    def __init__(
        self,
        model: LocalModel,
        *,
        idle_seconds: float = 600,
        start_seconds: float = 120,
        tcp: bool = sys.platform == "win32",
    ) -> None:
        self.model = model
        self._idle_seconds = idle_seconds
        self._start_seconds = start_seconds
        self._tcp = tcp
        self._running: tuple[ModelProcess, Endpoint] | None = None
        self._launch: asyncio.Task[Endpoint] | None = None
        self._waiting = 0
        self._in_use = 0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self._crashes: deque[tuple[float, str]] = deque(maxlen=_CRASHES)

    @property
    def pid(self) -> int | None:
        """The running process, or None while the model is not loaded."""
        return self._running[0].pid if self._running else None

    @property
    def is_at_rest(self) -> bool:
        """Nothing of it runs or is about to."""
        return not (self._in_use or self._launch or self._chores)

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[Endpoint]:
        """The model's endpoint, which stays up while the block runs. Raises ProviderUnreachable."""
        self._in_use += 1
        self._disarm()
        try:
            yield await self.start()
        finally:
            self._in_use -= 1
            self._arm()

    async def start(self) -> Endpoint:
        """The endpoint of the loaded model: one start, however many callers. Raises ProviderUnreachable.

        A start nobody waits for any more is called off.
        """
        if self._running:
            return self._running[1]
        if self._launch is None:
            self._refuse_crash_loop()
            self._launch = asyncio.create_task(self._start_process())
            self._launch.add_done_callback(_read_outcome)
        launch = self._launch
        self._waiting += 1
        try:
            await asyncio.wait([launch])
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._launch = None
                launch.cancel()  # does nothing once it is done
        if launch.cancelled():
            raise ProviderUnreachable("The local model was stopped while it started: try again.", provider="local")
        return launch.result()

    async def stop(self) -> None:
        """End the process and wait for it. The next use starts a new one."""
        if self._launch:
            self._launch.cancel()
            await asyncio.wait([self._launch])
        self._retire()
        if self._chores:
            await asyncio.wait(self._chores)

    async def _start_process(self) -> Endpoint:
        process = ModelProcess(self.model, tcp=self._tcp)
        try:
            endpoint = await process.start(seconds=self._start_seconds)
        except ProviderUnreachable as error:
            self._crashes.append((time.monotonic(), str(error)))
            raise
        self._running = process, endpoint
        self._keep(self._watch(process))
        self._arm()
        return endpoint

    async def _watch(self, process: ModelProcess) -> None:
        cause = await process.ended()
        if self._running and self._running[0] is process:  # nobody asked for its end
            self._running = None
            reason = f"The local model {self.model.id} stopped: {cause}."
            self._crashes.append((time.monotonic(), reason))
            log.warning("%s It starts again on its next use.", reason)

    def _refuse_crash_loop(self) -> None:
        if len(self._crashes) < _CRASHES:
            return
        left = self._crashes[0][0] + _CRASH_SECONDS - time.monotonic()
        if left > 0:
            raise ProviderUnreachable(
                f"{self._crashes[-1][1]} It failed {_CRASHES} times within a minute: "
                f"wait {math.ceil(left)} seconds, or use another model.",
                provider="local",
                retry_after=left,
            )

    def _arm(self) -> None:
        self._disarm()
        if not self._in_use:
            self._idle_timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._retire)

    def _disarm(self) -> None:
        if self._idle_timer:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _retire(self) -> None:
        """Let go of the running process at once, so that nobody gets its endpoint any more, and end it."""
        self._disarm()
        if self._running:
            process, self._running = self._running[0], None
            self._keep(process.end())

    def _keep(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


def _read_outcome(launch: asyncio.Task[Endpoint]) -> None:
    """A failed start whose last waiter has just left is nobody's; asyncio would log it as never read."""
    if not launch.cancelled():
        launch.exception()
