"""One SQLite database as a file: made for its owner alone, and connected to."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from llms.kernel.files import cannot_write
from llms.storage.errors import BUSY_TIMEOUT, StorageError, reporting


def prepare(path: Path) -> None:
    """Makes the folder and an empty database, where they are missing. Readers and the writer then never wait for
    each other (WAL), and nobody but the owner may read it: what SQLite puts beside it gets the same mode.

    Raises StorageError, also for a file that is no database.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageError(str(cannot_write(Path(error.filename), error))) from error
    with reporting(path), closing(connect(path)) as connection:
        _use_wal(connection)


def connect(path: Path, *, reads_only: bool = False) -> sqlite3.Connection:
    """A connection that any one thread at a time may use. Raises sqlite3.Error; the file must exist."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if reads_only else 'rw'}",
        uri=True,
        timeout=BUSY_TIMEOUT,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Two processes that begin with a new file at once: SQLite refuses one of them without waiting, so we wait."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(0.01)


def remove(path: Path) -> None:
    """Deletes the database, what SQLite put beside it, and the folder if nothing else is in it."""
    try:
        for beside in ("-wal", "-shm", "-journal", ""):
            path.with_name(path.name + beside).unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()
    except OSError as error:
        raise StorageError(f"{path} cannot be deleted: {error.strerror}. Delete it by hand.") from error
