"""Remembers in which extension's hands this server died, from one start to the next.

While code of an extension is in charge at start, its name stands in a file that belongs to this process, held by a
lock which the system frees when the process ends, however it ends. A file that nobody holds tells of a crash.
"""

import contextlib
import json
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from llms.kernel import files
from llms.kernel.errors import ConfigError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


MOST_IN_A_ROW = 3
_MARKER = "start-"
_ENDINGS = ("SIGTERM", "SIGHUP")  # how others end a process, which is not the extension's doing
logger = logging.getLogger("llms.host")


class Crashes:
    """The crashes of past starts, kept in `folder`, and what is noted of this one.

    A folder that cannot be written costs the detection of crashes, and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "crashes.json"
        self._known: dict[str, dict[str, Any]] | None = None  # by extension, once it is read
        self._marker: _Marker | None = None
        self._lock = threading.Lock()

    def reason(self, extension: str) -> str | None:
        """Why `extension` is not trusted any more, if it is not: several starts in a row ended in its hands."""
        found = self._crashes().get(extension)
        if found is None or found["count"] < MOST_IN_A_ROW:
            return None
        return (
            f"The last {found['count']} starts crashed when they were to {found['phase']} it. "
            f"Update or mend it, then run `llms ext enable {extension}`."
        )

    def is_suspected(self, extension: str) -> bool:
        """Whether the last start died when `extension`, perhaps among others, was in charge. Load it alone."""
        return extension in self._crashes()

    @contextmanager
    def during(self, extension: str, phase: str) -> Iterator[None]:
        """Inside the block code of `extension` is in charge; `phase` is a verb, such as "import". Blocks may overlap.

        Should the process die there, the next one knows. A block that is left, by whatever error, is no crash.
        """
        self._crashes()
        entry = [extension, phase]
        with self._lock:
            if self._marker is None:
                self._marker = _Marker.make(self._folder)
            marker = self._marker
        marker.add(entry)
        try:
            yield
        finally:
            marker.remove(entry)

    def clean(self, extension: str) -> None:
        """`extension` has started well: earlier crashes count no more."""
        self.forgive(extension)

    def forgive(self, extension: str) -> None:
        """Forgets the crashes of `extension`."""
        if extension in self._crashes():
            self._update(lambda known: known.pop(extension, None))

    def close(self) -> None:
        """The start is over: takes this process's file away. May be called twice; `during` makes a new one."""
        with self._lock:
            marker, self._marker = self._marker, None
        if marker is not None:
            marker.close()

    def _crashes(self) -> dict[str, dict[str, Any]]:
        if self._known is None:
            self._known = {}
            if any(self._folder.glob(f"{_MARKER}*")):
                self._update(self._settle)
            elif self._file.exists():
                self._known = _read(self._file)
        return self._known

    def _settle(self, known: dict[str, dict[str, Any]]) -> None:
        """Counts what processes that are dead have left, and takes it away."""
        for path in sorted(self._folder.glob(f"{_MARKER}*")):
            for extension, phase in _left_by_the_dead(path):
                count = known.get(extension, {}).get("count", 0)
                known[extension] = {"count": count + 1, "phase": phase}

    def _update(self, edit: Callable[[dict[str, dict[str, Any]]], object]) -> None:
        """Lets `edit` change what is kept, while no other process does."""
        try:
            with files.lock(self._file):
                known = _read(self._file)
                before = json.dumps(known)
                edit(known)
                if json.dumps(known) != before:
                    files.write_atomic(self._file, files.to_json(known))
            self._known = known
        except ConfigError as error:
            logger.warning("Crashes of extensions cannot be noted: %s", error)


class _Marker:
    """The file that says which extensions are in charge in this process. Never read by it, and never synced."""

    def __init__(self, path: Path | None, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor
        self._entries: list[list[str]] = []
        self._lock = threading.RLock()
        self._before: dict[int, Any] = {}

    @classmethod
    def make(cls, folder: Path) -> "_Marker":
        """One that notes nothing, if a file cannot be made."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with files.lock(folder / "crashes.json"):  # or another process might take it for that of a dead one
                descriptor, name = tempfile.mkstemp(prefix=_MARKER, dir=folder)
                _try_lock(descriptor)
        except (OSError, ConfigError) as error:
            logger.warning("Crashes of extensions cannot be noted: %s", error)
            return cls(None, -1)
        marker = cls(Path(name), descriptor)
        marker._handle_endings()
        return marker

    def add(self, entry: list[str]) -> None:
        with self._lock:
            self._entries.append(entry)
            self._write()

    def remove(self, entry: list[str]) -> None:
        with self._lock:
            self._entries = [other for other in self._entries if other is not entry]
            self._write()

    def close(self) -> None:
        with self._lock:
            path, self._path = self._path, None
            if path is not None:
                os.close(self._descriptor)
                path.unlink(missing_ok=True)
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._before.items():
                if signal.getsignal(number) == self._on_ending:
                    signal.signal(number, handler)

    def _write(self) -> None:
        """One line, in one call; what an earlier, longer one left behind it does not count."""
        if self._path is None:
            return
        line = json.dumps(self._entries).encode() + b"\n"
        with contextlib.suppress(OSError):  # a full disk
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, line)

    def _handle_endings(self) -> None:
        """Being told to end is no crash, so the file must not outlive that."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in [getattr(signal, name) for name in _ENDINGS if hasattr(signal, name)]:
            if signal.getsignal(number) is signal.SIG_DFL:
                self._before[number] = signal.signal(number, self._on_ending)

    def _on_ending(self, number: int, _frame: FrameType | None) -> None:
        self.close()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _left_by_the_dead(path: Path) -> list[tuple[str, str]]:
    """The extensions, with the phase, in whose hands the process of this marker died. The marker is taken away."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return []
    try:
        _try_lock(descriptor)
        line = os.read(descriptor, 1_000_000).partition(b"\n")[0]
    except OSError:  # it is alive
        return []
    finally:
        os.close(descriptor)
    path.unlink(missing_ok=True)
    try:
        phases = {str(extension): str(phase) for extension, phase in json.loads(line or b"[]")}
    except (ValueError, TypeError):
        return []
    return list(phases.items())


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """What is kept; nothing, if somebody spoilt it."""
    try:
        found = json.loads(path.read_bytes())
        return {name: {"count": int(crash["count"]), "phase": str(crash["phase"])} for name, crash in found.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
