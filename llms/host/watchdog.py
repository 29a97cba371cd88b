"""Watches for extensions that keep a thread from everybody else, names them, and ends what they do."""

import asyncio
import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llms.host.interrupt import ExtensionBlocked, ExtensionStopped, Interrupt
from llms.host.owners import Culprit, Owners, stack
from llms.kernel.undo import Undo

_MOST_TRIES = 20  # errors raised in code that catches them all
_GRACE = 0.5  # seconds for what an interrupted extension still has to put in order
_SOON = 0.02  # seconds until a moment that is bad for an error has passed
OnBlocked = Callable[[str, float, str], None]


@dataclass(slots=True)
class _Overrun:
    """Code that takes too long, and what was done about it.

    `still` tells whether it goes on, `tell` makes a sentence of the extension's name and the place it was at.
    """

    still: Callable[[], bool]
    tell: Callable[[str, str], str]
    extension: str | None = None  # None: whichever it is
    tries: int = 0
    next_try: float = 0.0


@dataclass(slots=True, eq=False)
class _Deadline:
    extension: str
    at: float
    thread: int
    overrun: _Overrun
    is_reported: bool = False


class Watchdog:
    """A thread that sleeps unless something may take too long. It knows extensions by the folders of their files.

    `on_blocked(extension, seconds, place)` is called on the event loop, once for each time an extension has kept it
    for longer than `warn` seconds. After `limit` seconds the extension is interrupted.
    """

    def __init__(self, on_blocked: OnBlocked | None = None, *, warn: float = 1.0, limit: float = 5.0) -> None:
        self.warn, self.limit = warn, limit
        self._on_blocked = on_blocked
        self._owners = Owners()
        self._interrupt = Interrupt(self._owners)
        self._deadlines: tuple[_Deadline, ...] = ()
        self._heartbeat: _Heartbeat | None = None
        self._lock = threading.Lock()
        self._thread: _Thread | None = None

    def add(self, extension: str, folder: Path) -> Undo:
        """The files in `folder` are those of `extension`."""
        return self._owners.add(extension, folder)

    @contextmanager
    def deadline(self, extension: str, seconds: float) -> Iterator[None]:
        """Raises ExtensionBlocked in code of `extension` that the block has not left after so many seconds.

        Where that is impossible (see `interrupt`), it is only logged. An overdue block that waits for something else
        than the extension's own code goes on.
        """

        def tell(extension: str, place: str) -> str:
            return f"Extension '{extension}' took longer than {seconds:g} s, and was at {place}. Mend or disable it."

        overrun = _Overrun(lambda: deadline in self._deadlines, tell, extension)
        deadline = _Deadline(extension, time.monotonic() + seconds, threading.get_ident(), overrun)
        self._interrupt.arm()
        with self._lock:
            self._deadlines = (*self._deadlines, deadline)
            self._wake(before=deadline.at)
        try:
            yield
        except ExtensionStopped as stopped:
            raise ExtensionBlocked(str(stopped), extension=extension) from None
        finally:
            with self._lock:
                self._deadlines = tuple(other for other in self._deadlines if other is not deadline)

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watches `loop`, which runs in this thread, until `stop`."""
        self._interrupt.arm()
        with self._lock:
            self._heartbeat = _Heartbeat(loop, threading.get_ident(), self._on_blocked)
            self._wake(before=0.0)

    def stop(self) -> None:
        """Ends the thread and watches nothing any more. May be called twice; it can be used again afterwards."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._heartbeat, self._deadlines = None, ()
        if thread is not None:
            thread.end()
        self._interrupt.disarm()

    def _wake(self, *, before: float) -> None:
        """Sees to it that the thread looks before that time."""
        if self._thread is None:
            self._thread = _Thread(self._look)
            self._thread.start()
        self._thread.wake(before)

    # -- in the thread -----------------------------------------------------------------------------------------

    def _look(self) -> float | None:
        """Looks around; in so many seconds it must be done again."""
        now = time.monotonic()
        pauses = [self._look_at(deadline, now) for deadline in self._deadlines]
        heartbeat = self._heartbeat
        if heartbeat is not None:
            if heartbeat.asked is None and not heartbeat.ask(now):
                self._heartbeat = None
            else:
                pauses.append(self._listen(heartbeat, now))
        return min(pauses, default=None)

    def _look_at(self, deadline: _Deadline, now: float) -> float:
        if now < deadline.at:
            return deadline.at - now
        if self._can_end(deadline.thread):
            return self._end(deadline.overrun, deadline.thread, now)
        if not deadline.is_reported:
            deadline.is_reported = True
            culprit = self._culprit(deadline.thread, deadline.extension)
            place = culprit.place if culprit else "none of its own lines"
            _logger(deadline.extension).error("%s", deadline.overrun.tell(deadline.extension, place))
        return _GRACE

    def _listen(self, heartbeat: "_Heartbeat", now: float) -> float:
        asked = heartbeat.asked
        silent = 0.0 if asked is None else now - asked
        if silent < self.warn:
            return self.warn / 2
        if heartbeat.culprit is None and (culprit := self._culprit(heartbeat.thread)):
            heartbeat.culprit = culprit
            _logger(culprit.extension).warning(
                "keeps the server waiting for %.1f s, at %s. Await instead, or use asyncio.to_thread.",
                silent,
                culprit.place,
            )
        if silent < self.limit:
            return min(self.limit - silent, self.warn / 2)
        is_timed = any(deadline.thread == heartbeat.thread for deadline in self._deadlines)  # and ended by that
        if heartbeat.culprit is None or is_timed or not self._can_end(heartbeat.thread):
            return self.warn / 2
        if heartbeat.overrun is None:
            heartbeat.overrun = _Overrun(lambda: heartbeat.asked == asked, self._tell)
        return self._end(heartbeat.overrun, heartbeat.thread, now)

    def _end(self, overrun: _Overrun, thread: int, now: float) -> float:
        """Raises an error in what takes too long, if an extension's own code is there. Some need to be told often."""
        if self._interrupt.press():
            return _SOON
        if now < overrun.next_try:
            return overrun.next_try - now
        culprit = self._culprit(thread, overrun.extension)
        if culprit is None or overrun.tries > _MOST_TRIES:
            return _GRACE / 5
        overrun.tries += 1
        overrun.next_try = now + _GRACE
        if overrun.tries > _MOST_TRIES:
            _logger(culprit.extension).error("cannot be interrupted at %s. Disable it, and restart.", culprit.place)
            return _GRACE
        told = overrun.tell(culprit.extension, culprit.place)
        error = ExtensionBlocked(told, extension=culprit.extension) if overrun.tries == 1 else ExtensionStopped(told)
        self._interrupt.give(culprit, error, still=overrun.still)
        return _SOON

    def _tell(self, extension: str, place: str) -> str:
        return (
            f"Extension '{extension}' kept the server waiting for {self.limit:g} s at {place}. Await, or use a thread."
        )

    def _culprit(self, thread: int, extension: str | None = None) -> Culprit | None:
        frame = sys._current_frames().get(thread)
        if any(found.f_globals.get("__name__") == "bdb" for found in stack(frame)):
            return None  # somebody is debugging it
        return self._owners.culprit(frame, extension)

    def _can_end(self, thread: int) -> bool:
        return thread == threading.main_thread().ident and self._interrupt.is_possible


class _Heartbeat:
    """Asks a loop now and then whether it is still turning."""

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: int, on_blocked: OnBlocked | None) -> None:
        self.thread = thread
        self.asked: float | None = None  # when, if it has not answered yet
        self.culprit: Culprit | None = None
        self.overrun: _Overrun | None = None
        self._loop, self._on_blocked = loop, on_blocked

    def ask(self, now: float) -> bool:
        """False if the loop is closed."""
        self.asked = now
        try:
            self._loop.call_soon_threadsafe(self._answer)
        except RuntimeError:
            return False
        return True

    def _answer(self) -> None:
        """On the loop."""
        asked, culprit = self.asked, self.culprit
        self.culprit = self.overrun = None
        self.asked = None  # last, as the other thread goes on from here
        if culprit is not None and asked is not None and self._on_blocked is not None:
            self._on_blocked(culprit.extension, time.monotonic() - asked, culprit.place)


class _Thread(threading.Thread):
    """Calls `look`, and again after as many seconds as that says, or when it is woken."""

    def __init__(self, look: Callable[[], float | None]) -> None:
        super().__init__(name="llms-watchdog", daemon=True)
        self._look_around = look
        self._woken = threading.Event()
        self._is_over = False
        self._next = math.inf  # when it looks again by itself; while it looks, whatever comes may be too late for that

    def run(self) -> None:
        while not self._is_over:
            self._woken.clear()
            self._next = math.inf
            pause = self._look_around()
            self._next = math.inf if pause is None else time.monotonic() + pause
            self._woken.wait(pause)

    def wake(self, before: float) -> None:
        """Makes it look by that time."""
        if before < self._next:
            self._woken.set()

    def end(self) -> None:
        self._is_over = True
        self._woken.set()
        if self is not threading.current_thread():
            self.join(timeout=1.0)


def _logger(extension: str) -> logging.Logger:
    return logging.getLogger(f"llms.ext.{extension}")
