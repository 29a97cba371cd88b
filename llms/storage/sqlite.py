"""`DbManager`: the SQLite surface that extensions written for the reference use."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from llms.kernel.types import Json
from llms.storage import file
from llms.storage.columns import quoted, valid_columns
from llms.storage.errors import StorageError, reporting, sqlite_error
from llms.storage.rows import Reporter, to_value
from llms.storage.sqlite_readers import SqliteReaders
from llms.storage.sqlite_writer import Callback, Params, SqliteWriter, Write


class DbManager:
    """A SQLite file: one thread writes, in the order asked; any thread reads, through connections that cannot write.

    `ctx` is the extension's; errors nobody takes are reported to it. The file and its folder are made where missing.
    `clone` is another DbManager of the same file, whose writer and readers this one shares; it ends with that one.
    With LLMS_POOL=1 in the environment connections for reading are kept for the next.

    In SQL `?` stands for the next of a list of `params`, `:name` for one of a dict. Reads raise StorageError, and so
    does everything after `close`. What was written before is safe: also when nobody calls `close`, the end of the
    process, or of the last reference to this object, waits for it.
    """

    def __init__(self, ctx: Reporter, db_path: str | os.PathLike[str], clone: DbManager | None = None) -> None:
        self.ctx = ctx
        self.db_path = os.fspath(db_path)
        self.clone = clone
        self._path = Path(self.db_path).absolute()
        if clone is not None:
            self._share(clone)
            return
        file.prepare(self._path)
        self._writer = SqliteWriter(self._path, ctx)
        self._readers = SqliteReaders(self._path, pooled=os.environ.get("LLMS_POOL") == "1")
        self._close = weakref.finalize(self, _close, (self._writer, self._readers))

    def _share(self, original: DbManager) -> None:
        if original._path.resolve() != self._path.resolve():
            raise StorageError(f"{self._path} cannot share the writer of {original._path}. Leave `clone` out.")
        self._writer, self._readers = original._writer, original._readers
        self._close = weakref.finalize(self, _close, ())

    # -- writing -----------------------------------------------------------------------------------------------

    def write(self, sql: str, args: Params = None, callback: Callback | None = None) -> None:
        """Queues one statement. When it is committed, the writing thread calls `callback(lastrowid, rowcount)`; if it
        failed, `callback(None, 0, error=error)`, and without a callback the error is reported to `ctx`.
        """
        self._require_open()
        self._writer.put(Write(sql, args, callback))

    def insert(
        self, table: str, columns: Iterable[str], info: Mapping[str, Any], callback: Callback | None = None
    ) -> None:
        """Queues a new row of those of `info` that `columns` names; dicts and lists in it become JSON."""
        self.write(*self._insertion(table, columns, info), callback)

    def update(
        self, table: str, columns: Iterable[str], info: Mapping[str, Any], callback: Callback | None = None
    ) -> None:
        """Queues the change of the row whose id is `info["id"]` to those of `info` that `columns` names."""
        self.write(*self._change(table, columns, info), callback)

    async def insert_async(self, table: str, columns: Iterable[str], info: Mapping[str, Any]) -> int | None:
        """As `insert`: the id of the row, once it is committed. Raises StorageError if it could not be."""
        return (await self._written(*self._insertion(table, columns, info)))[0]

    async def update_async(self, table: str, columns: Iterable[str], info: Mapping[str, Any]) -> int:
        """As `update`: how many rows it changed, once that is committed. Raises StorageError if it could not be."""
        return (await self._written(*self._change(table, columns, info)))[1]

    async def _written(self, sql: str, args: Params) -> tuple[int | None, int]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[tuple[int | None, int]] = loop.create_future()

        def settle(lastrowid: int | None, rowcount: int, error: Exception | None = None) -> None:
            if done.done():  # cancelled: nobody waits any more
                return
            if error is None:
                done.set_result((lastrowid, rowcount))
            else:
                done.set_exception(error)

        def tell(lastrowid: int | None, rowcount: int, error: Exception | None = None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, lastrowid, rowcount, error)

        self.write(sql, args, tell)
        return await done

    def _insertion(self, table: str, columns: Iterable[str], info: Mapping[str, Any]) -> tuple[str, Params]:
        names = valid_columns(columns, info)
        values = [self.value(info[name]) for name in names]
        if not names:
            return f"INSERT INTO {quoted(table)} DEFAULT VALUES", ()
        marks = ", ".join("?" * len(names))
        return f"INSERT INTO {quoted(table)} ({', '.join(map(quoted, names))}) VALUES ({marks})", values  # noqa: S608

    def _change(self, table: str, columns: Iterable[str], info: Mapping[str, Any]) -> tuple[str, Params]:
        if info.get("id") is None:
            raise StorageError(f"An update of {table} needs the id of its row. Put it into `info`.")
        names = [name for name in valid_columns(columns, info) if name != "id"]
        values = [self.value(info[name]) for name in names]
        changes = ", ".join(f"{quoted(name)} = ?" for name in names) or "id = id"  # no change still tells if it exists
        return f"UPDATE {quoted(table)} SET {changes} WHERE id = ?", [*values, info["id"]]  # noqa: S608

    # -- reading -----------------------------------------------------------------------------------------------

    def all(self, sql: str, params: Params = None) -> list[Json]:
        """Every row, by column."""
        return [{key: row[key] for key in row.keys()} for row in self._rows(sql, params)]  # noqa: SIM118

    def one(self, sql: str, params: Params = None) -> Json | None:
        """The first row, by column, if there is any."""
        rows = self._rows(sql, params, most=1)
        return {key: rows[0][key] for key in rows[0].keys()} if rows else None  # noqa: SIM118

    def scalar(self, sql: str, params: Params = None) -> Any:
        """The first column of the first row; None without a row."""
        rows = self._rows(sql, params, most=1)
        return rows[0][0] if rows else None

    def column(self, sql: str, params: Params = None) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self._rows(sql, params)]

    def dict(self, sql: str, params: Params = None) -> Json:
        """The second column of every row, by the first."""
        return {row[0]: row[1] for row in self._rows(sql, params)}

    def _rows(self, sql: str, params: Params, *, most: int = -1) -> list[sqlite3.Row]:
        self._require_open()
        try:
            with self._readers.borrow() as connection:
                cursor = connection.execute(sql, params or ())
                rows = cursor.fetchall() if most < 0 else cursor.fetchmany(most)
                cursor.close()
                return rows
        except (sqlite3.Error, OverflowError, ValueError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY:
                raise StorageError("This only reads. Use write(), insert() or update() to write.") from error
            raise sqlite_error(error, self._path) from error

    # -- connections -------------------------------------------------------------------------------------------

    def create_reader_connection(self) -> sqlite3.Connection:
        """A new connection that cannot write. Its rows go by index and by name. Whoever asked for it closes it."""
        return self._connect(reads_only=True)

    def create_writer_connection(self) -> sqlite3.Connection:
        """A new connection beside the writing thread, for making tables; it commits when told, and whoever asked for
        it closes it."""
        return self._connect(reads_only=False)

    def _connect(self, *, reads_only: bool) -> sqlite3.Connection:
        self._require_open()
        with reporting(self._path):
            return file.connect(self._path, reads_only=reads_only)

    def exec(self, conn: sqlite3.Connection, sql: str, params: Params = None) -> sqlite3.Cursor:
        """Runs one statement on a connection of yours. What SQLite says against it comes as it is: a sqlite3.Error."""
        return conn.execute(sql, params or ())

    # -- the rest ----------------------------------------------------------------------------------------------

    def value(self, v: Any) -> Any:
        """`v` as a column can hold it: a dict, list or tuple as JSON, a date as ISO 8601, the rest as it is."""
        return to_value(v)

    def close(self) -> None:
        """Waits for what was queued, then lets go of the file; a clone leaves that to its original. A second call
        does nothing.
        """
        self._close()

    def _require_open(self) -> None:
        if not self._close.alive:
            raise StorageError(f"{self._path} is closed. Use it before the server or the extension stops.")


def _close(owned: tuple[SqliteWriter | SqliteReaders, ...]) -> None:
    for part in owned:
        part.close()
