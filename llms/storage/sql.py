"""The tables of one extension."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from llms.kernel.types import Json
from llms.storage.databases import Databases
from llms.storage.migrations import Step, apply

if TYPE_CHECKING:
    from sqlalchemy import Executable

    from llms.storage.connection import Connection, Values


class Sql:
    """Runs SQL in the extension's own namespace, on tables that its migrations have made.

    `:name` in the SQL stands for `params["name"]`, and `\\:` for a colon. A call is a transaction of its own. The
    first one opens the database and applies the migrations that are new. Everything raises StorageError;
    StorageConflict means that a row breaks a rule of its table.
    """

    def __init__(self, databases: Databases, *, extension: str, migrations: Sequence[tuple[str, Step]]) -> None:
        self._databases = databases
        self._extension = extension
        self._migrations = migrations

    async def execute(self, sql: str | Executable, params: Values | None = None) -> int:
        """How many rows it changed."""
        async with self._begin() as connection:
            return await connection.execute(sql, params)

    async def execute_many(self, sql: str | Executable, params: Sequence[Values]) -> None:
        """Runs it once for each of `params`, all or none: the quick way to add many rows."""
        async with self._begin() as connection:
            await connection.execute_many(sql, params)

    async def all(self, sql: str | Executable, params: Values | None = None) -> list[Json]:
        """Every row."""
        async with self._begin() as connection:
            return await connection.all(sql, params)

    async def one(self, sql: str | Executable, params: Values | None = None) -> Json | None:
        """The first row, if there is any."""
        async with self._begin() as connection:
            return await connection.one(sql, params)

    async def scalar(self, sql: str | Executable, params: Values | None = None) -> Any:
        """The first column of the first row; None without a row."""
        async with self._begin() as connection:
            return await connection.scalar(sql, params)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Several statements, all or none: what it yields has the same methods.

        Use nothing else of the store inside: on SQLite a second writer waits for this one to end.
        """
        async with self._begin(writes=True) as connection:
            yield connection

    @asynccontextmanager
    async def _begin(self, *, writes: bool = False) -> AsyncIterator[Connection]:
        database = await self._databases.open(self._extension)
        await apply(self._migrations, database, extension=self._extension)
        async with database.begin(writes=writes) as connection:
            yield connection
