"""Comments that keep a silent stream open."""

from collections.abc import AsyncIterator

import pytest

from llms.testing import FakeUpstream, Gate, TestServer, make_app
from llms.testing.app import upstream_config

from .wire import DONE, KEEP_ALIVE, Streamed, open_stream, read_until, stream


@pytest.fixture
async def server(fake_upstream: FakeUpstream) -> AsyncIterator[TestServer]:
    """Comments after a silence that a test can wait for."""
    limits = {"retries": 1, "keep_alive_interval": 0.02}
    async with make_app(config={**upstream_config(fake_upstream), "limits": limits}) as server:
        yield server


async def test_a_comment_comes_while_the_vendor_has_not_begun(server: TestServer, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream(gate, "Hello")
    async with open_stream(server) as response:
        first = await read_until(response, KEEP_ALIVE)
        gate.opened.set()
        rest = await read_until(response, DONE)
    assert "Hello" not in first
    assert "Hello" in rest


async def test_comments_come_while_the_vendor_is_silent_in_the_middle(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, "lo")
    async with open_stream(server) as response:
        found = await read_until(response, "Hel")
        found += await read_until(response, KEEP_ALIVE)
        found += await read_until(response, KEEP_ALIVE)
        gate.opened.set()
        found += await read_until(response, DONE)
    answer = Streamed(200, {}, found)
    assert "".join(delta.get("content", "") for delta in answer.deltas) == "Hello"


async def test_a_comment_never_stands_inside_an_event(server: TestServer, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, "lo")
    async with open_stream(server) as response:
        found = await read_until(response, KEEP_ALIVE)
        gate.opened.set()
        found += await read_until(response, DONE)
    assert all(block.startswith(("data: ", ": keep-alive")) for block in Streamed(200, {}, found).blocks)


async def test_an_error_after_a_comment_is_told_in_the_stream(server: TestServer, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue(gate, b'{"error": {"message": "no capacity"}}', status=503)
    async with open_stream(server) as response:
        assert response.status == 200
        await read_until(response, KEEP_ALIVE)
        gate.opened.set()
        found = await read_until(response, "no capacity")
    assert 'data: {"error":' in found


async def test_a_stream_that_keeps_talking_gets_no_comment(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("a", "b", "c")
    async with make_app(config=upstream_config(fake_upstream)) as server:
        assert KEEP_ALIVE not in (await stream(server)).text
