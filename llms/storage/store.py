"""`ctx.store`: what one extension remembers."""

from __future__ import annotations

import json
from typing import Any

from llms.storage.databases import Databases
from llms.storage.errors import StorageError
from llms.storage.migrations import Migrations, read
from llms.storage.sql import Sql

LONGEST_KEY = 500  # characters; PostgreSQL indexes no more than some 2,700 bytes
_TABLE = """
CREATE TABLE llms_store (
    owner TEXT NOT NULL,  -- a user's name; '' is what belongs to nobody
    key TEXT NOT NULL,
    value TEXT NOT NULL,  -- JSON
    PRIMARY KEY (owner, key)
)
"""
_SET = """
INSERT INTO llms_store (owner, key, value) VALUES (:owner, :key, :value)
ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value
"""


class Store:
    """Values by key, and SQL tables, seen by no other extension. Nothing is opened before the first use.

    A value is anything that JSON can say. With `user` a key belongs to that user, and is not the same key as without.
    Tables of the extension's own are called anything that does not begin with `llms_`. Everything raises StorageError.
    """

    def __init__(self, databases: Databases, *, extension: str) -> None:
        self._databases = databases
        self._extension = extension
        self._values = Sql(databases, extension=extension, migrations=(("llms: keys and values", _TABLE),))

    async def get(self, key: str, default: Any = None, *, user: str | None = None) -> Any:
        """The value of `key`; `default` if it was never set."""
        sql = "SELECT value FROM llms_store WHERE owner = :owner AND key = :key"
        found = await self._values.scalar(sql, {"owner": _owner(user), "key": _checked(key)})
        return default if found is None else json.loads(found)

    async def set(self, key: str, value: Any, *, user: str | None = None) -> None:
        """From now on, whatever happens, `key` has this value."""
        await self._values.execute(_SET, {"owner": _owner(user), "key": _checked(key), "value": _to_json(key, value)})

    async def delete(self, key: str, *, user: str | None = None) -> bool:
        """Whether there was such a key; now there is none."""
        sql = "DELETE FROM llms_store WHERE owner = :owner AND key = :key"
        return await self._values.execute(sql, {"owner": _owner(user), "key": _checked(key)}) > 0

    async def keys(self, prefix: str = "", *, user: str | None = None) -> list[str]:
        """The keys that begin with `prefix`, sorted."""
        sql = "SELECT key FROM llms_store WHERE owner = :owner AND substr(key, 1, :length) = :prefix"
        start = _checked(prefix) if prefix else ""
        rows = await self._values.all(sql, {"owner": _owner(user), "prefix": start, "length": len(start)})
        return sorted(row["key"] for row in rows)  # databases differ in what they sort by

    def sql(self, migrations: Migrations = ()) -> Sql:
        """The extension's own tables, which `migrations` make: a mapping or a list of (name, step), in order, where a
        step is SQL or an async function of a connection. What was applied once never runs again under that name.
        """
        return Sql(self._databases, extension=self._extension, migrations=read(migrations))

    async def close(self) -> None:
        """Lets go of the database; the next use opens it again."""
        await self._databases.release(self._extension)


def _owner(user: str | None) -> str:
    return "" if user is None else _checked(user, "user")


def _checked(name: Any, what: str = "key") -> str:
    """`name`, which every database can hold."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_KEY or "\0" in name or not _is_utf8(name):
        raise StorageError(f"{what} {name!r:.80} cannot be used. Give a text of 1 to {LONGEST_KEY} characters.")
    return name


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _to_json(key: str, value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise StorageError(f"The value of key {key!r} is not JSON: {error}. Give what json.dumps accepts.") from error
