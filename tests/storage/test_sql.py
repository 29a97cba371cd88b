"""`ctx.store.sql()`: an extension's own tables, the same on SQLite and PostgreSQL."""

import asyncio

import pytest
import sqlalchemy

from llms.storage.databases import Databases
from llms.storage.errors import StorageConflict, StorageError
from llms.storage.sql import Sql
from llms.storage.store import Store

MIGRATIONS = {
    "m001_shelves": "CREATE TABLE shelf (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "m002_books": """
        CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, shelf INTEGER NOT NULL REFERENCES shelf (id));
        CREATE INDEX book_title ON book (title);
    """,
}
INSERT = "INSERT INTO shelf (id, name) VALUES (:id, :name)"


@pytest.fixture
def sql(store: Store) -> Sql:
    return store.sql(MIGRATIONS)


async def test_rows_come_back_as_dicts(sql: Sql) -> None:
    assert await sql.execute(INSERT, {"id": 1, "name": "top"}) == 1
    assert await sql.all("SELECT id, name FROM shelf") == [{"id": 1, "name": "top"}]
    assert await sql.one("SELECT name FROM shelf WHERE id = :id", {"id": 1}) == {"name": "top"}
    assert await sql.scalar("SELECT count(*) FROM shelf") == 1


async def test_no_row_is_none(sql: Sql) -> None:
    assert await sql.all("SELECT * FROM shelf") == []
    assert await sql.one("SELECT * FROM shelf") is None
    assert await sql.scalar("SELECT name FROM shelf") is None


async def test_execute_tells_how_many_rows_it_changed(sql: Sql) -> None:
    await sql.execute_many(INSERT, [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
    assert await sql.execute("UPDATE shelf SET name = name || :more", {"more": "!"}) == 2
    assert await sql.execute("DELETE FROM shelf WHERE id = 3") == 0
    assert await sql.execute("CREATE TABLE other (id INTEGER)") == 0


async def test_a_statement_that_writes_may_give_rows(sql: Sql) -> None:
    assert await sql.scalar(INSERT + " RETURNING id", {"id": 9, "name": "a"}) == 9
    assert await sql.scalar("SELECT count(*) FROM shelf") == 1


@pytest.mark.parametrize("name", ["'; DROP TABLE shelf; --", '" OR 1=1', "%", "\\", ":id", "zwölf \U0001f600", ""])
async def test_a_value_is_never_part_of_the_sql(sql: Sql, name: str) -> None:
    await sql.execute(INSERT, {"id": 1, "name": name})
    assert await sql.all("SELECT id FROM shelf WHERE name = :name", {"name": name}) == [{"id": 1}]


async def test_statements_built_with_sqlalchemy_run_too(sql: Sql) -> None:
    shelf = sqlalchemy.table("shelf", sqlalchemy.column("id"), sqlalchemy.column("name"))
    assert await sql.execute(shelf.insert().values(id=1, name="a")) == 1
    assert await sql.all(sqlalchemy.select(shelf.c.name)) == [{"name": "a"}]


# -- transactions --------------------------------------------------------------------------------------------


async def test_a_transaction_is_kept_whole(sql: Sql) -> None:
    async with sql.transaction() as connection:
        await connection.execute(INSERT, {"id": 1, "name": "a"})
        assert await connection.one("SELECT name FROM shelf") == {"name": "a"}
        assert await connection.scalar("SELECT 1") == 1
        await connection.execute("INSERT INTO book VALUES (1, 'x', 1)")
    assert await sql.all("SELECT * FROM book") == [{"id": 1, "title": "x", "shelf": 1}]


async def test_an_error_undoes_the_whole_transaction_and_is_not_changed(sql: Sql) -> None:
    with pytest.raises(OSError, match="mine"):
        async with sql.transaction() as connection:
            await connection.execute(INSERT, {"id": 1, "name": "a"})
            raise OSError("mine")
    assert await sql.all("SELECT * FROM shelf") == []


async def test_making_a_table_is_undone_too(sql: Sql) -> None:
    with pytest.raises(ValueError, match="no"):
        async with sql.transaction() as connection:
            await connection.execute("CREATE TABLE other (id INTEGER)")
            raise ValueError("no")
    with pytest.raises(StorageError, match="other"):
        await sql.all("SELECT * FROM other")


async def test_a_cancelled_transaction_leaves_nothing_and_nothing_locked(sql: Sql) -> None:
    begun = asyncio.Event()

    async def write() -> None:
        async with sql.transaction() as connection:
            await connection.execute(INSERT, {"id": 1, "name": "a"})
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await sql.execute(INSERT, {"id": 1, "name": "b"}) == 1


async def test_what_is_not_committed_is_seen_by_nobody_else(sql: Sql) -> None:
    async with sql.transaction() as connection:
        await connection.execute(INSERT, {"id": 1, "name": "a"})
        assert await sql.scalar("SELECT count(*) FROM shelf") == 0
    assert await sql.scalar("SELECT count(*) FROM shelf") == 1


async def test_many_rows_are_all_or_none(sql: Sql) -> None:
    with pytest.raises(StorageConflict):
        await sql.execute_many(INSERT, [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}])
    assert await sql.all("SELECT * FROM shelf") == []


async def test_no_rows_to_add_is_nothing_to_do(sql: Sql) -> None:
    await sql.execute_many(INSERT, [])
    await sql.execute_many("INSERT INTO shelf VALUES (1, 'a')", [])
    assert await sql.all("SELECT * FROM shelf") == []


async def test_two_that_read_and_then_write_lose_no_update_on_sqlite(sqlite: Databases) -> None:
    sql = Store(sqlite, extension="counter").sql({"m1": "CREATE TABLE n (value INTEGER); INSERT INTO n VALUES (0);"})

    async def add_one() -> None:
        async with sql.transaction() as connection:
            value = await connection.scalar("SELECT value FROM n")
            await connection.execute("UPDATE n SET value = :value", {"value": value + 1})

    await asyncio.gather(*(add_one() for _ in range(20)))
    assert await sql.scalar("SELECT value FROM n") == 20


@pytest.mark.parametrize("word", ["BEGIN", "commit", "/* a */ -- b\n ROLLBACK;", ";END", "START  TRANSACTION"])
async def test_transactions_are_not_begun_or_ended_by_hand(sql: Sql, word: str) -> None:
    with pytest.raises(StorageError, match="is done for you: take it out"):
        await sql.execute(word)


async def test_a_connection_is_of_no_use_after_its_transaction(sql: Sql) -> None:
    async with sql.transaction() as connection:
        pass
    with pytest.raises(StorageError, match="closed"):
        await connection.all("SELECT 1")


# -- errors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO shelf VALUES (1, 'a')",  # the key is taken
        "INSERT INTO shelf VALUES (2, 'a')",  # the name is taken
        "INSERT INTO shelf VALUES (3, NULL)",
        "INSERT INTO book VALUES (1, 'x', 77)",  # refers to nothing
        "UPDATE shelf SET name = NULL",
    ],
)
async def test_a_row_that_breaks_a_rule_is_a_conflict(sql: Sql, statement: str) -> None:
    await sql.execute(INSERT, {"id": 1, "name": "a"})
    with pytest.raises(StorageConflict, match=r"refused the row: .* Correct its values\."):
        await sql.execute(statement)


@pytest.mark.parametrize(
    ("statement", "params"),
    [
        ("SELEKT 1", None),
        ("SELECT nope FROM shelf", None),
        ("SELECT * FROM nowhere", None),
        (INSERT, {"id": 1}),
        (INSERT, {"id": 1, "name": object()}),
        (INSERT, {"id": 2**100, "name": "a"}),
        (INSERT, {"id": 1, "name": "\ud800"}),
        ("SELECT 1; DROP TABLE shelf", None),
    ],
)
async def test_what_the_database_refuses_says_so_with_the_fix(sql: Sql, statement: str, params: object) -> None:
    with pytest.raises(StorageError, match=r"refused the statement: .*\. Correct the SQL or its values\."):
        await sql.all(statement, params)  # type: ignore[arg-type]
    assert await sql.scalar("SELECT count(*) FROM shelf") == 0


async def test_an_error_tells_no_values(sql: Sql) -> None:
    with pytest.raises(StorageError) as told:
        await sql.execute("INSERT INTO nowhere VALUES (:secret)", {"secret": "s3cret"})
    assert "s3cret" not in str(told.value)
    assert "sqlalche.me" not in str(told.value)
    with pytest.raises(StorageError) as told:
        await sql.execute("INSERT INTO shelf (id, name) VALUES (:id, 's3cret')", {"id": "s3cret"})
    assert "s3cret" not in str(told.value)
    await sql.execute("INSERT INTO shelf (id, name) VALUES (1, 's3cret')")
    with pytest.raises(StorageError) as told:
        await sql.execute("INSERT INTO shelf (id, name) VALUES (2, 's3cret')")
    assert "s3cret" not in str(told.value)


async def test_asking_a_write_for_rows_is_an_error_that_says_so(sql: Sql) -> None:
    with pytest.raises(StorageError, match="does not return rows"):
        await sql.all("DELETE FROM shelf")


# -- namespaces ----------------------------------------------------------------------------------------------


async def test_two_extensions_may_have_tables_of_one_name(databases: Databases) -> None:
    table = {"m1": "CREATE TABLE item (name TEXT)"}
    one, two = (Store(databases, extension=name).sql(table) for name in ("one", "two"))
    await one.execute("INSERT INTO item VALUES ('a')")
    assert await two.all("SELECT * FROM item") == []
    assert await one.scalar("SELECT name FROM item") == "a"


async def test_two_tables_of_one_name_may_differ(databases: Databases) -> None:
    one = Store(databases, extension="one").sql({"m1": "CREATE TABLE item (name TEXT)"})
    two = Store(databases, extension="two").sql({"m1": "CREATE TABLE item (id INTEGER, size INTEGER)"})
    for _ in range(2):
        assert await one.all("SELECT * FROM item") == []
        assert await two.all("SELECT * FROM item") == []
    await two.execute("INSERT INTO item VALUES (1, 2)")
    assert await two.all("SELECT * FROM item") == [{"id": 1, "size": 2}]
