"""`llms.db`: the names that extensions import."""

import subprocess
import sys

from llms import db

NAMES = "DbManager count_tokens_approx order_by select_columns table_columns to_dto valid_columns"


def test_the_names_are_these_and_sorted() -> None:
    assert db.__all__ == NAMES.split() == sorted(db.__all__)


def test_every_name_is_there_and_says_what_it_does() -> None:
    for name in db.__all__:
        assert getattr(db, name).__doc__, f"{name} has no docstring"


def test_importing_it_imports_no_sqlalchemy() -> None:
    program = (
        "import sys, llms.db; print([name for name in sys.modules if name.startswith(('sqlalchemy', 'aiosqlite'))])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
