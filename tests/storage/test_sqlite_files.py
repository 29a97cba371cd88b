"""The file of a `DbManager`: made, shared, closed, broken, and whole after kill -9."""

import asyncio
import gc
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from llms.db import DbManager
from llms.kernel.paths import Home
from llms.storage import file
from llms.storage.databases import Databases
from llms.storage.errors import StorageError
from llms.storage.store import Store
from tests.storage.notes import COLUMNS, TABLE, Answers, Ctx, added


def test_the_file_and_its_folder_are_for_their_owner_alone(db: DbManager, path: Path) -> None:
    added(db, title="a")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {found.stat().st_mode & 0o777 for found in path.parent.iterdir()} == {0o600}
    with closing(db.create_reader_connection()) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


@pytest.mark.parametrize("name", ["a b%20?mode=memory#x.sqlite", "ünï'\"`.sqlite", "100%.sqlite"])
def test_a_file_may_have_any_name(ctx: Ctx, tmp_path: Path, name: str) -> None:
    db = DbManager(ctx, tmp_path / name)
    db.write("CREATE TABLE t (a)")
    db.close()
    with closing(sqlite3.connect(tmp_path / name)) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_closing_waits_for_what_was_queued(db: DbManager, path: Path) -> None:
    for n in range(200):
        db.insert("thread", COLUMNS, {"title": f"t{n}"})
    db.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM thread").fetchone() == (200,)


def test_after_closing_everything_says_so(db: DbManager) -> None:
    db.close()
    db.close()
    uses: list[Callable[[], Any]] = [
        lambda: db.write("SELECT 1"),
        lambda: db.insert("thread", COLUMNS, {}),
        lambda: db.update("thread", COLUMNS, {"id": 1}),
        lambda: db.all("SELECT 1"),
        lambda: db.one("SELECT 1"),
        lambda: db.scalar("SELECT 1"),
        lambda: db.column("SELECT 1"),
        lambda: db.dict("SELECT 1, 2"),
        db.create_reader_connection,
        db.create_writer_connection,
    ]
    for use in uses:
        with pytest.raises(StorageError, match=r"notes\.sqlite is closed\. Use it before"):
            use()


def test_closing_from_a_callback_does_not_hang(db: DbManager) -> None:
    closed = threading.Event()

    def callback(*_: Any) -> None:
        db.close()
        closed.set()

    db.write("INSERT INTO thread (title) VALUES ('a')", None, callback)
    assert closed.wait(30)


def test_closing_ends_the_thread(db: DbManager) -> None:
    added(db, title="a")
    assert [thread for thread in threading.enumerate() if thread.name == "llms-notes-writer"]
    db.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "llms-notes-writer"]


def test_one_that_nobody_holds_any_more_writes_the_rest_and_ends(ctx: Ctx, path: Path) -> None:
    db = DbManager(ctx, path)
    db.write("CREATE TABLE t (a)")
    db.write("INSERT INTO t VALUES (1)")
    del db
    gc.collect()
    assert not [thread for thread in threading.enumerate() if thread.name == "llms-notes-writer"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT a FROM t").fetchall() == [(1,)]


def test_nothing_runs_before_the_first_write(ctx: Ctx, path: Path) -> None:
    db = DbManager(ctx, path)
    assert db.scalar("SELECT 1") == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "llms-notes-writer"]
    db.close()


def test_a_clone_shares_the_writer_and_leaves_it_open(db: DbManager, ctx: Ctx, path: Path) -> None:
    clone = DbManager(ctx, path, clone=db)
    assert added(clone, title="a") == 1
    assert added(db, title="b") == 2
    assert len([thread for thread in threading.enumerate() if thread.name == "llms-notes-writer"]) == 1
    clone.close()
    with pytest.raises(StorageError, match="closed"):
        clone.all("SELECT 1")
    assert added(db, title="c") == 3


def test_a_clone_ends_with_its_original(db: DbManager, ctx: Ctx, path: Path) -> None:
    clone = DbManager(ctx, path, db)
    db.close()
    with pytest.raises(StorageError, match="closed"):
        clone.write("SELECT 1")
    with pytest.raises(StorageError, match="closed"):
        clone.all("SELECT 1")


def test_a_clone_of_another_file_is_refused(db: DbManager, ctx: Ctx, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Leave `clone` out"):
        DbManager(ctx, tmp_path / "other.sqlite", clone=db)


def test_a_damaged_file_says_so(ctx: Ctx, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match=r"notes\.sqlite is damaged .* Put a backup in its place"):
        DbManager(ctx, path)


def test_a_place_that_cannot_be_written_says_so(ctx: Ctx, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file cannot be written: File exists"):
        DbManager(ctx, tmp_path / "file" / "a.sqlite")


def test_a_full_disk_says_so_and_writing_goes_on_when_there_is_room(db: DbManager) -> None:
    answers = Answers()
    db.write("PRAGMA max_page_count = 8", None, answers)
    db.write("INSERT INTO thread (title) VALUES (?)", ("x" * 100_000,), answers)
    db.write("PRAGMA max_page_count = 1000", None, answers)
    db.write("INSERT INTO thread (title) VALUES (?)", ("x" * 100_000,), answers)
    told = answers.wait(4)
    assert "the disk is full. Free some disk space, then retry." in str(told[1][2])
    assert told[3][1:] == (1, None)


def test_a_file_that_another_program_holds_says_so(ctx: Ctx, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "BUSY_TIMEOUT", 0.05)
    db = DbManager(ctx, path)
    answers = Answers()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        db.write("CREATE TABLE t (a)", None, answers)
        assert "has been locked" in str(answers.wait()[0][2])
        assert db.scalar("SELECT 1") == 1
    db.write("CREATE TABLE t (a)", None, answers)
    assert answers.wait()[1][2] is None
    db.close()


_WRITING = """
import sys
from llms.db import DbManager

class Ctx:
    name = "notes"
    def err(self, message, e): print(message, e, file=sys.stderr, flush=True)

db = DbManager(Ctx(), sys.argv[1])
db.write("CREATE TABLE t (n INTEGER)")
for n in range(int(sys.argv[2])):
    db.write("INSERT INTO t VALUES (?)", (n,), lambda lastrowid, rowcount, error=None: print(lastrowid, flush=True))
"""


def test_what_was_committed_survives_kill_9(path: Path) -> None:
    command = [sys.executable, "-c", f"{_WRITING}\nsys.stdin.read()", str(path), "100000"]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(200)]
        process.kill()
        told += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    db = DbManager(Ctx(), path)
    assert db.scalar("PRAGMA integrity_check") == "ok"
    kept = db.column("SELECT n FROM t ORDER BY n")
    assert kept == list(range(len(kept)))
    assert len(kept) >= len(told) >= 200
    db.close()


def test_a_process_that_closes_nothing_still_writes_the_rest_and_ends(path: Path) -> None:
    command = [sys.executable, "-c", _WRITING, str(path), "300"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (300,)


def test_two_processes_write_to_one_file(path: Path) -> None:
    program = _WRITING.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS")
    command = [sys.executable, "-c", program, str(path), "100"]
    started = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in "ab"]
    assert [process.communicate(timeout=60)[1] for process in started] == ["", ""]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (200,)


def test_it_is_one_file_with_the_extensions_store(tmp_path: Path, ctx: Ctx) -> None:
    async def both() -> None:
        databases = Databases(Home(tmp_path))
        store = Store(databases, extension="notes")
        await store.set("k", 1)
        db = DbManager(ctx, tmp_path / "user/default/notes/notes.sqlite")
        await asyncio.to_thread(db.write, TABLE)
        await db.insert_async("thread", COLUMNS, {"title": "a"})
        assert await store.sql().scalar("SELECT title FROM thread") == "a"
        assert await store.get("k") == 1
        db.close()
        await databases.close()

    asyncio.run(both())
