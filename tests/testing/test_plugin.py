"""The pytest plugin, in the test suite of somebody else's extension."""

import subprocess
import sys
from pathlib import Path

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


FIXTURES = {
    "llms_home": "An empty home, named by LLMS_HOME.",
    "no_network": "Makes a connection to anything but this machine fail the test.",
    "fake_upstream": "A vendor that answers as scripted.",
}


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_theirs.py").write_text(SUITE)
    (folder / "pytest.ini").write_text(
        "[pytest]\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_its_fixtures_are_there_as_soon_as_llms_is_installed(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert "11 passed" in result.stdout, result.stdout + result.stderr


def test_each_fixture_says_what_it_is_for(tmp_path: Path) -> None:
    listed = run(tmp_path, "--fixtures").stdout
    for name, said in FIXTURES.items():
        assert f"{name} " in listed
        assert said in listed
