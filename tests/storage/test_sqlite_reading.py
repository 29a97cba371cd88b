"""`DbManager` reads, in every shape, and cannot write while it does."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from llms.db import DbManager
from llms.storage import file
from llms.storage.errors import StorageError
from tests.storage.notes import COLUMNS, TABLE, Ctx


@pytest.fixture(params=["0", "1"])
def filled(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, ctx: Ctx, path: Path
) -> Iterator[DbManager]:
    monkeypatch.setenv("LLMS_POOL", request.param)
    db = DbManager(ctx, path)
    with closing(db.create_writer_connection()) as connection:
        connection.executescript(f"{TABLE}; INSERT INTO thread (title, tags) VALUES ('a', '[1]'), ('b', NULL);")
    yield db
    db.close()


def test_reads_come_in_every_shape(filled: DbManager) -> None:
    both = "SELECT id, title FROM thread ORDER BY id"
    assert filled.all(both) == [{"id": 1, "title": "a"}, {"id": 2, "title": "b"}]
    assert filled.one(both) == {"id": 1, "title": "a"}
    assert filled.scalar(both) == 1
    assert filled.column(both) == [1, 2]
    assert filled.dict("SELECT title, id FROM thread") == {"a": 1, "b": 2}


def test_reads_of_nothing(filled: DbManager) -> None:
    nothing = "SELECT id, title FROM thread WHERE id = 9"
    assert filled.all(nothing) == []
    assert filled.one(nothing) is None
    assert filled.scalar(nothing) is None
    assert filled.column(nothing) == []
    assert filled.dict(nothing) == {}


def test_params_go_by_place_or_by_name(filled: DbManager) -> None:
    assert filled.scalar("SELECT id FROM thread WHERE title = ?", ["b"]) == 2
    assert filled.scalar("SELECT id FROM thread WHERE title = ?", ("b",)) == 2
    assert filled.scalar("SELECT id FROM thread WHERE title = :title", {"title": "b", "unused": 1}) == 2


@pytest.mark.parametrize("value", ["' OR 1=1 --", "'; DROP TABLE thread; --", '" OR ""="'])
def test_a_value_is_never_part_of_the_sql(filled: DbManager, value: str) -> None:
    assert filled.all("SELECT * FROM thread WHERE title = ?", [value]) == []
    assert filled.scalar("SELECT count(*) FROM thread") == 2


@pytest.mark.parametrize("sql", ["DELETE FROM thread", "INSERT INTO thread (title) VALUES ('x')", "DROP TABLE thread"])
def test_a_read_cannot_write(filled: DbManager, sql: str) -> None:
    with pytest.raises(StorageError, match=r"This only reads\. Use write\(\)"):
        filled.all(sql)
    with closing(filled.create_reader_connection()) as connection, pytest.raises(sqlite3.OperationalError):
        filled.exec(connection, sql)
    assert filled.scalar("SELECT count(*) FROM thread") == 2


@pytest.mark.parametrize(
    ("sql", "params"),
    [("SELEKT", None), ("SELECT ?", None), ("SELECT :a", {"b": 1}), ("SELECT ?", [2**70]), ("SELECT ?", [object()])],
)
def test_what_sqlite_refuses_says_so_with_the_fix(filled: DbManager, sql: str, params: Any) -> None:
    with pytest.raises(StorageError, match=r"notes\.sqlite refused the statement: .* Correct the SQL or its values\."):
        filled.all(sql, params)
    assert filled.scalar("SELECT count(*) FROM thread") == 2


def test_many_threads_read_at_once_while_one_writes(filled: DbManager) -> None:
    counts: list[int] = []

    def read() -> None:
        for _ in range(20):
            counts.append(len(filled.all("SELECT * FROM thread")))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for n in range(50):
        filled.insert("thread", COLUMNS, {"title": f"t{n}"})
    for thread in threads:
        thread.join()
    assert len(counts) == 120
    assert all(2 <= count <= 52 for count in counts)


@pytest.mark.parametrize(("pool", "expected"), [("1", 1), ("0", 3), ("", 3)])
def test_llms_pool_keeps_connections_for_the_next_read(
    monkeypatch: pytest.MonkeyPatch, ctx: Ctx, path: Path, pool: str, expected: int
) -> None:
    made: list[bool] = []
    connect = file.connect

    def counting(path: Path, *, reads_only: bool = False) -> sqlite3.Connection:
        made.append(reads_only)
        return connect(path, reads_only=reads_only)

    monkeypatch.setenv("LLMS_POOL", pool)
    monkeypatch.setattr("llms.storage.sqlite_readers.connect", counting)
    db = DbManager(ctx, path)
    assert [db.scalar("SELECT 1") for _ in range(3)] == [1, 1, 1]
    db.close()
    assert made == [True] * expected


def test_rows_of_a_connection_go_by_index_and_by_name(filled: DbManager) -> None:
    with closing(filled.create_reader_connection()) as connection:
        row = filled.exec(connection, "SELECT id, title FROM thread WHERE title = ?", ["b"]).fetchone()
        assert (row[0], row["title"], dict(row)) == (2, "b", {"id": 2, "title": "b"})
