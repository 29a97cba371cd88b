"""Façade: the SQLite helpers that extensions import from `llms.db`. No logic lives here."""

from llms.storage.columns import order_by, select_columns, table_columns, valid_columns
from llms.storage.rows import to_dto
from llms.storage.sqlite import DbManager
from llms.storage.tokens import count_tokens_approx

__all__ = [
    "DbManager",
    "count_tokens_approx",
    "order_by",
    "select_columns",
    "table_columns",
    "to_dto",
    "valid_columns",
]
