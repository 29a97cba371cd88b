"""One open database: the only file that knows SQLAlchemy's engines, with what SQLite and PostgreSQL do differently.

Importing it takes time, so only `databases.py` does, at the first use.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from llms.kernel.errors import ConfigError
from llms.storage import file
from llms.storage.connection import Connection
from llms.storage.errors import BUSY_TIMEOUT, UNFIT_VALUES, StorageError, conflict, refused, sqlite_error
from llms.storage.statements import refuse_transactions, split

_WRITES = "llms_writes"  # a transaction that will write
_VALUE = re.compile(r"(for query argument \$\d+): .* (?=\()")  # asyncpg repeats the value it cannot send


class Database:
    """One namespace of tables, open. Connections are made when needed and kept for the next.

    `place` is how errors call it. `close` may be called twice; afterwards `begin` raises StorageError.
    """

    foreign: tuple[type[BaseException], ...] = (SQLAlchemyError, OSError, *UNFIT_VALUES)

    def __init__(self, engine: AsyncEngine, place: str) -> None:
        self._engine = engine
        self._is_open = True
        self.place = place
        self.applied: set[str] = set()  # migrations that are known to have run
        self.one_migrates = asyncio.Lock()
        self.migrating: asyncio.Task[Any] | None = None

    @asynccontextmanager
    async def begin(self, *, writes: bool = False, alone: bool = False) -> AsyncIterator[Connection]:
        """A transaction: kept whole when the block ends, undone whole if anything leaves it early.

        `writes` is for one that reads first: the rows it read stay as they are until it ends, on SQLite. `alone`
        also keeps out every other process that asks to be alone.
        """
        self._require_open()
        with self.reporting():
            connection = await self._engine.connect()
        async with aclosing(connection):  # undoes what was not committed
            try:
                with self.reporting():
                    await connection.execution_options(**{_WRITES: writes or alone})
                    await connection.begin()
                    if alone:
                        await self._keep_others_out(connection)
                yield Connection(connection, self)
                with self.reporting():
                    await connection.commit()
            finally:
                if not self._is_open:  # closed meanwhile: nobody keeps connections for the next any more
                    await connection.invalidate()

    async def close(self) -> None:
        self._is_open = False
        await self._engine.dispose()

    def _require_open(self) -> None:
        if not self._is_open:
            raise StorageError(f"{self.place} is closed. Use it before the server or the extension stops.")

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Raises StorageError for whatever SQLAlchemy or a driver says against the block."""
        try:
            yield
        except self.foreign as error:
            raise self._error(error) from error

    async def run_script(self, connection: AsyncConnection, sql: str) -> None:
        raise NotImplementedError

    async def _keep_others_out(self, connection: AsyncConnection) -> None:
        raise NotImplementedError

    def _error(self, error: BaseException) -> StorageError:
        raise NotImplementedError


class SqliteDatabase(Database):
    """A file of its own."""

    def __init__(self, engine: AsyncEngine, path: Path) -> None:
        super().__init__(engine, str(path))
        self._path = path

    @classmethod
    async def open(cls, path: Path) -> SqliteDatabase:
        """The database in `path`, which is made if it is missing."""
        await asyncio.to_thread(file.prepare, path)
        engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(path)),
            # Without an isolation level Python's driver begins no transactions: ours hold CREATE TABLE and SELECT too.
            connect_args={"timeout": BUSY_TIMEOUT, "isolation_level": None},
            pool_size=4,
            max_overflow=0,  # each connection is a thread, and only one of them can write
            pool_timeout=3 * BUSY_TIMEOUT,
            hide_parameters=True,
        )
        event.listen(engine.sync_engine, "connect", _guard_references)
        event.listen(engine.sync_engine, "begin", _begin)
        return cls(engine, path)

    async def run_script(self, connection: AsyncConnection, sql: str) -> None:
        for statement in split(sql):
            refuse_transactions(statement)
            await connection.exec_driver_sql(statement)

    async def _keep_others_out(self, connection: AsyncConnection) -> None:
        """A transaction that writes already does."""

    def _error(self, error: BaseException) -> StorageError:
        cause = _cause(error)
        if isinstance(cause, sqlite3.Error):
            return sqlite_error(cause, self._path)
        return refused(cause, self.place)


def _guard_references(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: SyncConnection) -> None:
    """One that will write takes the lock now. After its first read it could only fail: others may have written."""
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class PostgresDatabase(Database):
    """A schema of its own."""

    def __init__(self, engine: AsyncEngine, schema: str, place: str) -> None:
        import asyncpg  # type: ignore[import-untyped]

        super().__init__(engine, place)
        self.foreign = (*Database.foreign, asyncpg.PostgresError, asyncpg.InterfaceError)
        self._schema = schema

    @classmethod
    async def open(cls, url: str, schema: str) -> PostgresDatabase:
        """The schema called `schema` in the database at `url`, made if it is missing."""
        address = postgres_url(url)
        try:
            engine = create_async_engine(
                address,
                connect_args={"server_settings": {"search_path": f'"{schema}"'}, "timeout": 10},
                pool_size=1,  # each extension has its own, so few stay open
                max_overflow=4,
                pool_pre_ping=True,  # the server may have been restarted
                hide_parameters=True,
            )
            database = cls(engine, schema, f"PostgreSQL database {address.database!r} on {address.host or 'this host'}")
        except ImportError as error:
            raise StorageError("PostgreSQL needs a driver. Install it: pip install asyncpg") from error
        async with database.begin(alone=True) as connection:
            await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        return database

    async def drop(self) -> None:
        """Deletes the schema with everything in it."""
        async with self.begin(alone=True) as connection:
            await connection.execute(f'DROP SCHEMA IF EXISTS "{self._schema}" CASCADE')

    async def run_script(self, connection: AsyncConnection, sql: str) -> None:
        refuse_transactions(sql)
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection  # SQLAlchemy would send a prepared statement: always a single one
        await driver.execute(sql)

    async def _keep_others_out(self, connection: AsyncConnection) -> None:
        name = "llms " + self._schema.replace("'", "''")
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock(hashtextextended('{name}', 0))")

    def _error(self, error: BaseException) -> StorageError:
        cause = _cause(error)
        why = _VALUE.sub(r"\1", str(cause).partition("\n")[0])  # the lines below it tell values
        if isinstance(error, IntegrityError):
            return conflict(why, self.place)
        if isinstance(cause, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
            return StorageError(f"{self.place} cannot be reached: {why}. Start it, or correct database_url.")
        return refused(why, self.place)


def postgres_url(url: str) -> URL:
    """`url` for the one driver we use. Raises ConfigError for any that is not PostgreSQL's; it may hold a password."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError("database_url is no URL. Write postgresql://user:password@host/name.") from None
    if address.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError("database_url is not PostgreSQL's. Write postgresql://…, or nothing for SQLite.")
    return address.set(drivername="postgresql+asyncpg")


def _cause(error: BaseException) -> BaseException | str:
    """What the database itself said, without what SQLAlchemy puts around it."""
    if isinstance(error, StatementError) and error.orig is not None:
        return error.orig.__cause__ or error.orig  # the driver's own error, where SQLAlchemy has made another of it
    if isinstance(error, SQLAlchemyError):
        return str(error.args[0]) if error.args else type(error).__name__
    return error
