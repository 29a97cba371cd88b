"""OpenAI's own Node client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from llms.testing import FakeUpstream, Gate, Hang, TestServer, make_app, sse
from llms.testing.app import upstream_config
from llms.testing.upstream import chunk

from ..npm import FetchError
from . import node_client

Run = Callable[[str], Awaitable[Any]]


@pytest.fixture(scope="session")
def home() -> Path:
    try:
        return node_client.fetch()
    except FetchError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
async def server(fake_upstream: FakeUpstream) -> AsyncIterator[TestServer]:
    async with make_app(config={**upstream_config(fake_upstream), "limits": {"retries": 1}}) as server:
        yield server


@pytest.fixture
def run(home: Path, server: TestServer) -> Run:
    """Runs one scenario of `openai-node/client.mjs`."""
    return partial(node_client.run, home, url=server.url)


async def test_it_gets_an_answer(run: Run, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_text("Hello!", prompt_tokens=3, completion_tokens=2)
    assert await run("whole") == {"text": "Hello!", "tokens": 5, "measured": True}


async def test_it_streams(run: Run, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hel", "lo 🌍")
    assert await run("streamed") == "Hello 🌍"


async def test_it_gets_usage_in_the_last_chunk(run: Run, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello", prompt_tokens=3, completion_tokens=2)
    assert await run("usage") == {"choices": [], "tokens": 5, "told": 1}


async def test_its_own_assembly_of_a_stream_works(run: Run, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hel", "lo")
    assert await run("assembled") == "Hello"


async def test_it_gets_the_raw_response(run: Run, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_text("Hello!")
    assert await run("raw") == {"status": 200, "request_id": "mine", "text": "Hello!"}


async def test_its_tools_are_the_vendors_and_calls_come_back(run: Run, fake_upstream: FakeUpstream) -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a"'}}
    rest = {"index": 0, "function": {"arguments": ": 1}"}}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "tool_calls": [call]}, {"tool_calls": [rest]}]
    pieces = [sse(chunk(delta)) for delta in deltas]
    end = sse(chunk({}, finish_reason="tool_calls")) + b"data: [DONE]\n\n"
    fake_upstream.enqueue(*pieces, end, headers={"Content-Type": "text/event-stream"})
    assert await run("tools") == {"name": "add", "arguments": {"a": 1}}
    assert fake_upstream.requests[0].body["tools"][0]["function"]["name"] == "add"


async def test_it_lists_models(run: Run) -> None:
    assert await run("models") == ["fake-model"]


@pytest.mark.parametrize(
    ("status", "raised"), [(400, "BadRequestError"), (401, "AuthenticationError"), (429, "RateLimitError")]
)
async def test_what_the_vendor_refused_is_its_own_error(
    run: Run, fake_upstream: FakeUpstream, status: int, raised: str
) -> None:
    fake_upstream.enqueue_error(status, "as the vendor said", headers={"Retry-After": "30"})
    error = await run("refused")
    assert (error["class"], error["status"]) == (raised, status)
    assert "as the vendor said" in error["message"]


async def test_an_unknown_model_is_its_not_found_error(run: Run) -> None:
    error = await run("unknown")
    assert (error["class"], error["code"], error["param"]) == ("NotFoundError", "model_not_found", "model")
    assert "Did you mean fake-model?" in error["message"]


async def test_an_error_in_the_middle_of_a_stream_is_thrown(run: Run, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, sse({"error": {"message": "out of memory"}}))
    running = asyncio.ensure_future(run("broken"))
    while not fake_upstream.requests:  # noqa: ASYNC110 - bounded by the patience with the client
        await asyncio.sleep(0.01)
    gate.opened.set()
    assert "out of memory" in (await running)["message"]


async def test_it_leaves_a_stream_and_the_vendor_is_left(run: Run, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hel", Hang())
    assert await run("left") == "left"
    await asyncio.wait_for(fake_upstream.gone.wait(), 20)
