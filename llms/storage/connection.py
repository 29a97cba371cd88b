"""One transaction on a database: what runs statements in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Executable, text

from llms.kernel.types import Json
from llms.storage.statements import refuse_transactions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from llms.storage.engine import Database

Values = Mapping[str, Any]


class Connection:
    """Runs statements in one transaction. A `:name` in the SQL stands for `params["name"]`, and `\\:` for a colon.

    Every method raises StorageError, and StorageConflict for a row that breaks a rule of its table. A statement may
    also be one built with SQLAlchemy.
    """

    def __init__(self, connection: AsyncConnection, database: Database) -> None:
        self._connection = connection
        self._database = database

    async def execute(self, sql: str | Executable, params: Values | None = None) -> int:
        """How many rows it changed."""
        with self._database.reporting():
            result = await self._connection.execute(_statement(sql), params)
            return max(result.rowcount, 0)  # drivers say -1 where there is nothing to count

    async def execute_many(self, sql: str | Executable, params: Sequence[Values]) -> None:
        """Runs it once for each of `params`: the quick way to add many rows."""
        if not params:  # SQLAlchemy would run it once, without any
            return
        with self._database.reporting():
            await self._connection.execute(_statement(sql), params)

    async def all(self, sql: str | Executable, params: Values | None = None) -> list[Json]:
        """Every row."""
        with self._database.reporting():
            result = await self._connection.execute(_statement(sql), params)
            return [dict(row) for row in result.mappings()]

    async def one(self, sql: str | Executable, params: Values | None = None) -> Json | None:
        """The first row, if there is any."""
        with self._database.reporting():
            result = await self._connection.execute(_statement(sql), params)
            row = result.mappings().first()
        return None if row is None else dict(row)

    async def scalar(self, sql: str | Executable, params: Values | None = None) -> Any:
        """The first column of the first row; None without a row."""
        with self._database.reporting():
            result = await self._connection.execute(_statement(sql), params)
            return result.scalar()

    async def script(self, sql: str) -> None:
        """Runs any number of statements, divided by `;`, as they are: a colon means nothing special."""
        with self._database.reporting():
            await self._database.run_script(self._connection, sql)


def _statement(sql: str | Executable) -> Executable:
    if not isinstance(sql, str):
        return sql
    refuse_transactions(sql)
    return text(sql)
