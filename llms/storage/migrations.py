"""How the tables of an extension come to be what its code expects, version after version."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llms.kernel import foreign
from llms.kernel.errors import LlmsError
from llms.storage.errors import StorageError

if TYPE_CHECKING:
    from llms.storage.connection import Connection
    from llms.storage.engine import Database

Step = str | Callable[["Connection"], Awaitable[None]]  # SQL, or a function that is given the transaction
Migrations = Mapping[str, Step] | Sequence[tuple[str, Step]]

# `name` is that of the migration, `applied_at` an ISO 8601 time in UTC, for whoever looks into it.
_RECORDS = "CREATE TABLE IF NOT EXISTS llms_migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)"


def read(migrations: Migrations) -> tuple[tuple[str, Step], ...]:
    """`migrations` in their order. Raises StorageError unless each has a name of its own and something to do."""
    pairs = tuple(migrations.items()) if isinstance(migrations, Mapping) else tuple(migrations)
    seen: set[str] = set()
    for pair in pairs:
        match pair:
            case (str(name), step) if name and (isinstance(step, str) or callable(step)):
                if name in seen:
                    raise StorageError(f"Two migrations are called {name!r}. Rename the later one.")
                seen.add(name)
            case _:
                raise StorageError(f"{pair!r} is no migration. Write (name, SQL) or (name, async function).")
    return pairs


async def apply(migrations: Sequence[tuple[str, Step]], database: Database, *, extension: str) -> None:
    """Runs those that were never run on `database`, each in a transaction that also records its name.

    So each runs once, however many processes start together. The first that fails raises StorageError, leaves
    nothing behind, and is tried again the next time. It costs nothing once they are known to have run.
    """
    if all(name in database.applied for name, _ in migrations):
        return
    if database.migrating is asyncio.current_task():
        raise StorageError("A migration waits for itself. Use only the connection that it is given.")
    async with database.one_migrates:
        database.migrating = asyncio.current_task()
        try:
            await _apply(migrations, database, extension=extension)
        finally:
            database.migrating = None


async def _apply(migrations: Sequence[tuple[str, Step]], database: Database, *, extension: str) -> None:
    async with database.begin(alone=True) as connection:
        await connection.execute(_RECORDS)
        database.applied |= {row["name"] for row in await connection.all("SELECT name FROM llms_migrations")}
    for name, step in migrations:
        if name in database.applied:
            continue
        try:
            async with database.begin(alone=True) as connection:
                await _run(name, step, connection, extension=extension)
        except LlmsError as error:
            message = f"Migration {name!r} of extension {extension!r} failed and was undone: {error}"
            raise StorageError(f"{message} Correct it, then retry.") from error
        database.applied.add(name)


async def _run(name: str, step: Step, connection: Connection, *, extension: str) -> None:
    if await connection.scalar("SELECT 1 FROM llms_migrations WHERE name = :name", {"name": name}):
        return  # another process was quicker
    if isinstance(step, str):
        await connection.script(step)
    else:
        await foreign.call_here(step, connection, extension=extension)
    record = {"name": name, "now": datetime.now(UTC).isoformat(timespec="seconds")}
    await connection.execute("INSERT INTO llms_migrations (name, applied_at) VALUES (:name, :now)", record)
