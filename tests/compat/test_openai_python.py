"""OpenAI's own Python client."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam, ChatCompletionToolParam

from llms.testing import FakeUpstream, Gate, Hang, TestServer, make_app, sse
from llms.testing.app import upstream_config
from llms.testing.upstream import chunk, completion

T = TypeVar("T")
SSE = {"Content-Type": "text/event-stream"}
HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hi"}]
ADD: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}},
}


@pytest.fixture
async def server(fake_upstream: FakeUpstream) -> AsyncIterator[TestServer]:
    async with make_app(config={**upstream_config(fake_upstream), "limits": {"retries": 1}}) as server:
        yield server


@pytest.fixture
async def client(server: TestServer) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0, timeout=20) as client:
        yield client


async def in_thread(server: TestServer, use: Callable[[OpenAI], T]) -> T:
    """What `use` gives when handed the blocking client."""

    def run() -> T:
        with OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0, timeout=20) as client:
            return use(client)

    return await asyncio.to_thread(run)


# -- whole answers -----------------------------------------------------------------------------------------------


async def test_the_blocking_client_gets_an_answer(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_text("Hello!", prompt_tokens=3, completion_tokens=2)
    answer = await in_thread(server, lambda c: c.chat.completions.create(model="fake-model", messages=HI))
    assert answer.choices[0].message.content == "Hello!"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5


async def test_the_async_client_gets_an_answer(client: AsyncOpenAI, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_text("Hello!")
    answer = await client.chat.completions.create(model="fake-model", messages=HI)
    assert answer.choices[0].message.content == "Hello!"


async def test_the_raw_response_has_headers_and_parses(client: AsyncOpenAI, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_text("Hello!")
    raw = await client.chat.completions.with_raw_response.create(
        model="fake-model", messages=HI, extra_headers={"X-Request-Id": "mine"}
    )
    assert raw.http_response.status_code == 200
    assert raw.request_id == "mine"
    answer = raw.parse()
    assert answer.choices[0].message.content == "Hello!"


async def test_what_we_add_to_the_answer_is_kept_by_the_client(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="fake-model", messages=HI)
    assert "duration" in (answer.metadata or {})
    assert "duration" in ((answer.usage and answer.usage.model_extra) or {})


async def test_fields_of_a_vendor_go_through(client: AsyncOpenAI, fake_upstream: FakeUpstream) -> None:
    await client.chat.completions.create(model="fake-model", messages=HI, extra_body={"top_k": 5})
    assert fake_upstream.requests[0].body["top_k"] == 5


# -- streams -----------------------------------------------------------------------------------------------------


async def test_the_blocking_client_streams(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hel", "lo")

    def read(client: OpenAI) -> str:
        with client.chat.completions.create(model="fake-model", messages=HI, stream=True) as stream:
            return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    assert await in_thread(server, read) == "Hello"


async def test_the_async_client_gets_each_chunk_as_it_comes(client: AsyncOpenAI, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, "lo")
    seen = ""
    async with await client.chat.completions.create(model="fake-model", messages=HI, stream=True) as stream:
        async for part in stream:
            seen += part.choices[0].delta.content or ""
            if seen == "Hel":
                gate.opened.set()
    assert seen == "Hello"


async def test_usage_comes_in_the_last_chunk(client: AsyncOpenAI, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello", prompt_tokens=3, completion_tokens=2)
    stream = await client.chat.completions.create(
        model="fake-model", messages=HI, stream=True, stream_options={"include_usage": True}
    )
    chunks = [part async for part in stream]
    assert [part.usage is not None for part in chunks] == [*[False] * (len(chunks) - 1), True]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 5


async def test_the_clients_own_assembly_of_a_stream_works(client: AsyncOpenAI, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hel", "lo", prompt_tokens=3, completion_tokens=2)
    async with client.chat.completions.stream(
        model="fake-model", messages=HI, stream_options={"include_usage": True}
    ) as stream:
        answer = await stream.get_final_completion()
    assert answer.choices[0].message.content == "Hello"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5


async def test_keep_alive_comments_do_not_disturb_the_client(fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream(gate, "Hello")
    config = {**upstream_config(fake_upstream), "limits": {"keep_alive_interval": 0.01}}
    async with make_app(config=config) as server, AsyncOpenAI(base_url=f"{server.url}/v1", api_key="-") as client:
        stream = await client.chat.completions.create(model="fake-model", messages=HI, stream=True)
        gate.opened.set()  # the client has the headers, which only a comment can have brought
        assert "".join([part.choices[0].delta.content or "" async for part in stream]) == "Hello"


async def test_a_streams_raw_response_has_its_headers(client: AsyncOpenAI, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello")
    raw = await client.chat.completions.with_raw_response.create(model="fake-model", messages=HI, stream=True)
    assert raw.headers["content-type"] == "text/event-stream"
    parts: list[ChatCompletionChunk] = [part async for part in raw.parse()]
    assert parts[-1].choices[0].finish_reason == "stop"


# -- tools -------------------------------------------------------------------------------------------------------

CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}


async def test_the_callers_tools_are_the_vendors_and_calls_come_back(
    client: AsyncOpenAI, fake_upstream: FakeUpstream
) -> None:
    theirs = completion("")
    message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    theirs["choices"] = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
    fake_upstream.enqueue(json.dumps(theirs).encode())
    answer = await client.chat.completions.create(model="fake-model", messages=HI, tools=[ADD], tool_choice="auto")
    assert fake_upstream.requests[0].body["tools"] == [ADD]
    assert fake_upstream.requests[0].body["tool_choice"] == "auto"
    [call] = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.id, call.function.name, call.function.arguments) == ("call_1", "add", '{"a": 1}')


async def test_streamed_tool_calls_are_put_together_by_the_client(
    client: AsyncOpenAI, fake_upstream: FakeUpstream
) -> None:
    start = {**CALL, "index": 0, "function": {"name": "add", "arguments": ""}}
    deltas = [{"role": "assistant", "tool_calls": [start]}]
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in ('{"a"', ": 1}")]
    pieces = [sse(chunk(delta)) for delta in deltas]
    fake_upstream.enqueue(*pieces, sse(chunk({}, finish_reason="tool_calls")), b"data: [DONE]\n\n", headers=SSE)
    async with client.chat.completions.stream(model="fake-model", messages=HI, tools=[ADD]) as stream:
        answer = await stream.get_final_completion()
    [call] = answer.choices[0].message.tool_calls or []
    assert (call.function.name, call.function.arguments) == ("add", '{"a": 1}')


async def test_a_tools_result_reaches_the_vendor(client: AsyncOpenAI, fake_upstream: FakeUpstream) -> None:
    messages = [
        *HI,
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "3"},
    ]
    await client.chat.completions.create(model="fake-model", messages=messages, tools=[ADD])  # type: ignore[arg-type]
    assert fake_upstream.requests[0].body["messages"] == messages


# -- models ------------------------------------------------------------------------------------------------------


async def test_models_are_listed(client: AsyncOpenAI) -> None:
    assert [(model.id, model.owned_by) async for model in client.models.list()] == [("fake-model", "upstream")]


async def test_one_model_is_retrieved(client: AsyncOpenAI) -> None:
    assert (await client.models.retrieve("fake-model")).id == "fake-model"


# -- errors ------------------------------------------------------------------------------------------------------


async def test_an_unknown_model_is_its_not_found_error(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="Did you mean fake-model") as raised:
        await client.chat.completions.create(model="fake-modle", messages=HI)
    assert (raised.value.code, raised.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("unknown")


async def test_a_request_that_cannot_be_answered_is_its_bad_request_error(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="at least one message") as raised:
        await client.chat.completions.create(model="fake-model", messages=[])
    assert raised.value.type == "invalid_request_error"
    assert raised.value.request_id


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
async def test_what_the_vendor_refused_is_the_clients_own_error(
    client: AsyncOpenAI,
    fake_upstream: FakeUpstream,
    status: int,
    raised: type[openai.APIStatusError],
    streamed: bool,
) -> None:
    fake_upstream.enqueue_error(status, "as the vendor said", headers={"Retry-After": "30"})
    with pytest.raises(raised, match="as the vendor said") as error:
        await client.chat.completions.create(model="fake-model", messages=HI, stream=streamed)
    assert error.value.response.headers["Retry-After"] == "30"


async def test_the_blocking_client_raises_its_errors_too(server: TestServer) -> None:
    with pytest.raises(openai.NotFoundError):
        await in_thread(server, lambda c: c.chat.completions.create(model="unknown", messages=HI))


async def test_an_error_in_the_middle_of_a_stream_is_raised_where_it_is_read(
    client: AsyncOpenAI, fake_upstream: FakeUpstream
) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, sse({"error": {"message": "out of memory"}}))
    seen = ""
    stream = await client.chat.completions.create(model="fake-model", messages=HI, stream=True)
    with pytest.raises(openai.APIError, match="out of memory"):
        async for part in stream:
            seen += part.choices[0].delta.content or ""
            if seen:
                gate.opened.set()
    assert seen == "Hel"


async def test_the_client_tries_again_by_itself_where_the_vendor_recovers(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_error(500, "hiccup")
    fake_upstream.enqueue_text("Hello!")
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="-", max_retries=1, timeout=20) as client:
        answer = await client.chat.completions.create(model="fake-model", messages=HI)
    assert answer.choices[0].message.content == "Hello!"


async def test_a_client_that_stops_reading_leaves_the_vendor(client: AsyncOpenAI, fake_upstream: FakeUpstream) -> None:

    fake_upstream.enqueue_stream("Hel", Hang())
    async with await client.chat.completions.create(model="fake-model", messages=HI, stream=True) as stream:
        async for part in stream:
            if part.choices[0].delta.content:
                break
    await asyncio.wait_for(fake_upstream.gone.wait(), 20)
