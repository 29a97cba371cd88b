"""Migrations: each once, whole or not at all, whoever starts at the same time."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llms.kernel.paths import Home
from llms.storage.connection import Connection
from llms.storage.databases import Databases
from llms.storage.errors import StorageError
from llms.storage.store import Store

TABLE = ("m1_table", "CREATE TABLE item (name TEXT)")
ROW = ("m2_row", "INSERT INTO item VALUES ('first')")


async def names(store: Store) -> list[str]:
    return [row["name"] for row in await store.sql().all("SELECT name FROM llms_migrations ORDER BY applied_at, name")]


async def test_they_run_in_order_and_are_recorded(store: Store) -> None:
    sql = store.sql([TABLE, ROW])
    assert await sql.scalar("SELECT name FROM item") == "first"
    assert await names(store) == ["m1_table", "m2_row"]


async def test_what_ran_once_never_runs_again(home: Home, url: str | None) -> None:
    for _ in range(2):
        databases = Databases(home, url)
        assert await Store(databases, extension="notes").sql([TABLE, ROW]).scalar("SELECT count(*) FROM item") == 1
        await databases.close()


async def test_a_new_version_adds_only_what_is_new(databases: Databases) -> None:
    assert await Store(databases, extension="notes").sql([TABLE]).all("SELECT * FROM item") == []
    later = Store(databases, extension="notes").sql([TABLE, ("m3_size", "ALTER TABLE item ADD COLUMN size INTEGER")])
    assert await later.execute("INSERT INTO item (name, size) VALUES ('a', 1)") == 1


async def test_a_step_may_be_a_function_of_the_transaction(store: Store) -> None:
    async def name_all(connection: Connection) -> None:
        for row in await connection.all("SELECT name FROM item"):
            await connection.execute("UPDATE item SET name = :name", {"name": row["name"].upper()})

    assert await store.sql([TABLE, ROW, ("m3_upper", name_all)]).scalar("SELECT name FROM item") == "FIRST"


async def test_one_that_fails_leaves_nothing_and_is_named(store: Store) -> None:
    bad = ("m2_bad", "CREATE TABLE other (name TEXT); INSERT INTO item VALUES ('half'); INSERT INTO nowhere VALUES (1)")
    with pytest.raises(StorageError, match=r"Migration 'm2_bad' of extension 'notes' failed and was undone: .*nowhere"):
        await store.sql([TABLE, bad]).all("SELECT * FROM item")
    assert await names(store) == ["m1_table"]
    assert await store.sql().all("SELECT * FROM item") == []
    with pytest.raises(StorageError, match="other"):
        await store.sql().all("SELECT * FROM other")


async def test_a_function_that_raises_leaves_nothing_and_is_named(store: Store) -> None:
    async def fail(connection: Connection) -> None:
        await connection.execute("INSERT INTO item VALUES ('half')")
        raise RuntimeError("boom")

    with pytest.raises(StorageError, match=r"'m2_fail' .* was undone: boom"):
        await store.sql([TABLE, ("m2_fail", fail)]).all("SELECT 1")
    assert await store.sql().all("SELECT * FROM item") == []


async def test_one_that_failed_is_tried_again_when_mended(databases: Databases) -> None:
    for step in ("SELEKT", "INSERT INTO item VALUES ('mended')"):
        sql = Store(databases, extension="notes").sql([TABLE, ("m2", step)])
        if step == "SELEKT":
            with pytest.raises(StorageError, match="SELEKT"):
                await sql.all("SELECT 1")
    assert await sql.scalar("SELECT name FROM item") == "mended"


async def test_a_failing_one_harms_neither_keys_nor_other_extensions(databases: Databases) -> None:
    store, other = Store(databases, extension="notes"), Store(databases, extension="other")
    with pytest.raises(StorageError):
        await store.sql({"m1": "SELEKT"}).all("SELECT 1")
    await store.set("k", 1)
    assert await store.get("k") == 1
    assert await other.sql([TABLE]).all("SELECT * FROM item") == []


async def test_first_uses_at_once_migrate_once(store: Store) -> None:
    sql, twin = store.sql([TABLE, ROW]), store.sql([TABLE, ROW])
    counts = await asyncio.gather(*(each.scalar("SELECT count(*) FROM item") for each in (sql, twin) * 10))
    assert counts == [1] * 20


async def test_a_step_that_begins_or_ends_its_transaction_is_refused(store: Store) -> None:
    with pytest.raises(StorageError, match="BEGIN is done for you"):
        await store.sql({"m1": "-- ours\nBEGIN; CREATE TABLE item (name TEXT); COMMIT;"}).all("SELECT 1")


async def test_a_step_cannot_commit_half_of_itself_on_sqlite(sqlite: Databases) -> None:
    store = Store(sqlite, extension="notes")
    with pytest.raises(StorageError, match="COMMIT is done for you"):
        await store.sql({"m1": "CREATE TABLE item (name TEXT); /* ; */ COMMIT; SELEKT"}).all("SELECT 1")
    assert await store.sql().scalar("SELECT count(*) FROM sqlite_master WHERE name = 'item'") == 0


async def test_a_step_that_uses_the_store_it_migrates_says_so_and_does_not_hang(store: Store) -> None:
    async def ask(_connection: Connection) -> None:
        await sql.all("SELECT 1")

    sql = store.sql({"m1": ask})
    with pytest.raises(StorageError, match="Use only the connection that it is given"):
        await asyncio.wait_for(sql.all("SELECT 1"), 30)


async def test_a_step_that_first_uses_the_keys_says_so_and_does_not_hang(store: Store) -> None:
    async def ask(_connection: Connection) -> None:
        await store.set("k", 1)

    with pytest.raises(StorageError, match="Use only the connection that it is given"):
        await asyncio.wait_for(store.sql({"m1": ask}).all("SELECT 1"), 30)


async def test_a_new_store_object_looks_for_migrations_once_per_open_database(sqlite: Databases) -> None:
    await Store(sqlite, extension="notes").set("k", 1)
    async with Store(sqlite, extension="notes").sql().transaction() as connection:  # holds the lock of whoever writes
        assert await connection.scalar("SELECT 1") == 1
        assert await asyncio.wait_for(Store(sqlite, extension="notes").get("k"), 5) == 1


async def test_a_script_may_hold_colons_quotes_and_triggers_on_sqlite(sqlite: Databases) -> None:
    script = """
        CREATE TABLE item (name TEXT DEFAULT 'a;b :c'); -- it's; a comment
        CREATE TABLE log (name TEXT);
        CREATE TRIGGER logged AFTER INSERT ON item BEGIN
            INSERT INTO log VALUES (new.name);
            INSERT INTO log VALUES ('12:30');
        END;
        INSERT INTO item DEFAULT VALUES
    """
    sql = Store(sqlite, extension="notes").sql({"m1": script})
    assert await sql.all("SELECT * FROM log") == [{"name": "a;b :c"}, {"name": "12:30"}]


async def test_a_script_may_hold_a_function_on_postgresql(home: Home, postgres_url: str) -> None:
    script = """
        CREATE TABLE item (name TEXT);
        CREATE FUNCTION fill() RETURNS void AS $$ BEGIN INSERT INTO item VALUES ('a:b;'); END $$ LANGUAGE plpgsql;
        SELECT fill();
    """
    databases = Databases(home, postgres_url)
    assert await Store(databases, extension="notes").sql({"m1": script}).scalar("SELECT name FROM item") == "a:b;"
    await databases.close()


@pytest.mark.parametrize(
    "migrations",
    [["m1"], [("m1",)], [("", "SELECT 1")], [("m1", None)], {"m1": 3}, {1: "SELECT 1"}, [("a", "b", "c")], "SELECT 1"],
)
def test_what_is_no_migration_is_refused_at_once(home: Home, migrations: Any) -> None:
    with pytest.raises(StorageError, match=r"is no migration\. Write \(name, SQL\)"):
        Store(Databases(home), extension="notes").sql(migrations)


def test_two_of_one_name_are_refused_at_once(home: Home) -> None:
    with pytest.raises(StorageError, match=r"Two migrations are called 'm1'\. Rename the later one\."):
        Store(Databases(home), extension="notes").sql([("m1", "SELECT 1"), ("m1", "SELECT 2")])


_STARTING = """
import asyncio, sys
from pathlib import Path
from llms.kernel.paths import Home
from llms.storage.databases import Databases
from llms.storage.store import Store

MIGRATIONS = {f"m{n}": f"CREATE TABLE t{n} (a TEXT); INSERT INTO t{n} VALUES ('x')" for n in range(20)}

async def main(home, url=None):
    databases = Databases(Home(Path(home)), url)
    store = Store(databases, extension="notes")
    sql = store.sql(MIGRATIONS)
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(20):
        assert await sql.scalar(f"SELECT count(*) FROM t{n}") == 1
    await store.set("k", 1)
    await databases.close()

asyncio.run(main(*sys.argv[1:]))
"""


def test_processes_that_start_together_migrate_once(home: Home, url: str | None, tmp_path: Path) -> None:
    program = tmp_path / "starting.py"
    program.write_text(_STARTING)
    command = [sys.executable, str(program), str(home.root), *([url] if url else [])]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, **pipes) for _ in range(3)]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], told
