"""Where the data lies, when it is opened, and what is said when it cannot be."""

import asyncio
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home
from llms.storage import engine, file
from llms.storage.databases import Databases
from llms.storage.errors import StorageError
from llms.storage.store import Store


@pytest.fixture
def path(home: Home) -> Path:
    return home.root / "user/default/notes/notes.sqlite"


# -- where and when ------------------------------------------------------------------------------------------


async def test_sqlite_lies_where_the_extension_keeps_its_files(home: Home, sqlite: Databases, path: Path) -> None:
    await Store(sqlite, extension="notes").set("k", 1)
    assert [found.name for found in path.parent.glob("*.sqlite")] == ["notes.sqlite"]


async def test_nothing_is_opened_or_made_before_its_use(home: Home, databases: Databases) -> None:
    store = Store(databases, extension="notes")
    store.sql({"m1": "CREATE TABLE item (name TEXT)"})
    await databases.release("notes")
    assert not home.root.exists()


async def test_the_data_is_for_its_owner_alone(home: Home, sqlite: Databases, path: Path) -> None:
    await Store(sqlite, extension="notes").set("k", 1)
    assert sorted(found.name for found in path.parent.iterdir()) == [path.name, f"{path.name}-shm", f"{path.name}-wal"]
    assert {found.stat().st_mode & 0o777 for found in path.parent.iterdir()} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert home.root.stat().st_mode & 0o777 == 0o700


async def test_sqlite_guards_references_and_lets_readers_read(sqlite: Databases) -> None:
    sql = Store(sqlite, extension="notes").sql()
    assert await sql.scalar("PRAGMA foreign_keys") == 1
    assert await sql.scalar("PRAGMA journal_mode") == "wal"
    assert await sql.scalar("PRAGMA busy_timeout") == 10_000


async def test_postgresql_keeps_each_extension_in_a_schema(home: Home, postgres_url: str) -> None:
    databases = Databases(home, postgres_url)
    await Store(databases, extension="notes").set("k", 1)
    assert await Store(databases, extension="notes").sql().scalar("SELECT current_schema()") == "ext_notes"
    assert await Store(databases, extension="n" * 60).sql().scalar("SELECT length(current_schema())") == 36
    assert not home.root.exists()
    await databases.close()


def test_sqlalchemy_is_imported_only_with_the_first_use() -> None:
    program = "import sys, llms.storage.store, llms.storage.sqlite; print([m for m in sys.modules if 'sqlal' in m])"
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout == "[]\n"


# -- closing and deleting ------------------------------------------------------------------------------------


async def test_closing_twice_is_closing_once_and_then_nothing_works(databases: Databases) -> None:
    store = Store(databases, extension="notes")
    sql = store.sql()
    await store.set("k", 1)
    await databases.close()
    await databases.close()
    for use in (store.get("k"), sql.all("SELECT 1"), databases.erase("notes")):
        with pytest.raises(StorageError, match=r"closed\. Use them before the server stops\."):
            await use


async def test_a_transaction_that_is_open_while_all_is_closed_harms_nobody(databases: Databases) -> None:
    sql = Store(databases, extension="notes").sql({"m1": "CREATE TABLE item (name TEXT)"})
    async with sql.transaction() as connection:
        await databases.close()
        await connection.execute("INSERT INTO item VALUES ('a')")


async def test_closing_while_one_is_being_opened_leaves_none_open(databases: Databases) -> None:
    opening = asyncio.create_task(databases.open("notes"))
    await asyncio.sleep(0)
    await databases.close()
    with pytest.raises(StorageError, match="closed"):
        await opening


async def test_erasing_deletes_all_of_one_extension_and_nothing_else(home: Home, databases: Databases) -> None:
    store, other = Store(databases, extension="notes"), Store(databases, extension="other")
    sql = store.sql({"m1": "CREATE TABLE item (name TEXT)"})
    await sql.execute("INSERT INTO item VALUES ('a')")
    for each in (store, other):
        await each.set("k", 1)
    await databases.erase("notes")
    assert not (home.root / "user/default/notes").exists()
    assert await store.get("k") is None
    assert await sql.all("SELECT * FROM item") == []
    assert await other.get("k") == 1


async def test_erasing_what_was_never_there_does_nothing(databases: Databases) -> None:
    await databases.erase("notes")
    await databases.erase("notes")


async def test_erasing_leaves_other_files_of_the_extension(home: Home, sqlite: Databases, path: Path) -> None:
    await Store(sqlite, extension="notes").set("k", 1)
    path.with_name("prompts.json").write_text("{}")
    await sqlite.erase("notes")
    assert [found.name for found in path.parent.iterdir()] == ["prompts.json"]


async def test_no_name_leads_erasing_elsewhere(home: Home, sqlite: Databases) -> None:
    home.prepare()
    for name in ("..", "../..", "", "/"):
        with pytest.raises(StorageError, match="cannot be used"):
            await sqlite.erase(name)
    assert home.root.exists()


# -- failures ------------------------------------------------------------------------------------------------


def _damage(path: Path) -> None:
    path.write_bytes(b"this is no database, but long enough to look at" * 100)


def _tear(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE a (b); CREATE TABLE llms_migrations (name, applied_at)")
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


@pytest.mark.parametrize("spoil", [_damage, _tear])
async def test_a_damaged_file_says_so_and_can_be_erased(
    sqlite: Databases, path: Path, spoil: Callable[[Path], None]
) -> None:
    path.parent.mkdir(parents=True)
    spoil(path)
    store = Store(sqlite, extension="notes")
    with pytest.raises(StorageError, match=r"notes\.sqlite is damaged .* Put a backup in its place, or move it away"):
        await store.get("k")
    await sqlite.erase("notes")
    await store.set("k", 1)
    assert await store.get("k") == 1


async def test_a_full_disk_says_so_and_harms_nothing(sqlite: Databases) -> None:
    sql = Store(sqlite, extension="notes").sql({"m1": "CREATE TABLE item (name TEXT)"})
    await sql.execute("INSERT INTO item VALUES ('before')")
    with pytest.raises(StorageError, match=r"the disk is full\. Free some disk space, then retry\."):
        async with sql.transaction() as connection:
            await connection.scalar("PRAGMA max_page_count = 10")  # as if there were no room for more
            await connection.execute("INSERT INTO item VALUES (:name)", {"name": "x" * 100_000})
    assert await sql.all("SELECT * FROM item") == [{"name": "before"}]


async def test_a_file_that_another_program_holds_says_so(
    sqlite: Databases, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT", 0.05)
    store = Store(sqlite, extension="notes")
    await store.set("k", 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match=r"has been locked .* End that, then retry\."):
            await store.set("k", 2)
        assert await store.get("k") == 1  # reading goes on
        other.execute("ROLLBACK")
    await store.set("k", 3)


def block(path: Path) -> None:
    """Puts a folder where a file should be."""
    path.mkdir(parents=True)


async def test_a_place_that_cannot_be_written_says_so(sqlite: Databases, path: Path) -> None:
    block(path)
    with pytest.raises(StorageError, match=r"notes\.sqlite cannot be written: Is a directory.* set LLMS_HOME"):
        await Store(sqlite, extension="notes").get("k")
    await asyncio.to_thread(path.rmdir)
    assert await Store(sqlite, extension="notes").get("k") is None


async def test_a_folder_that_cannot_be_made_says_so(home: Home, sqlite: Databases) -> None:
    block(home.root)
    (home.root / "user").write_text("in the way")
    with pytest.raises(StorageError, match=r"user/default.* cannot be written: Not a directory.* set LLMS_HOME"):
        await Store(sqlite, extension="notes").get("k")


async def test_several_that_begin_with_a_new_file_at_once_all_get_it(path: Path) -> None:
    path.parent.mkdir(parents=True)
    await asyncio.gather(*(asyncio.to_thread(file.prepare, path) for _ in range(8)))
    with closing(file.connect(path, reads_only=True)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


@pytest.mark.parametrize("url", ["sqlite:///x", "mysql://u:s3cret@h/d", "s3cret", "", "postgresql://u:s3cret@h:port/d"])
async def test_a_url_that_is_not_postgresqls_is_refused_without_being_told(home: Home, url: str) -> None:
    with pytest.raises(ConfigError, match="database_url is no") as told:
        await Databases(home, url).open("notes")
    assert "s3cret" not in str(told.value)


async def test_a_server_that_is_not_there_says_so_without_the_password(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(StorageError, match=r"'d' on 127\.0\.0\.1 cannot be reached: .* Start it, or correct") as told:
        await Databases(home, f"postgresql://u:s3cret@127.0.0.1:{port}/d").open("notes")
    assert "s3cret" not in str(told.value)


async def test_a_database_that_is_not_there_says_so(home: Home, postgres: str) -> None:
    with pytest.raises(StorageError, match='"nowhere" does not exist'):
        await Databases(home, postgres.replace("/postgres?", "/nowhere?")).open("notes")


async def test_a_missing_driver_says_what_to_install(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(StorageError, match="Install it: pip install asyncpg"):
        await Databases(home, "postgresql://u@127.0.0.1/d").open("notes")


async def test_after_a_restart_of_postgresql_the_next_use_works(home: Home, postgres_url: str) -> None:
    databases = Databases(home, postgres_url)
    sql = Store(databases, extension="notes").sql()
    process = await sql.scalar("SELECT pg_backend_pid()")
    other = Store(databases, extension="other").sql()
    assert await other.scalar("SELECT pg_terminate_backend(:process)", {"process": process}) is True
    assert await sql.scalar("SELECT 1") == 1
    await databases.close()
