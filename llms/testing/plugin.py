"""For pytest, there as soon as `llms` is installed: fixtures, of which none is used unless a test asks for it."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

try:  # its own decorator works in every mode; without it pytest's serves other plugins, such as anyio's
    from pytest_asyncio import fixture as async_fixture
except ImportError:
    async_fixture = pytest.fixture  # type: ignore[assignment]


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Keeps pytest from importing an extension as a package: only the server knows how that is done."""
    is_extension = (path / "extension.toml").is_file() and (path / "__init__.py").is_file()
    return pytest.Dir.from_parent(parent, path=path) if is_extension else None


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
        if isinstance(address, tuple):  # anything else is no network's, such as the path of a unix socket
            assert _is_here(str(address[0])), f"A test tried to reach {address[0]}."
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield


def _is_here(host: str) -> bool:
    """Whether `host` is this machine: by its own name, or by an address. Another name may lead anywhere."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@async_fixture
async def fake_upstream() -> AsyncIterator[Any]:
    """A vendor that answers as scripted."""
    from llms.testing.upstream import FakeUpstream

    async with FakeUpstream() as upstream:
        yield upstream


@pytest.fixture
def ext_app(request: pytest.FixtureRequest) -> Any:
    """`ext_app(path)` is a running server with the extension in that folder, and a fake model."""
    from llms.testing.ext_app import ExtApp

    is_async = request.config.pluginmanager.hasplugin("asyncio")  # else nobody could await the end of what was awaited
    return ExtApp(request.getfixturevalue("_llms_servers") if is_async else None)


@async_fixture
async def _llms_servers() -> AsyncIterator[AsyncExitStack]:
    """What ends with the test."""
    async with AsyncExitStack() as stack:
        yield stack
