"""SQL from names a caller sent: nothing that is not on the list ever gets in."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.db import order_by, select_columns, table_columns, valid_columns

COLUMNS = {"id": "INTEGER", "title": "TEXT", "order": "INTEGER"}
ATTACKS = [
    "id; DROP TABLE thread",
    "id) --",
    "id DESC, (SELECT 1)",
    "`id`",
    '"id"',
    "id desc",
    "(CASE WHEN 1 THEN id END)",
    "ID",
    "rowid",
    "*",
    "--id",
    "id\0",
]


def test_valid_columns_are_those_asked_for_that_are_allowed() -> None:
    assert valid_columns(COLUMNS, "title, id,nope,title") == ["title", "id"]
    assert valid_columns(COLUMNS, ["order", "nope"]) == ["order"]
    assert valid_columns(list(COLUMNS), {"title": "x", "nope": 1}) == ["title"]


@pytest.mark.parametrize("asked", [None, "", [], ",", " "])
def test_nothing_asked_for_is_nothing(asked: Any) -> None:
    assert valid_columns(COLUMNS, asked) == []
    assert order_by(COLUMNS, asked) == ""


def test_what_is_no_name_is_left_out() -> None:
    assert valid_columns(COLUMNS, ["id", 3, None, ["title"]]) == ["id"]
    assert order_by(COLUMNS, ["-id", 3, None]) == "ORDER BY `id` DESC"


def test_table_columns_is_the_list() -> None:
    assert table_columns(COLUMNS) == "`id`, `title`, `order`"


def test_select_columns_is_the_beginning_of_a_query() -> None:
    assert select_columns(COLUMNS, "title,id") == "SELECT `title`, `id`"
    assert select_columns(COLUMNS, "title", "distinct") == "SELECT DISTINCT `title`"


@pytest.mark.parametrize("asked", [None, "", "nope", []])
def test_a_selection_of_nothing_known_is_of_everything(asked: Any) -> None:
    assert select_columns(COLUMNS, asked) == "SELECT `id`, `title`, `order`"


@pytest.mark.parametrize("select", ["count(*) FROM secrets; --", "all", "distinct id,", ""])
def test_only_distinct_is_taken_from_select(select: str) -> None:
    assert select_columns(COLUMNS, "id", select) == "SELECT `id`"


def test_order_by_reads_a_minus_as_descending() -> None:
    assert order_by(COLUMNS, "-id,title") == "ORDER BY `id` DESC, `title`"
    assert order_by(COLUMNS, " order , -nope, nope") == "ORDER BY `order`"
    assert order_by(COLUMNS, "id,id") == "ORDER BY `id`"


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_gets_in(attack: str) -> None:
    assert valid_columns(COLUMNS, attack) == []
    assert valid_columns(COLUMNS, [attack]) == []
    assert order_by(COLUMNS, attack) == ""
    assert order_by(COLUMNS, f"-{attack}") == ""
    assert select_columns(COLUMNS, attack) == select_columns(COLUMNS)


@given(asked=st.text() | st.lists(st.text() | st.none() | st.integers()))
def test_whatever_is_asked_for_the_query_runs_and_means_columns(asked: Any) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE thread (id INTEGER, title TEXT, `order` INTEGER)")
        connection.execute("INSERT INTO thread VALUES (1, 'a', 2)")
        query = f"{select_columns(COLUMNS, asked, 'distinct')} FROM thread {order_by(COLUMNS, asked)}"
        [row] = connection.execute(query).fetchall()
        assert set(row) <= {1, "a", 2}


@given(name=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_an_allowed_name_may_hold_anything(name: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE thread ({table_columns([name])})")
        assert [column[1] for column in connection.execute("PRAGMA table_info(thread)")] == [name]


def test_a_column_that_the_table_lacks_is_an_error_and_no_string() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE thread (id INTEGER)")
        with pytest.raises(sqlite3.OperationalError, match="no such column: title"):
            connection.execute(f"{select_columns(COLUMNS)} FROM thread")
