"""What can be told of a text of SQL without running it."""

import re
import sqlite3
from collections.abc import Iterator

from llms.storage.errors import StorageError

_TRANSACTION = re.compile(
    r"(?:\s|;|--[^\n]*+|/\*(?>.*?\*/))*+(BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK)\b(?!\s+TO\b)",
    re.IGNORECASE | re.DOTALL,
)


def refuse_transactions(sql: str) -> None:
    """Raises StorageError if the first statement begins or ends a transaction: that is done around it."""
    if found := _TRANSACTION.match(sql):
        raise StorageError(f"{found[1].upper()} is done for you: take it out of the SQL.")


def split(script: str) -> Iterator[str]:
    """The statements of a script for SQLite. A `;` inside a string, a comment or a trigger ends none of them."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip(" \t\r\n;"):
        yield statement.removesuffix(";")
