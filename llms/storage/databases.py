"""The databases of one App, one for each extension, none of them open before it is used."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from llms.kernel.paths import Home, is_plain_name
from llms.storage import file
from llms.storage.errors import StorageError

if TYPE_CHECKING:
    from llms.storage.engine import Database

_LONGEST_SCHEMA = 63  # bytes; PostgreSQL cuts off the rest


class Databases:
    """Opens, closes and deletes them. Without `url` each is a SQLite file below `home`; with that of a PostgreSQL
    database (`postgresql://user:password@host/name`) each is a schema in it.

    `close` may be called twice; afterwards `open` raises StorageError.
    """

    def __init__(self, home: Home, url: str | None = None) -> None:
        self._home = home
        self._url = url
        self._is_open = True
        self._databases: dict[str, Database] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def open(self, extension: str) -> Database:
        """The database of `extension`, made if it is missing: the same object until it is closed.

        Raises StorageError if it cannot be had.
        """
        self._require_open()
        async with self._locks[extension]:
            if extension not in self._databases:
                database = await self._make(extension)
                if not self._is_open:  # closed meanwhile: nobody else would close this one
                    await database.close()
                self._require_open()
                self._databases[extension] = database
            return self._databases[extension]

    async def release(self, extension: str) -> None:
        """Closes the database of `extension`. Its data stays, and the next `open` finds it."""
        async with self._locks[extension]:
            await self._close(extension)

    async def erase(self, extension: str) -> None:
        """Deletes all that `extension` has stored in its database. It may be damaged, or not be there."""
        self._require_open()
        async with self._locks[extension]:
            await self._close(extension)
            if self._url is None:
                await asyncio.to_thread(file.remove, self._file(extension))
                return
            from llms.storage.engine import PostgresDatabase

            database = await PostgresDatabase.open(self._url, _schema(extension))
            try:
                await database.drop()
            finally:
                await database.close()

    async def close(self) -> None:
        """Closes them all."""
        self._is_open = False
        for extension in list(self._databases):
            await self.release(extension)

    async def _close(self, extension: str) -> None:
        if database := self._databases.pop(extension, None):
            await database.close()

    async def _make(self, extension: str) -> Database:
        from llms.storage.engine import PostgresDatabase, SqliteDatabase

        if self._url is not None:
            return await PostgresDatabase.open(self._url, _schema(extension))
        self._home.prepare()
        return await SqliteDatabase.open(self._file(extension))

    def _file(self, extension: str) -> Path:
        return self._home.user("default") / _plain(extension) / f"{extension}.sqlite"

    def _require_open(self) -> None:
        if not self._is_open:
            raise StorageError("The databases are closed. Use them before the server stops.")


def _schema(extension: str) -> str:
    name = f"ext_{_plain(extension)}"
    return name if len(name.encode()) <= _LONGEST_SCHEMA else f"ext_{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _plain(extension: str) -> str:
    """`extension`, which becomes part of a path or a schema's name."""
    if not is_plain_name(extension):
        raise StorageError(f"Extension name {extension!r} cannot be used. Rename its folder to a plain name.")
    return extension
