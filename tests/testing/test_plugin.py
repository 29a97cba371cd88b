"""The pytest plugin, in the test suite of somebody else's extension."""

import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
import os
import socket

import pytest

from llms.testing import make_app


def install(ctx):
    ctx.register_chat_request_filter(lambda chat, context: chat["messages"].append({"role": "user", "content": "!"}))


@pytest.mark.asyncio
async def test_the_extension_works():
    async with make_app(install) as server:
        assert (await server.chat("Hi")).text == "ok"
        assert len(server.provider.history[0]["messages"]) == 2


@pytest.mark.asyncio
async def test_a_vendor_is_at_hand(fake_upstream):
    assert fake_upstream.url.startswith("http://127.0.0.1:")


def test_the_home_is_empty_and_named_in_the_environment(llms_home, tmp_path):
    assert os.environ["LLMS_HOME"] == str(llms_home)
    assert llms_home.is_relative_to(tmp_path)
    assert not llms_home.exists()


@pytest.mark.parametrize("host", ["192.0.2.1", "localhost.evil.example", "127.evil.example", "127.1.example", "::2"])
def test_the_network_is_out_of_reach(no_network, host):
    with socket.socket() as outside, pytest.raises(AssertionError, match=host):
        outside.connect((host, 80))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_this_machine_is_within_reach(no_network, host):
    with socket.socket() as listening, socket.socket() as calling:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        calling.connect((host, listening.getsockname()[1]))
"""


EXTENSION = """
from llms.api import ext
from .words import GREETING

@ext.get("hello")
async def hello(request):
    return {"message": GREETING}
"""

ASYNC = """
import asyncio
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]
STARTED = []


@pytest.mark.asyncio
async def test_awaited_it_serves_until_the_end_of_the_test(ext_app):
    server = await ext_app(FOLDER)
    other = await ext_app()
    assert (await server.get("/ext/my-ext/hello")).body == {"message": "Hello"}
    assert (await other.get("/ext/my-ext/hello")).status == 404
    STARTED.append(server.url)


@pytest.mark.asyncio
async def test_afterwards_it_is_gone():
    host, port = STARTED[0].removeprefix("http://").split(":")
    with pytest.raises(OSError):
        await asyncio.open_connection(host, int(port))


@pytest.mark.asyncio
async def test_it_may_be_entered(ext_app):
    async with ext_app(FOLDER) as server:
        assert (await server.get("/ext/my-ext/hello")).body == {"message": "Hello"}
"""

PLAIN = """
import urllib.error
import urllib.request
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]


def test_a_plain_function_may_enter_it(ext_app):
    with ext_app(FOLDER) as server:
        assert server.get("/ext/my-ext/hello").body == {"message": "Hello"}
        server.provider.enqueue("Hi!", "Bye!")
        assert server.chat("Hi").text == "Hi!"
        assert server.chat("Bye", stream=True).text == "Bye!"
        assert server.post("/ext/my-ext/hello", {}).status == 405
        assert server.request("HEAD", "/ext/my-ext/hello").status == 200
        assert server.run(seven()) == 7
        url = server.url
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url)


async def seven():
    return 7


def test_what_fails_inside_is_told_and_stops_the_server(ext_app):
    with pytest.raises(ZeroDivisionError), ext_app(FOLDER) as server:
        1 / 0
    with pytest.raises(AssertionError, match="nowhere"), ext_app(FOLDER / "nowhere"):
        pass
"""

ALONE = """
import asyncio

import pytest


def test_nothing_can_be_awaited_without_anybody_to_stop_it(ext_app):
    async def start():
        await ext_app()

    with pytest.raises(RuntimeError, match="Install pytest-asyncio"):
        asyncio.run(start())
"""


FIXTURES = {
    "ext_app": "`ext_app(path)` is a running server with the extension in that folder, and a fake model.",
    "llms_home": "An empty home, named by LLMS_HOME.",
    "no_network": "Makes a connection to anything but this machine fail the test.",
    "fake_upstream": "A vendor that answers as scripted.",
}


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_theirs.py").write_text(SUITE)
    (folder / "pytest.ini").write_text(
        "[pytest]\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    return pytest_in(folder, *options)


def pytest_in(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def extension(tmp_path: Path) -> Path:
    """An extension whose code pytest could not import: neither its name nor its imports are those of a package."""
    folder = tmp_path / "my-ext"
    (folder / "tests").mkdir(parents=True)
    (folder / "__init__.py").write_text(EXTENSION)
    (folder / "words.py").write_text("GREETING = 'Hello'")
    (folder / "extension.toml").write_text('id = "my-ext"')
    return folder


def test_its_fixtures_are_there_as_soon_as_llms_is_installed(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert "11 passed" in result.stdout, result.stdout + result.stderr


def test_each_fixture_says_what_it_is_for(tmp_path: Path) -> None:
    listed = run(tmp_path, "--fixtures").stdout
    for name, said in FIXTURES.items():
        assert f"{name} " in listed
        assert said in listed


def test_ext_app_serves_an_extension_to_coroutines(extension: Path) -> None:
    (extension / "tests/test_it.py").write_text(ASYNC)
    options = ("-W", "error", "-o", "asyncio_default_fixture_loop_scope=function")
    result = pytest_in(extension, *options)
    assert "3 passed" in result.stdout, result.stdout + result.stderr


@pytest.mark.parametrize("options", [["-o", "asyncio_mode=auto"], ["-p", "no:asyncio"], ["--import-mode=importlib"]])
def test_ext_app_serves_an_extension_to_plain_functions(extension: Path, options: list[str]) -> None:
    (extension / "tests/test_it.py").write_text(PLAIN)
    result = pytest_in(extension, *options)
    assert "2 passed" in result.stdout, result.stdout + result.stderr


def test_without_pytest_asyncio_ext_app_says_what_is_missing(extension: Path) -> None:
    (extension / "tests/test_it.py").write_text(ALONE)
    result = pytest_in(extension, "-p", "no:asyncio")
    assert "1 passed" in result.stdout, result.stdout + result.stderr


def test_a_folder_without_a_manifest_is_a_package_as_ever(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/__init__.py").write_text("def setup_module():\n    raise RuntimeError('it was imported')")
    (tmp_path / "theirs/test_it.py").write_text("def test_it(): ...")
    assert "it was imported" in pytest_in(tmp_path).stdout
