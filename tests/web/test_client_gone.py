"""A client that leaves takes its request to the vendor with it."""

import asyncio
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import cast

import pytest

from llms.kernel.errors import ProviderError
from llms.kernel.types import Chat, Chunk, Context
from llms.providers.events import StreamEvent
from llms.testing import FakeProvider, FakeUpstream, Gate, Hang, TestServer, make_app, sse
from llms.testing.app import upstream_config
from llms.testing.upstream import chunk

from .wire import PATIENCE, ask, chat, open_stream, read_until, soon

SSE = {"Content-Type": "text/event-stream"}


async def received(upstream: FakeUpstream, count: int = 1) -> None:
    """Returns once the vendor has so many requests."""
    async with asyncio.timeout(PATIENCE):
        while len(upstream.requests) < count:  # noqa: ASYNC110 - the vendor announces nothing
            await asyncio.sleep(0.005)


async def leave(asking: asyncio.Task[object]) -> None:
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_leaving_in_the_middle_of_a_stream_closes_the_vendors_connection(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_stream("Hel", Hang())
    async with open_stream(server) as response:
        await read_until(response, "Hel")
        response.close()
    await soon(fake_upstream.gone.wait())


async def test_leaving_while_the_vendor_goes_on_writing_closes_its_connection(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(*[sse(chunk({"content": "x" * 10_000}))] * 2000, headers=SSE)
    async with open_stream(server) as response:
        await read_until(response, "xxx")
        response.close()
    await soon(fake_upstream.gone.wait())


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_leaving_before_the_vendor_begins_closes_its_connection(
    server: TestServer, fake_upstream: FakeUpstream, streamed: bool
) -> None:
    fake_upstream.enqueue(Hang())
    asking = asyncio.create_task(ask(server, chat(stream=streamed)))
    await received(fake_upstream)
    await leave(asking)
    await soon(fake_upstream.gone.wait())


async def test_leaving_in_the_middle_of_a_whole_answer_closes_the_vendors_connection(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(b'{"choices": [', Hang())
    asking = asyncio.create_task(ask(server))
    await received(fake_upstream)
    await leave(asking)
    await soon(fake_upstream.gone.wait())


async def test_leaving_while_we_wait_to_try_again_ends_the_trying(
    fake_upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, given_up = asyncio.Event(), asyncio.Event()

    async def wait_for_ever(_: float) -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    monkeypatch.setattr("llms.chat.failover.asyncio", SimpleNamespace(sleep=wait_for_ever))
    fake_upstream.enqueue_error(500, "try again")
    async with make_app(config=upstream_config(fake_upstream)) as server:
        asking = asyncio.create_task(ask(server))
        await soon(waiting.wait())
        await leave(asking)
        await soon(given_up.wait())
    assert len(fake_upstream.requests) == 1


async def test_one_client_that_leaves_does_not_disturb_another(server: TestServer, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("one", gate, "more")
    fake_upstream.enqueue_stream("two", Hang())
    async with open_stream(server) as staying:
        await read_until(staying, "one")
        async with open_stream(server) as leaving:
            await read_until(leaving, "two")
            leaving.close()
        await soon(fake_upstream.gone.wait())
        gate.opened.set()
        await read_until(staying, "[DONE]")


class Chatty(FakeProvider):
    """Says something, and when told to go on so much that some of it is written to a client that is gone.

    With `fails` it breaks off instead.
    """

    def __init__(self, *, fails: bool) -> None:
        super().__init__()
        self._fails = fails
        self.go_on, self.left = asyncio.Event(), asyncio.Event()

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        try:
            yield [StreamEvent(cast(Chunk, chunk({"content": "first"})))]
            await self.go_on.wait()
            if self._fails:
                raise ProviderError("No more.", provider=self.id)
            for _ in range(20):
                yield [StreamEvent(cast(Chunk, chunk({"content": "more"})))]
            yield [StreamEvent(cast(Chunk, chunk({}, finish_reason="stop")))]
        finally:
            self.left.set()


@pytest.mark.parametrize("fails", [False, True])
async def test_a_client_that_leaves_is_no_error_in_the_log(
    server: TestServer, caplog: pytest.LogCaptureFixture, fails: bool
) -> None:
    chatty = Chatty(fails=fails)
    server.app.registry.live.clear()
    server.app.registry.live["fake"] = chatty
    async with open_stream(server) as response:
        await read_until(response, "first")
        response.close()
        chatty.go_on.set()
    await soon(chatty.left.wait())
    await ask(server, chat(model="unknown"))  # a whole request later, all is said about the first
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_client_that_leaves_in_the_middle_of_its_request_is_no_error_in_the_log(
    server: TestServer, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.server.port)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(head + b"Content-Length: 1000\r\n\r\n{")
    await writer.drain()
    assert (await ask(server)).status == 200  # by now the first request is being read
    writer.close()
    await writer.wait_closed()
    assert (await ask(server)).status == 200
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
