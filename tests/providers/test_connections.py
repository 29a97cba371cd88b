"""Connections to vendors: used again where they can be, closed where nobody listens any more."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from llms.kernel.limits import Limits
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.testing import FakeUpstream, Hang, Pause, sse

from .asking import CHAT, answer, refusal, text

SSE = {"Content-Type": "text/event-stream"}
JSON = {"Content-Type": "application/json"}
HELLO = sse({"choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": "stop"}]})
DONE = b"data: [DONE]\n\n"


@pytest.fixture
async def opened(provider: OpenAiCompatible) -> list[str]:
    """Grows by one with each connection that is opened."""
    connections: list[str] = []

    async def note(*_: Any) -> None:
        connections.append("connection")

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(note)
    trace.freeze()
    provider.http.session.trace_configs.append(trace)
    return connections


async def test_two_chats_use_one_connection(provider: OpenAiCompatible, opened: list[str]) -> None:
    await provider.chat(CHAT)
    await provider.chat(CHAT)
    assert len(opened) == 1


async def test_two_streams_use_one_connection(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, opened: list[str]
) -> None:
    for _ in range(2):
        fake_upstream.enqueue_stream("Hello")
        await answer(provider)
    assert len(opened) == 1


async def test_what_follows_done_at_once_does_not_cost_the_connection(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, opened: list[str]
) -> None:
    for _ in range(2):
        fake_upstream.enqueue(HELLO + DONE + b"\n", b": bye\n\n", headers=SSE)
        await answer(provider)
    assert len(opened) == 1


async def test_an_error_does_not_cost_the_connection(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, opened: list[str]
) -> None:
    fake_upstream.enqueue_error(500, "No luck.")
    await refusal(provider)
    await provider.chat(CHAT)
    assert len(opened) == 1


async def test_a_vendor_that_holds_the_connection_after_done_does_not_hold_the_answer(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(HELLO + DONE, Hang(), headers=SSE)
    async with asyncio.timeout(10):
        assert text(await answer(provider)) == "Hello"
    await asyncio.wait_for(fake_upstream.gone.wait(), 10)


async def test_an_answer_is_not_held_back_to_save_a_connection(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, opened: list[str]
) -> None:
    fake_upstream.enqueue(HELLO + DONE, Pause(0.2), headers=SSE)
    await answer(provider)
    await provider.chat(CHAT)
    assert len(opened) == 2


async def test_a_stream_that_is_left_closes_its_connection(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_stream("Hello", Hang())
    async with aclosing(provider.stream(CHAT)) as batches:
        await anext(batches)
    await asyncio.wait_for(fake_upstream.gone.wait(), 10)


async def test_a_chat_that_is_cancelled_closes_its_connection(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(Hang())
    asking = asyncio.create_task(provider.chat(CHAT))
    while not fake_upstream.requests:  # noqa: ASYNC110 - the fake has no event for it
        await asyncio.sleep(0.005)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(fake_upstream.gone.wait(), 10)


async def test_a_vendor_that_closed_an_idle_connection_is_asked_over_a_new_one(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, opened: list[str]
) -> None:
    fake_upstream.enqueue(b'{"choices": []}', headers={**JSON, "Connection": "close"})
    await provider.chat(CHAT)
    await provider.chat(CHAT)
    assert len(opened) == 2


async def test_closing_twice_does_no_harm() -> None:
    client = HttpClient(Limits())
    assert not client.session.closed
    await client.close()
    await client.close()


async def test_a_client_that_was_closed_opens_again_when_asked(provider: OpenAiCompatible) -> None:
    await provider.chat(CHAT)
    await provider.http.close()
    assert text(await provider.chat(CHAT)) == "ok"


async def test_a_provider_may_be_behind_a_unix_socket(tmp_path: Path) -> None:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(body=json.dumps({"choices": [{"message": {"content": request.path}}]}))

    app = web.Application()
    app.router.add_post("/v1/chat/completions", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "s")).start()
    provider = OpenAiCompatible(id="acme", api="http://local/v1", api_key="k")
    provider.http = HttpClient(Limits(), socket=str(tmp_path / "s"))
    assert text(await provider.chat(CHAT)) == "/v1/chat/completions"
    await provider.http.close()
    await runner.cleanup()
