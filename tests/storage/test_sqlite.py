"""`DbManager` writes: in order, each committed, none lost, on real files."""

import asyncio
import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest

from llms.db import DbManager
from llms.storage.errors import StorageConflict, StorageError
from tests.storage.notes import COLUMNS, Answers, Ctx, added


def test_a_write_is_there_when_its_callback_is_called(db: DbManager) -> None:
    seen: list[Any] = []
    done = threading.Event()

    def callback(lastrowid: int, rowcount: int, error: Exception | None = None) -> None:
        seen.append((lastrowid, rowcount, error, db.scalar("SELECT title FROM thread WHERE id = ?", [lastrowid])))
        done.set()

    db.write("INSERT INTO thread (title) VALUES (?)", ("a",), callback)
    assert done.wait(30)
    assert seen == [(1, 1, None, "a")]


def test_writes_happen_in_their_order_on_one_thread(db: DbManager) -> None:
    threads: list[threading.Thread] = []
    answers = Answers()

    def callback(lastrowid: int, rowcount: int, error: Exception | None = None) -> None:
        threads.append(threading.current_thread())
        answers(lastrowid, rowcount, error)

    for n in range(50):
        db.write("INSERT INTO thread (title) VALUES (:title)", {"title": f"t{n}"}, callback)
    assert [lastrowid for lastrowid, _, _ in answers.wait(50)] == list(range(1, 51))
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()


def test_a_write_from_any_thread_gets_in(db: DbManager) -> None:
    def add(start: int) -> None:
        for n in range(start, start + 50):
            db.insert("thread", COLUMNS, {"title": f"t{n}"})

    threads = [threading.Thread(target=add, args=(start,)) for start in range(0, 200, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = Answers()
    db.write("SELECT 1", None, answers)
    answers.wait()
    assert db.scalar("SELECT count(*) FROM thread") == 200


def test_a_failed_write_tells_its_callback_and_the_next_one_works(db: DbManager, ctx: Ctx) -> None:
    answers = Answers()
    db.write("INSERT INTO nowhere VALUES (1)", (), answers)
    db.write("INSERT INTO thread (title) VALUES (?)", (object(),), answers)
    db.write("INSERT INTO thread (title) VALUES (?)", ("\ud800",), answers)
    db.write("INSERT INTO thread (id) VALUES (?)", (2**70,), answers)
    db.write("INSERT INTO thread (title) VALUES (?)", 3, answers)  # type: ignore[arg-type]
    db.write("INSERT INTO thread (title) VALUES (?)", ("a",), answers)
    told = answers.wait(6)
    assert [(lastrowid, rowcount) for lastrowid, rowcount, _ in told] == [(None, 0)] * 5 + [(1, 1)]
    assert all(isinstance(error, Exception) for _, _, error in told[:5])
    assert "no such table: nowhere" in str(told[0][2])
    assert ctx.reported == []


def test_a_failed_write_without_a_callback_is_reported(db: DbManager, ctx: Ctx) -> None:
    db.write("INSERT INTO nowhere VALUES (1)")
    db.close()
    assert len(ctx.reported) == 1
    assert "A write failed: " in ctx.reported[0]
    assert "no such table: nowhere" in ctx.reported[0]


def test_a_row_that_breaks_a_rule_is_a_conflict(db: DbManager) -> None:
    added(db, title="a")
    answers = Answers()
    db.insert("thread", COLUMNS, {"title": "a"}, answers)
    assert isinstance(answers.wait()[0][2], StorageConflict)


def test_a_callback_that_raises_is_reported_and_writing_goes_on(db: DbManager, ctx: Ctx) -> None:
    def bad(*_: Any, **__: Any) -> None:
        raise SystemExit("boom")

    db.write("INSERT INTO thread (title) VALUES ('a')", None, bad)
    db.write("SELEKT", None, bad)
    db.write("SELEKT", None, lambda _lastrowid, _rowcount: None)  # takes no error
    assert added(db, title="b") == 2
    assert ctx.reported[0] == "The callback of a write failed: boom"
    assert "SELEKT" in ctx.reported[1]
    assert "boom" in ctx.reported[1]
    assert len(ctx.reported) == 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_callback_that_ends_the_thread_does_not_end_writing(db: DbManager) -> None:
    def bad(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    db.write("INSERT INTO thread (title) VALUES ('a')", None, bad)
    for thread in threading.enumerate():
        if thread.name == "llms-notes-writer":
            thread.join(30)
    assert added(db, title="b") == 2


def test_a_write_may_give_rows_and_is_committed_all_the_same(db: DbManager) -> None:
    answers = Answers()
    db.write("INSERT INTO thread (title) VALUES ('a'), ('b') RETURNING id", None, answers)
    answers.wait()
    assert db.column("SELECT title FROM thread ORDER BY id") == ["a", "b"]


def test_what_no_transaction_may_hold_can_be_written(db: DbManager) -> None:
    answers = Answers()
    db.write("VACUUM", None, answers)
    assert answers.wait()[0][2] is None


@pytest.mark.parametrize("word", ["BEGIN", " commit", "-- a\nROLLBACK"])
def test_a_write_cannot_hold_up_the_others_with_a_transaction(db: DbManager, word: str) -> None:
    answers = Answers()
    db.write(word, None, answers)
    assert "is done for you" in str(answers.wait()[0][2])


# -- rows by their columns -----------------------------------------------------------------------------------


def test_insert_takes_the_columns_it_knows_and_no_others(db: DbManager) -> None:
    info = {"title": "a", "tags": ["x", {"y": 1}], "order": 2, "user": "eve", "title = 'z'; --": "b"}
    assert added(db, **info) == 1
    row = {"id": 1, "title": "a", "tags": '["x", {"y": 1}]', "order": 2}
    assert db.one("SELECT * FROM thread") == row


def test_update_changes_the_row_with_the_id_alone(db: DbManager) -> None:
    for title in ("a", "b"):
        added(db, title=title)
    answers = Answers()
    db.update("thread", COLUMNS, {"id": 2, "title": "c", "tags": {"k": 1}, "nope": 1}, answers)
    db.update("thread", COLUMNS, {"id": 3, "title": "d"}, answers)
    assert [rowcount for _, rowcount, _ in answers.wait(2)] == [1, 0]
    assert db.all("SELECT title, tags FROM thread ORDER BY id") == [
        {"title": "a", "tags": None},
        {"title": "c", "tags": '{"k": 1}'},
    ]


def test_a_row_of_nothing_is_a_row(db: DbManager) -> None:
    assert added(db) == 1


def test_an_update_of_nothing_tells_whether_the_row_is_there(db: DbManager) -> None:
    added(db, title="a")
    answers = Answers()
    db.update("thread", COLUMNS, {"id": 1, "nope": 2}, answers)
    db.update("thread", COLUMNS, {"id": 9}, answers)
    assert [rowcount for _, rowcount, _ in answers.wait(2)] == [1, 0]
    assert db.scalar("SELECT title FROM thread") == "a"


@pytest.mark.parametrize("info", [{"title": "a"}, {"id": None, "title": "a"}, {}])
def test_an_update_without_an_id_is_refused(db: DbManager, info: dict[str, Any]) -> None:
    with pytest.raises(StorageError, match="An update of thread needs the id of its row"):
        db.update("thread", COLUMNS, info)


@pytest.mark.parametrize("name", ["thread`; DROP TABLE thread; --", 'thread" --', "thread (title) VALUES ('x') --"])
def test_no_table_name_and_no_column_name_becomes_sql(db: DbManager, name: str) -> None:
    answers = Answers()
    db.insert(name, COLUMNS, {"title": "a"}, answers)
    db.insert("thread", [*COLUMNS, name], {name: "a"}, answers)
    db.update("thread", [*COLUMNS, name], {"id": 1, name: "a"}, answers)
    assert all(error is not None for _, _, error in answers.wait(3))
    assert db.scalar("SELECT count(*) FROM thread") == 0


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"a": [1]}, '{"a": [1]}'),
        ([], "[]"),
        ((1, 2), "[1, 2]"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        ("text", "text"),
        (None, None),
        (1.5, 1.5),
        (True, True),
        (b"x", b"x"),
    ],
)
def test_value_is_what_a_column_can_hold(db: DbManager, value: Any, stored: Any) -> None:
    assert db.value(value) == stored


def test_a_value_that_is_not_json_is_refused(db: DbManager) -> None:
    with pytest.raises(StorageError, match="cannot be stored as JSON"):
        db.insert("thread", COLUMNS, {"tags": [object()]})


async def test_insert_async_gives_the_id_once_it_is_committed(db: DbManager) -> None:
    assert await db.insert_async("thread", COLUMNS, {"title": "a"}) == 1
    assert db.scalar("SELECT title FROM thread WHERE id = 1") == "a"
    assert await db.update_async("thread", COLUMNS, {"id": 1, "title": "b"}) == 1
    assert db.scalar("SELECT title FROM thread WHERE id = 1") == "b"
    assert await db.update_async("thread", COLUMNS, {"id": 7, "title": "b"}) == 0


async def test_insert_async_raises_what_went_wrong(db: DbManager) -> None:
    await db.insert_async("thread", COLUMNS, {"title": "a"})
    with pytest.raises(StorageConflict, match="UNIQUE"):
        await db.insert_async("thread", COLUMNS, {"title": "a"})
    with pytest.raises(StorageError, match="no such table"):
        await db.update_async("nowhere", COLUMNS, {"id": 1, "title": "a"})


async def test_a_write_is_not_lost_when_nobody_waits_for_it_any_more(db: DbManager) -> None:
    task = asyncio.create_task(db.insert_async("thread", COLUMNS, {"title": "a"}))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await db.insert_async("thread", COLUMNS, {"title": "b"})
    assert db.column("SELECT title FROM thread ORDER BY id") == ["a", "b"]
