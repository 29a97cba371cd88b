"""What code that is not ours does to the whole process while it is imported or installed, and how that is taken back.

Not taken back are environment variables: setting one is how libraries are told things before they are imported.
"""

import builtins
import io
import locale
import logging
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

PRIVATE = "llms_ext_"  # begins the name of every module that is an extension's own
_REPLACEABLE = (
    (sys, ("argv", "path", "meta_path", "path_hooks", "stdin", "stdout", "stderr")),
    (sys, ("excepthook", "unraisablehook", "displayhook", "breakpointhook")),
    (threading, ("excepthook",)),
    (warnings, ("filters", "showwarning", "formatwarning")),
)
_FINDERS = ("meta_path", "path_hooks")
_SIGNALS = ("INT", "TERM", "HUP", "QUIT", "CHLD", "PIPE", "ALRM", "USR1", "USR2", "WINCH")  # URG is the watchdog's


@dataclass(frozen=True, slots=True)
class Added:
    """What a block has added: folders on `sys.path`, which are off it again, and modules, which stay."""

    paths: list[str]
    modules: dict[str, ModuleType]


@contextmanager
def contained(added: Callable[[Added], None] | None = None) -> Iterator[None]:
    """Takes back what the block does to the process; `added` is told what it added.

    What the block prints to stdout goes to stderr: answers alone are on stdout. Blocks may overlap, as those of async
    hooks do. As long as one is open all share one idea of what was there before: every end goes back to that.
    """
    notes = _open_notes() or _Notes(Surroundings())
    sys.stdout = notes
    notes.blocks += 1
    try:
        yield
    finally:
        notes.blocks -= 1
        left = notes.before.restore()
        if notes.blocks:
            sys.stdout = notes
        if added is not None:
            added(left)


def added_paths() -> list[str]:
    """What the blocks now open have added to `sys.path`."""
    notes = _open_notes()
    return notes.before.added_paths() if notes else []


def _open_notes() -> "_Notes | None":
    return sys.stdout if isinstance(sys.stdout, _Notes) and sys.stdout.blocks else None


class Surroundings:
    """The process as it is when this is made."""

    def __init__(self) -> None:
        self._attributes = [(owner, name, getattr(owner, name)) for owner, names in _REPLACEABLE for name in names]
        self._lists = [(found, found[:]) for _, _, found in self._attributes if isinstance(found, list)]
        self._path = frozenset(sys.path)
        self._finders = {name: frozenset(map(id, getattr(sys, name))) for name in _FINDERS}
        self._modules = sys.modules.copy()
        self._builtins = vars(builtins).copy()
        self._values = [(read, write, _read(read)) for read, write in _values()]
        self._loggers = [_Logger(found) for found in (logging.getLogger(), *_our_loggers())]
        self._handlers = {number: signal.getsignal(number) for number in _signals()}

    def added_paths(self) -> list[str]:
        return [path for path in sys.path if path not in self._path]

    def restore(self) -> Added:
        """Makes the process what it was, as far as that can be done. May be called again."""
        modules = {name: sys.modules[name] for name in sys.modules.keys() - self._modules.keys()}
        added = Added(self.added_paths(), modules)
        finders = {name: _of_libraries(getattr(sys, name), known) for name, known in self._finders.items()}
        for owner, name, value in self._attributes:
            _let_go(getattr(owner, name, None), value)
            setattr(owner, name, value)
        for found, before in self._lists:
            found[:] = before
        for name, more in finders.items():
            getattr(sys, name).extend(more)
        _put_back(sys.modules, self._modules)
        _put_back(vars(builtins), self._builtins)
        for read, write, value in self._values:
            if _read(read) != value:
                write(value)
        for logger in self._loggers:
            logger.restore()
        self._put_back_handlers()
        with warnings.catch_warnings():
            pass  # leaving it is the public way to say that the filters are others now
        return added

    def _put_back_handlers(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number, handler in self._handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:  # None: not set from Python
                signal.signal(number, handler)


class _Notes(io.TextIOWrapper):
    """Stands in for stdout: what is written goes to stderr. Whoever closes or wraps it harms nobody else."""

    def __init__(self, before: Surroundings) -> None:
        super().__init__(_ToStderr(), encoding="utf-8", errors="replace", write_through=True)  # type: ignore[arg-type]
        self.before = before
        self.blocks = 0


class _ToStderr(io.RawIOBase):
    """Bytes to what `sys.stderr` is at that moment. Never closed."""

    def close(self) -> None: ...

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return sys.stderr.isatty()

    def write(self, data: Any) -> int:
        sys.stderr.write(bytes(data).decode("utf-8", "replace"))
        return len(data)


class _Logger:
    """A logger's settings."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._level, self._disabled, self._propagate = logger.level, logger.disabled, logger.propagate
        self._handlers, self._filters = logger.handlers[:], logger.filters[:]

    def restore(self) -> None:
        logger = self._logger
        logger.handlers[:], logger.filters[:] = self._handlers, self._filters
        logger.disabled, logger.propagate = self._disabled, self._propagate
        if logger.level != self._level:
            logger.setLevel(self._level)


def _our_loggers() -> list[logging.Logger]:
    found = logging.getLogger().manager.loggerDict
    names = [name for name in found if name == "llms" or name.startswith("llms.")]
    return [logger for name in names if isinstance(logger := found[name], logging.Logger)]


def _values() -> tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...]:
    """How settings that are no plain attribute are read and written."""
    return (
        (os.getcwd, _change_folder),
        (socket.getdefaulttimeout, socket.setdefaulttimeout),
        (lambda: locale.setlocale(locale.LC_ALL), _set_locale),
        (logging.getLogRecordFactory, logging.setLogRecordFactory),
        (logging.getLoggerClass, logging.setLoggerClass),
        (lambda: logging.getLogger().manager.disable, logging.disable),
        (sys.getrecursionlimit, sys.setrecursionlimit),
    )


def _read(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (OSError, locale.Error):  # the current folder was deleted; a locale that is half set
        return None


def _change_folder(folder: str | None) -> None:
    with suppress(OSError):  # it is gone
        os.chdir(folder or ".")


def _set_locale(name: str | None) -> None:
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, name)


def _signals() -> list[int]:
    numbers = (getattr(signal, f"SIG{name}", None) for name in _SIGNALS)
    return [number for number in numbers if number is not None]


def _of_libraries(finders: list[Any], known: Collection[int]) -> list[Any]:
    """Those not known that a library brought, not the extension: the library may need them. They come after ours."""
    return [finder for finder in finders if id(finder) not in known and not _module_of(finder).startswith(PRIVATE)]


def _module_of(finder: Any) -> str:
    return str(getattr(finder, "__module__", None) or type(finder).__module__)


def _let_go(now: Any, before: Any) -> None:
    """Takes `now` off the stream it wraps if that is ours, as in `sys.stderr = TextIOWrapper(sys.stderr.buffer)`.

    It would close the stream when it is collected.
    """
    if now is not before and isinstance(now, io.TextIOWrapper) and now.buffer is getattr(before, "buffer", None):
        with suppress(ValueError, OSError):
            now.detach()


def _put_back(entries: dict[str, Any], before: dict[str, Any]) -> None:
    """Undoes replacing and removing; what was added stays."""
    if before.items() <= entries.items():
        return
    for name, value in before.items():
        if entries.get(name) is not value and not name.startswith(PRIVATE):
            entries[name] = value
