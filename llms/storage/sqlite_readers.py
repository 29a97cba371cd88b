"""Connections that read a SQLite file and cannot change it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue

from llms.storage.errors import StorageError
from llms.storage.file import connect


class SqliteReaders:
    """Lends a connection to one thread at a time. With `pooled` it keeps them for the next, else each is closed.

    After `close` none is lent: StorageError.
    """

    def __init__(self, path: Path, *, pooled: bool) -> None:
        self._path = path
        self._pooled = pooled
        self._is_open = True
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()

    @contextmanager
    def borrow(self) -> Iterator[sqlite3.Connection]:
        if not self._is_open:
            raise StorageError(f"{self._path} is closed. Read before the server or the extension stops.")
        connection = self._take() or connect(self._path, reads_only=True)
        try:
            yield connection
        finally:
            self._give_back(connection)

    def close(self) -> None:
        self._is_open = False
        while connection := self._take():
            connection.close()

    def _take(self) -> sqlite3.Connection | None:
        try:
            return self._idle.get_nowait()
        except Empty:
            return None

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if not self._pooled:
            connection.close()
            return
        self._idle.put(connection)
        if not self._is_open:  # closed while it was lent
            self.close()
