"""Raises an error in the main thread, in the midst of an extension's code.

A signal does it, so that `time.sleep(3600)` ends as well as `while True: pass`. What cannot be ended is a call into C
that looks at no signals. Elsewhere than in the main thread, and on Windows, nothing can.
"""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from llms.host.owners import Culprit, Owners, stack
from llms.kernel.foreign import ExtensionError

_PATIENCE = 50  # how often a moment that is bad for an error is let pass
_DELICATE = ("llms", "logging", "importlib", "_frozen_importlib", "_frozen_importlib_external")


class ExtensionBlocked(ExtensionError):
    """An extension kept the thread for too long, and was interrupted there."""


class ExtensionStopped(BaseException):
    """As ExtensionBlocked, for an extension that has caught that and gone on: `except Exception` does not catch it."""


@dataclass(slots=True)
class _Order:
    culprit: Culprit
    error: BaseException
    still: Callable[[], bool]
    patience: int = _PATIENCE


class Interrupt:
    """One error at a time. `arm` it in the main thread before it is needed."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners
        self._order: _Order | None = None
        self._before: Any = signal.SIG_DFL
        # Nobody handles this one, and by default it is ignored.
        self._signal = signal.SIGURG if hasattr(signal, "pthread_kill") else None

    def arm(self) -> None:
        """Makes `give` work, where that is possible."""
        if self._signal is None or not _is_main_thread():
            return
        handler = signal.getsignal(self._signal)
        if handler != self._on_signal:
            self._before = handler
            signal.signal(self._signal, self._on_signal)

    def disarm(self) -> None:
        """Puts back who handled the signal before. May be called twice."""
        self._order = None
        if self._signal is not None and self.is_possible and _is_main_thread():
            signal.signal(self._signal, self._before)

    @property
    def is_possible(self) -> bool:
        return self._signal is not None and signal.getsignal(self._signal) == self._on_signal

    def give(self, culprit: Culprit, error: BaseException, *, still: Callable[[], bool]) -> None:
        """Raises `error` in the main thread as soon as that can be done, unless the culprit's call ends before.

        `still` tells whether the reason stands.
        """
        self._order = _Order(culprit, error, still)
        self.press()

    def press(self) -> bool:
        """Tries again what has been given and could not be done yet; False if there is nothing."""
        order, ident = self._order, threading.main_thread().ident
        if order is None or not order.still() or self._signal is None or ident is None:
            self._order = None
            return False
        signal.pthread_kill(ident, self._signal)
        return True

    def _on_signal(self, _number: int, frame: FrameType | None) -> None:
        order = self._order
        if order is None or frame is None:
            return
        if order.still() and any(found is order.culprit.frame for found in stack(frame)):
            if order.patience and self._is_delicate(frame):
                order.patience -= 1
                return
            self._order = None
            raise order.error
        self._order = None

    def _is_delicate(self, frame: FrameType) -> bool:
        """Whether an error now could leave a lock taken or half a registration made."""
        top = str(frame.f_globals.get("__name__")).partition(".")[0]
        return top in _DELICATE and self._owners.of(frame.f_code.co_filename) is None


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
