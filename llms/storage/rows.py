"""Rows as the outside sees them, and values as a row holds them."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Protocol

from llms.kernel.types import Json
from llms.storage.errors import StorageError


class Reporter(Protocol):
    """What of an extension's `ctx` is used here."""

    @property
    def name(self) -> str: ...

    def err(self, message: str, e: BaseException | None) -> Any: ...


def to_dto(ctx: Reporter, row: Mapping[str, Any] | sqlite3.Row | None, json_columns: Iterable[str]) -> Json | None:
    """`row` as a dict, its `json_columns` parsed. One that cannot be parsed becomes None, which is reported to `ctx`.

    None for no row.
    """
    if row is None:
        return None
    found = {key: row[key] for key in row.keys()}  # noqa: SIM118 - a sqlite3.Row goes through its values
    for column in json_columns:
        if isinstance(found.get(column), str | bytes):
            found[column] = _parsed(ctx, column, found[column])
    return found


def _parsed(ctx: Reporter, column: str, text: str | bytes) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        ctx.err(f"Column {column} does not hold JSON", error)
        return None


def to_value(value: Any) -> Any:
    """`value` as a column can hold it: a dict, list or tuple as JSON, a date as ISO 8601, anything else as it is."""
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if not isinstance(value, dict | list | tuple):
        return value
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise StorageError(f"A value cannot be stored as JSON: {error}. Give what json.dumps accepts.") from error
