"""Fixtures for pytest, there as soon as `llms` is installed. None is used unless a test asks for it."""

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

try:  # its own decorator works in every mode; without it pytest's serves other plugins, such as anyio's
    from pytest_asyncio import fixture as async_fixture
except ImportError:
    async_fixture = pytest.fixture  # type: ignore[assignment]

_LOCAL = ("127.", "::1", "localhost", "0.0.0.0")


@pytest.fixture
def llms_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, named by LLMS_HOME."""
    home = tmp_path / "llms-home"
    monkeypatch.setenv("LLMS_HOME", str(home))
    return home


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Makes a connection to anything but this machine fail the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        assert not isinstance(address, tuple) or str(host).startswith(_LOCAL), f"A test tried to reach {host}."
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield


@async_fixture
async def fake_upstream() -> AsyncIterator[Any]:
    """A vendor that answers as scripted."""
    from llms.testing.upstream import FakeUpstream

    async with FakeUpstream() as upstream:
        yield upstream
