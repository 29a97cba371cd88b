"""What is told of SQL without running it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.storage.errors import StorageError
from llms.storage.statements import refuse_transactions, split


@pytest.mark.parametrize(
    "sql",
    [
        *("BEGIN", "begin immediate", "COMMIT;", "END", "ROLLBACK", "START TRANSACTION", "\n\t; COMMIT"),
        *("-- a\n-- b\nCOMMIT", "/* a */ /* b\n*/ COMMIT", "/**/COMMIT", "--\nEND TRANSACTION"),
    ],
)
def test_a_transaction_by_hand_is_refused(sql: str) -> None:
    with pytest.raises(StorageError, match="is done for you: take it out of the SQL"):
        refuse_transactions(sql)


@pytest.mark.parametrize(
    "sql",
    [
        *("", "SELECT 'COMMIT'", "-- COMMIT\nSELECT 1", "/* COMMIT */ SELECT 1", "SELECT 1 -- COMMIT", "ENDING"),
        *("SAVEPOINT a", "ROLLBACK TO a", "RELEASE a", "-- BEGIN", "/* BEGIN", "beginning", "SELECT begin FROM t"),
    ],
)
def test_anything_else_is_not(sql: str) -> None:
    refuse_transactions(sql)


def test_a_hostile_text_is_read_quickly() -> None:
    refuse_transactions("/**/" * 50_000 + "x")
    refuse_transactions("--\n" * 50_000 + "x")
    refuse_transactions(" ;" * 50_000 + "x")


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        ("", []),
        (" ;;\n", []),
        ("SELECT 1", ["SELECT 1;"]),
        ("SELECT 1; SELECT 2", ["SELECT 1;", " SELECT 2;"]),
        ("SELECT ';'; SELECT \";\"", ["SELECT ';';", ' SELECT ";";']),
        ("SELECT 1 -- a; b\n; SELECT /* ; */ 2;", ["SELECT 1 -- a; b\n;", " SELECT /* ; */ 2;"]),
        ("CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; SELECT 2; END; SELECT 3", None),
    ],
)
def test_a_script_is_split_where_its_statements_end(script: str, statements: list[str] | None) -> None:
    found = [statement for statement in split(script) if statement.strip(" ;\n")]
    assert found == statements if statements is not None else len(found) == 2


@given(script=st.text("aSELECT 1;'\"`-\n/*[]", max_size=60))
def test_nothing_of_a_script_is_lost(script: str) -> None:
    assert "".join(split(script)).rstrip(" \n;") == script.rstrip(" \n;")
