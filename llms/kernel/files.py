"""Reads and writes the JSON files people edit, so that no edit is lost and no file is ever half written."""

import errno
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from llms.kernel.errors import ConfigError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_MARK_OR_WORD = re.compile(r"\s*([A-Za-z]{1,10}|\S)")
LOCK_TIMEOUT = 10.0  # seconds; an edit takes milliseconds, so whoever holds the lock longer is stuck
_FIXES = MappingProxyType(
    {
        errno.ENOSPC: "Free some disk space",
        errno.EDQUOT: "Free some of your disk quota",
        errno.EROFS: "Mount it writable",
        errno.EACCES: "Give yourself write permission",
        errno.EPERM: "Give yourself write permission",
    }
)
_HELD = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)  # how the systems say that another process has the lock


# -- reading ---------------------------------------------------------------------------------------------


def read_json(path: Path, *, fix: str = "Correct it.") -> dict[str, Any]:
    """The object in `path`. Raises ConfigError that names file, line and column, and ends with `fix`."""
    return parse_json(read_bytes(path), name=path.name, fix=fix)


def parse_json(data: bytes, *, name: str, fix: str = "Correct it.") -> dict[str, Any]:
    try:
        text = data.decode("utf-8-sig")  # some editors write a byte order mark
        found = json.loads(text, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"{name}: {_where(error)}. {fix}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: cannot be read as JSON: {error}. {fix}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{name}: expected an object, got {type(found).__name__}. {fix}")
    return found


def read_bytes(path: Path) -> bytes:
    """What `path` holds. Raises ConfigError, with the fix, if it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist. Run `llms --init`, or check the path.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error


def _where(error: json.JSONDecodeError) -> str:
    """`line 2, column 7: expecting ':' delimiter, met 2`. Shows one mark or word: more could be of a key."""
    found = _MARK_OR_WORD.match(error.doc, error.pos)
    met = found[0].strip() if found else "the end of the file"
    return f"line {error.lineno}, column {error.colno}: {error.msg[:1].lower()}{error.msg[1:]}, met {met}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# -- writing ---------------------------------------------------------------------------------------------


def to_json(data: dict[str, Any]) -> bytes:
    """The form our files have. A lone surrogate, which UTF-8 cannot hold, stays an escape."""
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def write_atomic(path: Path, data: bytes) -> None:
    """`path` holds `data`, or what it held before: never a part. Keeps the file's mode; a new file is 0600.

    A symbolic link stays one: the file it points to is replaced. Raises ConfigError, with the fix.
    """
    try:
        _write(path.resolve(), data)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise cannot_write(path, error) from error


def _write(path: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def cannot_write(path: Path, error: Exception) -> ConfigError:
    """`error`, met while writing `path`, as a sentence for the operator."""
    number = error.errno if isinstance(error, OSError) else None
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    fix = _FIXES.get(number or 0, "Correct the path")
    other = "set LLMS_HOME to a folder you can write to"
    return ConfigError(f"{path} cannot be written: {reason}. {fix}, or {other}.")


def update_json(path: Path, edit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Lets `edit` change the object in `path` and gives it back. Nothing is written if it changed nothing.

    Other processes wait meanwhile, so edits add up. Keys keep their order, and values `edit` leaves alone are
    written as they were read, `$NAME` included. If `edit` raises, the file is untouched.
    """
    with lock(path):
        data = read_json(path)
        before = to_json(data)
        edit(data)
        after = to_json(data)
        if after != before:
            write_atomic(path, after)
        return data


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Keeps out whoever else asks for the lock of `path`: a file beside it, which stays.

    Raises ConfigError when it is not free within LOCK_TIMEOUT. The system frees it should the process die.
    """
    try:
        target = path.resolve()
        beside = target.with_name(f".{target.name}.lock")
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
    except (OSError, RuntimeError) as error:
        raise cannot_write(path, error) from error
    try:
        _wait_for(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, path: Path) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            return _try_lock(descriptor)
        except OSError as error:
            if error.errno not in _HELD:
                raise cannot_write(path, error) from error
        if time.monotonic() > deadline:
            raise ConfigError(f"Another process has held {path} for {LOCK_TIMEOUT:g} s. End it, then retry.")
        time.sleep(0.01)
