"""The one thread that writes to a SQLite file."""

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from llms.kernel import foreign
from llms.kernel.errors import LlmsError
from llms.storage.errors import StorageError, reporting
from llms.storage.file import connect
from llms.storage.rows import Reporter
from llms.storage.statements import refuse_transactions

Params = Sequence[Any] | Mapping[str, Any] | None
Callback = Callable[..., Any]  # (lastrowid, rowcount), or after a failure (None, 0, error=error)
CLOSE_TIMEOUT = 30.0  # seconds; a callback that never returns must not keep the process from ending


class Write(NamedTuple):
    sql: str
    args: Params
    callback: Callback | None


class SqliteWriter:
    """Runs writes one after the other, in the order given, each committed before its callback is called.

    A write that fails is reported to `ctx`, unless its callback takes the error. The thread starts with the first.
    """

    def __init__(self, path: Path, ctx: Reporter) -> None:
        self._path = path
        self._ctx = ctx
        self._queue: SimpleQueue[Write | None] = SimpleQueue()
        self._lock = threading.Lock()  # nothing may come into the queue behind its end
        self._thread: threading.Thread | None = None
        self._is_open = True

    def put(self, write: Write) -> None:
        """Takes over `write`. Raises StorageError after `close`."""
        with self._lock:
            if not self._is_open:
                raise StorageError(f"{self._path} is closed. Write before the server or the extension stops.")
            if self._thread is None or not self._thread.is_alive():  # a callback may end even a thread
                name = f"llms-{self._ctx.name}-writer"
                self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._thread.start()
            self._queue.put(write)

    def close(self) -> None:
        """Ends when all that was taken over is written. A second call does nothing."""
        with self._lock:
            if not self._is_open:
                return
            self._is_open = False
            self._queue.put(None)
            thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        thread.join(CLOSE_TIMEOUT)
        if thread.is_alive():
            self._ctx.err(f"{self._path} is still being written to. Mend the callback that never returns", None)

    def _run(self) -> None:
        with closing(_Connection(self._path)) as connection:
            while write := self._queue.get():
                try:
                    with foreign.border(self._ctx.name):  # its values are foreign: any may raise
                        outcome = connection.execute(write.sql, write.args)
                except LlmsError as error:
                    self._failed(write, error)
                else:
                    self._tell(write, *outcome)

    def _failed(self, write: Write, error: LlmsError) -> None:
        if write.callback is None:
            self._ctx.err("A write failed", error)
        else:
            self._tell(write, None, 0, error=error)

    def _tell(self, write: Write, *outcome: Any, **failure: LlmsError) -> None:
        if write.callback is None:
            return
        try:
            foreign.call_now(write.callback, *outcome, extension=self._ctx.name, **failure)
        except LlmsError as error:
            self._ctx.err(f"The callback of a write failed{_after(failure)}", error)


class _Connection:
    """A connection where each statement is a transaction. It is made with the first, again if that was in vain."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def execute(self, sql: str, args: Params) -> tuple[int | None, int]:
        """The id of the last row that was inserted, and how many rows changed."""
        refuse_transactions(sql)
        with reporting(self._path):
            if self._connection is None:
                self._connection = connect(self._path)
                self._connection.isolation_level = None
            cursor = self._connection.execute(sql, args or ())
            cursor.fetchall()  # what RETURNING gives must be read before SQLite commits
            return cursor.lastrowid, cursor.rowcount

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _after(failure: dict[str, LlmsError]) -> str:
    return f" to take that {failure['error']}" if failure else ""
