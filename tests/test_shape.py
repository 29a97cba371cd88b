"""Budgets that keep files and functions small. The lists of exceptions may only shrink."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OTHERS = (ROOT / "tests/samples", ROOT / "tests/host/hostile")  # written as others write
PYTHON = sorted(
    path
    for folder in ("llms", "tests", "bench")
    for path in (ROOT / folder).rglob("*.py")
    if not any(path.is_relative_to(other) for other in OTHERS)
)
UI_FOLDERS = [ROOT / "llms/ui", *ROOT.glob("llms/extensions/*/ui")]
UI = sorted(path for folder in UI_FOLDERS for path in folder.rglob("*.mjs") if not path.name.endswith(".min.mjs"))
FILE_LINES, FUNCTION_LINES, UI_LINES = 500, 60, 300
TOO_LONG: set[str] = set()  # files and functions over the budget, as "path" or "path:function"


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def _over_budget() -> set[str]:
    over = {_name(path) for path in PYTHON if _lines(path) > FILE_LINES}
    over |= {_name(path) for path in UI if _lines(path) > UI_LINES}
    functions = ((path, name, lines) for path in PYTHON for name, lines in _functions(path))
    return over | {f"{_name(path)}:{name}" for path, name, lines in functions if lines > FUNCTION_LINES}


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_files_and_functions_keep_their_budget() -> None:
    assert _over_budget() <= TOO_LONG


def test_the_exceptions_are_still_needed() -> None:
    assert _over_budget() >= TOO_LONG


@pytest.mark.parametrize("path", sorted((ROOT / "llms").rglob("__init__.py")), ids=_name)
def test_every_room_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))
