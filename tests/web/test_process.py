"""The server as a process: how it starts, how it stops, and what it survives."""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from llms.kernel.errors import ConfigError
from llms.testing import FakeUpstream, Gate, Hang, make_app
from llms.testing.app import upstream_config
from llms.web.server import serve

from .process import ROOT, configure, environment, serving, started
from .wire import DONE, PATIENCE, chat, read_until, soon


@pytest.fixture
def home(tmp_path: Path, fake_upstream: FakeUpstream) -> Path:
    return configure(tmp_path / "home", upstream_config(fake_upstream))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as session:
        yield session


def post(http: aiohttp.ClientSession, url: str, **fields: Any) -> Any:
    return http.post(f"{url}/v1/chat/completions", json=chat(**fields))


async def text(http: aiohttp.ClientSession, url: str) -> str:
    async with post(http, url) as response:
        return str((await response.json())["choices"][0]["message"]["content"])


async def models(http: aiohttp.ClientSession, url: str) -> list[str]:
    async with http.get(f"{url}/v1/models") as response:
        return [model["id"] for model in (await response.json())["data"]]


# -- stopping ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_it_lets_an_open_stream_end_and_exits_with_0(
    home: Path, fake_upstream: FakeUpstream, http: aiohttp.ClientSession, number: int
) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, "lo")
    async with serving(home) as server:
        async with post(http, server.url, stream=True) as response:
            await read_until(response, "Hel")
            server.signal(number)
            await server.says("Stopping when open answers have ended")
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.get(f"{server.url}/health")
            gate.opened.set()
            assert "lo" in await read_until(response, DONE)
        assert await server.ends() == 0
    assert "Traceback" not in server.err


async def test_told_to_stop_it_lets_an_open_whole_answer_end(
    home: Path, fake_upstream: FakeUpstream, http: aiohttp.ClientSession
) -> None:
    gate = Gate()
    fake_upstream.enqueue(gate, b'{"choices": [{"index": 0, "message": {"content": "late"}}]}')
    async with serving(home) as server:
        asking = asyncio.create_task(text(http, server.url))
        while not fake_upstream.requests:  # noqa: ASYNC110 - bounded by the patience of the client
            await asyncio.sleep(0.01)
        server.signal(signal.SIGTERM)
        await server.says("Stopping")
        gate.opened.set()
        assert await asking == "late"
        assert await server.ends() == 0


async def test_told_twice_it_cuts_what_is_open(
    home: Path, fake_upstream: FakeUpstream, http: aiohttp.ClientSession
) -> None:
    fake_upstream.enqueue_stream("Hel", Hang())
    async with serving(home) as server, post(http, server.url, stream=True) as response:
        await read_until(response, "Hel")
        server.signal(signal.SIGTERM)
        await server.says("Stopping")
        server.signal(signal.SIGTERM)
        with pytest.raises(aiohttp.ClientError):
            await soon(response.read())
        assert await server.ends() == 0
    await soon(fake_upstream.gone.wait())
    assert "Traceback" not in server.err


async def test_a_stream_that_never_ends_is_cut_after_the_shutdown_timeout(
    home: Path, fake_upstream: FakeUpstream, http: aiohttp.ClientSession
) -> None:
    configure(home, {**upstream_config(fake_upstream), "limits": {"shutdown_timeout": 0.1}})
    fake_upstream.enqueue_stream("Hel", Hang())
    async with serving(home) as server, post(http, server.url, stream=True) as response:
        await read_until(response, "Hel")
        server.signal(signal.SIGTERM)
        assert await server.ends() == 0


async def test_connections_nobody_uses_do_not_hold_it_up(home: Path, http: aiohttp.ClientSession) -> None:
    async with serving(home) as server:
        await text(http, server.url)  # leaves its connection open
        server.signal(signal.SIGTERM)
        assert await server.ends() == 0


# -- starting ----------------------------------------------------------------------------------------------------


async def test_a_port_in_use_is_one_sentence_and_exit_code_1(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with started(home, "--serve", str(port)) as server:
            assert await server.ends() == 1
    assert server.err == (
        f"Error: Port {port} is in use. Stop what uses it, or choose another: `llms --serve {port + 1}`.\n"
    )


async def test_an_address_others_can_reach_is_refused(home: Path) -> None:
    async with started(home, "--serve", "0", "--host", "0.0.0.0") as server:
        assert await server.ends() == 1
    assert server.err.startswith("Error: Refusing to listen on 0.0.0.0")
    assert "--insecure" in server.err
    assert server.err.count("\n") == 1


async def test_an_address_others_can_reach_is_served_when_forced(home: Path, http: aiohttp.ClientSession) -> None:
    async with serving(home, "--host", "0.0.0.0", "--insecure") as server:
        assert await text(http, f"http://127.0.0.1:{server.port}") == "ok"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "2001:db8::1", "example.com", "127.evil.example"])
async def test_no_address_others_can_reach_is_served_unforced(host: str) -> None:
    async with make_app() as server:
        with pytest.raises(ConfigError, match="--insecure"):
            await serve(server.live, host=host, port=0)


async def test_an_address_that_is_not_this_machines_is_one_sentence(home: Path) -> None:
    async with started(home, "--serve", "0", "--host", "192.0.2.1", "--insecure") as server:
        assert await server.ends() == 1
    assert server.err.startswith("Error: Cannot listen on 192.0.2.1:0: ")
    assert server.err.count("\n") == 1


# -- living with others ------------------------------------------------------------------------------------------


async def test_two_servers_share_one_home(home: Path, http: aiohttp.ClientSession) -> None:
    async with serving(home) as one, serving(home) as other:
        assert [await text(http, one.url), await text(http, other.url)] == ["ok", "ok"]


async def test_killed_it_starts_again_on_the_same_home_and_port(
    home: Path, fake_upstream: FakeUpstream, http: aiohttp.ClientSession
) -> None:
    fake_upstream.enqueue_stream("Hel", Hang())
    async with serving(home) as server:
        port = server.port
        async with post(http, server.url, stream=True) as response:
            await read_until(response, "Hel")
            await server.kill()
            with pytest.raises(aiohttp.ClientError):
                await soon(response.read())
    async with serving(home, port=port) as again:
        assert again.port == port
        assert await text(http, again.url) == "ok"


async def test_an_edited_configuration_is_taken_over_and_a_broken_one_is_not(
    home: Path, fake_upstream: FakeUpstream, http: aiohttp.ClientSession
) -> None:
    edited = upstream_config(fake_upstream, models={"edited": {"id": "edited", "name": "Edited"}})
    async with serving(home, "--verbose") as server:
        assert await models(http, server.url) == ["fake-model"]
        configure(home, edited)
        await server.says("Configuration reloaded.")
        assert await models(http, server.url) == ["edited"]
        (home / "llms.json").write_text('{"providers": ', "utf-8")
        await server.says("The configuration in use stays as it was.")
        assert await models(http, server.url) == ["edited"]


ASK = """
import asyncio, json, re, sys, urllib.request
async def main():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "llms", "--serve", "0", stderr=asyncio.subprocess.PIPE
    )
    try:
        while "ready at" not in (line := (await process.stderr.readline()).decode()):
            assert line, "it ended"
        url = re.search("http://[^ ]+", line)[0].strip()
        for path in ("/health", "/v1/models", "/"):
            with urllib.request.urlopen(url + path, timeout=20) as answer:
                print(path, answer.status)
    finally:
        process.terminate()
        await process.wait()
asyncio.run(main())
"""


@pytest.mark.skipif(not shutil.which("unshare") or not shutil.which("ip"), reason="needs Linux's unshare and ip")
def test_it_starts_from_nothing_on_a_machine_without_a_network(tmp_path: Path) -> None:
    alone = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c"]
    if subprocess.run([*alone, "ip link set lo up"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us make a network of our own")
    ran = subprocess.run(
        [*alone, f'ip link set lo up && exec "{sys.executable}" -c "$ASK"'],
        env={**environment(tmp_path / "home"), "ASK": ASK},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ran.stdout.split("\n")[:3] == ["/health 200", "/v1/models 200", "/ 200"], ran.stderr
    assert json.loads((tmp_path / "home" / "llms.json").read_text("utf-8"))["version"] == 3
