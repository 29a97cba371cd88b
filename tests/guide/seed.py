"""The guide itself, read for what can be checked: its samples, its headings and its tables.

It was printed without indentation, and the last line of a sample runs into the text after it.
"""

import ast
import io
import os
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("LLMS_TEST_SHARED") or Path(__file__).parents[3] / "shared")
GUIDE = SHARED / "seed" / "server-extensions-guide.txt"
here = pytest.mark.skipif(not GUIDE.is_file(), reason="The guide's text is not beside this repository.")

_HEADING = re.compile(r"(?P<async>async )?(?P<name>[A-Za-z_]+)\(\s?(?P<parameters>(?:[a-z_0-9]+: ?[A-Za-z][^()]*)?)\)")
_ROW = re.compile(r"^(\w+)(?:\(\w+\))? \| (.+) \|$", re.MULTILINE)
_CALL = re.compile(r"(return |(\w+(, \w+)*) = )?(await )?ctx\.\w")


@dataclass(frozen=True)
class Heading:
    """The signature of a method, as the guide prints it. A sample's last word may stick to `name`."""

    name: str
    parameters: tuple[str, ...]
    is_async: bool


def text() -> str:
    return GUIDE.read_text("utf-8")


def lines() -> list[str]:
    return text().splitlines()


def code(first: str, last: str, *, nth: int = 0) -> list[str]:
    """The lines of a sample from its `first` to its `last`; the `nth` that begins so."""
    all_lines = lines()
    starts = [number for number, line in enumerate(all_lines) if line.startswith(first)]
    start = starts[nth]
    end = next(number for number in range(start, len(all_lines)) if all_lines[number].startswith(last))
    return [line.strip() for line in (*all_lines[start:end], last)]


def chapter(first: str, last: str) -> str:
    """The text from one phrase to the next occurrence of another."""
    return first + text().partition(first)[2].partition(last)[0]


def headings() -> list[Heading]:
    """Every method of `ctx` that has a heading."""
    found = []
    told = chapter("The ExtensionContext class is", "The AppExtensions class manages").replace("\n", " ")
    for match in _HEADING.finditer(told):
        is_definition = told[: match.start()].endswith("def ")
        is_call = not match["parameters"] and not told[match.end() :].startswith(" ->")
        if not is_definition and not is_call:
            names = re.findall(r"(\w+): ?(?=[A-Z a-z])", _without_brackets(match["parameters"]))
            found.append(Heading(match["name"], tuple(names), bool(match["async"])))
    return found


def rows(table: str) -> list[str]:
    """The first column of a table."""
    return [match[1] for match in _ROW.finditer(table) if match[1] not in ("Property", "Hook")]


def calls() -> Iterator[str]:
    """Every line of a sample in which an extension uses `ctx`, without what follows it in the text."""
    for line in lines():
        if _CALL.match(line.strip()):
            yield _statement(line.strip())


def _statement(line: str) -> str:
    """The longest beginning of `line` that is Python; all of it where that is the first line of a longer statement."""
    for end in range(len(line), 0, -1):
        if line[end - 1] == ")" and _is_python(line[:end]):
            return line[:end]
    return line


def _is_python(source: str) -> bool:
    try:
        ast.parse(f"async def f():\n    {source}")
    except SyntaxError:
        return False
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return not any(token.type == tokenize.COMMENT for token in tokens)


def _without_brackets(parameters: str) -> str:
    while parameters != (shorter := re.sub(r"\[[^\[\]]*\]", "", parameters)):
        parameters = shorter
    return parameters
