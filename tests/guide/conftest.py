"""Extensions written into folders, as their authors would, and servers that load them."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from llms.testing import TestServer, make_app

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(source, **files)` makes the extension `myext`; `name=` calls it differently."""

    def write(source: str = "", *, name: str = "myext", files: dict[str, str] | None = None) -> Path:
        folder = tmp_path / "extensions" / name
        for path, content in {"__init__.py": dedent(source), **(files or {})}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, "utf-8")
        return folder

    return write


@pytest.fixture
async def server(write: Write) -> AsyncIterator[TestServer]:
    """A server with the extension `myext`, which does nothing by itself."""
    async with make_app(write()) as server:
        yield server


@pytest.fixture
def ctx(server: TestServer) -> Any:
    """What that extension was given."""
    return server.host.context("myext")
