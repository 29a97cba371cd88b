"""Rows as DTOs."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from llms.db import to_dto
from tests.storage.notes import Ctx


def test_json_columns_are_parsed_and_others_are_not() -> None:
    row = {"id": 1, "title": "[1]", "tags": '["a", {"b": null}]'}
    assert to_dto(Ctx(), row, ["tags", "missing"]) == {"id": 1, "title": "[1]", "tags": ["a", {"b": None}]}
    assert row["tags"] == '["a", {"b": null}]'


def test_a_row_of_sqlite_is_a_row_too() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        row = connection.execute("SELECT 1 AS id, '{\"a\": 1}' AS info").fetchone()
    assert to_dto(Ctx(), row, ["info"]) == {"id": 1, "info": {"a": 1}}


def test_no_row_is_no_dto() -> None:
    assert to_dto(Ctx(), None, ["tags"]) is None


@pytest.mark.parametrize(("value", "parsed"), [(None, None), ("", None), ("null", None), (3, 3), (["a"], ["a"])])
def test_what_needs_no_parsing_stays(value: Any, parsed: Any) -> None:
    ctx = Ctx()
    assert to_dto(ctx, {"tags": value}, ["tags"]) == {"tags": parsed}
    assert ctx.reported == []


@pytest.mark.parametrize("broken", ["{", "nope", b"\xff", "[" * 100_000])
def test_a_column_that_is_not_json_is_none_and_reported(broken: Any) -> None:
    ctx = Ctx()
    assert to_dto(ctx, {"id": 1, "tags": broken}, ["tags"]) == {"id": 1, "tags": None}
    assert [line.partition(":")[0] for line in ctx.reported] == ["Column tags does not hold JSON"]
