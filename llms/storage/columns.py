"""SQL for SQLite made from names that a caller sent: only those on an allow-list ever get into it.

Names are quoted with backticks: what SQLite finds in double quotes and does not know, it takes for a string.
"""

from collections.abc import Iterable

Names = str | Iterable[object] | None  # "id,title", or a list, or what has names as its keys


def valid_columns(all_columns: Iterable[str], fields: Names) -> list[str]:
    """Those of `fields` that are among `all_columns`, in the order asked for, each once. Others are left out."""
    allowed = set(all_columns)
    return [name for name in _names(fields) if name in allowed]


def table_columns(all_columns: Iterable[str]) -> str:
    """The columns as a list for SQL: "`id`, `title`"."""
    return ", ".join(map(quoted, all_columns))


def select_columns(all_columns: Iterable[str], fields: Names = None, select: str | None = None) -> str:
    """The beginning of a query, up to its FROM: "SELECT `id`, `title`". All columns where `fields` names none.

    `select` may be "distinct", in any case; anything else means an ordinary SELECT.
    """
    columns = list(all_columns)
    verb = "SELECT DISTINCT" if select is not None and select.strip().lower() == "distinct" else "SELECT"
    return f"{verb} {table_columns(valid_columns(columns, fields) or columns)}"


def order_by(all_columns: Iterable[str], sort: Names) -> str:
    """The ORDER BY that `sort` asks for: "-id,title" is by id, the largest first, then by title. "" if by nothing."""
    columns = set(all_columns)
    terms = [term for term in _names(sort) if term.removeprefix("-") in columns]
    order = ", ".join(quoted(term.removeprefix("-")) + (" DESC" if term.startswith("-") else "") for term in terms)
    return f"ORDER BY {order}" if order else ""


def _names(asked: Names) -> dict[str, None]:
    """The names in `asked`, each once."""
    names = asked.split(",") if isinstance(asked, str) else asked or ()
    return dict.fromkeys(name.strip() for name in names if isinstance(name, str))


def quoted(name: str) -> str:
    """`name` as an identifier, whatever is in it."""
    return "`" + name.replace("`", "``") + "`"
