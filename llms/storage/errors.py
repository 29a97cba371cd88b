"""What can go wrong with a database, each as a sentence that ends with the fix."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from llms.kernel.errors import LlmsError

BUSY_TIMEOUT = 10.0  # seconds to wait for whoever else is writing to the same SQLite file


class StorageError(LlmsError):
    """The database failed, or was asked for what it cannot do."""

    kind = "storage_error"


class StorageConflict(StorageError):
    """A row breaks a rule of its table: a key that is taken, a value that is missing, a reference to nothing."""

    status = 409
    code = "conflict"


_BUSY = f"has been locked for {BUSY_TIMEOUT:g} s by another program or an open transaction. End that, then retry."
_DAMAGED = "is damaged ({error}). Put a backup in its place, or move it away to start with an empty one."
_DENIED = "cannot be opened ({error}). Give yourself permission to read and write it and its folder."
_SENTENCES = MappingProxyType(
    {
        sqlite3.SQLITE_FULL: "cannot grow: the disk is full. Free some disk space, then retry.",
        sqlite3.SQLITE_BUSY: _BUSY,
        sqlite3.SQLITE_LOCKED: _BUSY,
        sqlite3.SQLITE_CORRUPT: _DAMAGED,
        sqlite3.SQLITE_NOTADB: _DAMAGED,
        sqlite3.SQLITE_CANTOPEN: _DENIED,
        sqlite3.SQLITE_PERM: _DENIED,
        sqlite3.SQLITE_READONLY: "cannot be written ({error}). Give yourself write permission to it and its folder.",
        sqlite3.SQLITE_IOERR: "met a failing disk ({error}). Check the disk and the space left on it, then retry.",
    }
)
_REFUSED = "refused the statement: {error}. Correct the SQL or its values."
UNFIT_VALUES = (OverflowError, ValueError)  # what sqlite3 raises for a value that SQLite cannot hold


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Raises StorageError for whatever SQLite says against the block; `path` is the database."""
    try:
        yield
    except (sqlite3.Error, *UNFIT_VALUES) as error:
        raise sqlite_error(error, path) from error


def sqlite_error(error: BaseException, path: Path) -> StorageError:
    """`error`, met at the SQLite file `path`, as ours."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of it tells kinds of the same error apart
    if code == sqlite3.SQLITE_CONSTRAINT:
        return conflict(error, path)
    return StorageError(f"{path} {_SENTENCES.get(code, _REFUSED).format(error=error)}")


def conflict(error: object, place: object) -> StorageConflict:
    return StorageConflict(f"{place} refused the row: {error}. Correct its values.")


def refused(error: object, place: object) -> StorageError:
    return StorageError(f"{place} {_REFUSED.format(error=error)}")
