"""Extensions written into folders, good ones and bad ones."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from llms.testing.conformance.reading import read
from llms.testing.conformance.report import Check
from llms.testing.conformance.running import run

Write = Callable[..., Path]
Try = Callable[..., Awaitable[dict[str, Check]]]
Read = Callable[..., dict[str, Check]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(source)` makes an extension called `mine` of an `__init__.py`; `files` are others of its files by path."""

    def write(source: str | None = "", files: Mapping[str, str] = {}) -> Path:
        folder = tmp_path / "extensions/mine"
        code = {} if source is None else {"__init__.py": source}
        for path, content in {**code, **files}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(dedent(content), "utf-8")
        return folder

    return write


@pytest.fixture
def reading(write: Write) -> Read:
    """Makes an extension as `write` does; gives the checks that only read it, by name."""

    def reading(source: str | None = "", files: Mapping[str, str] = {}) -> dict[str, Check]:
        return {check.name: check for check in read(write(source, files))}

    return reading


@pytest.fixture
def trying(write: Write, tmp_path: Path) -> Try:
    """Makes an extension as `write` does; gives the checks that run it, by name. They run in this process."""

    async def trying(source: str | None = "", files: Mapping[str, str] = {}) -> dict[str, Check]:
        checks: list[Check] = []
        await run(write(source, files), tmp_path / "home", {}, checks.append)
        return {check.name: check for check in checks}

    return trying
