"""POST /v1/chat/completions with `stream`, as OpenAI clients read it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from llms.kernel.types import Chat, Context, Json
from llms.providers.events import StreamEvent
from llms.testing import Cut, FakeUpstream, Gate, TestServer, make_app, sse
from llms.testing.app import upstream_config
from llms.testing.upstream import chunk, completion

from .wire import DONE, Streamed, ask, chat, get, open_stream, read_until, soon, stream

SSE = {"Content-Type": "text/event-stream"}
PRICED = {"fake-model": {"id": "fake-model", "name": "Fake Model", "cost": {"input": 1, "output": 2.5}}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


async def test_the_vendors_bytes_are_relayed_as_they_are(server: TestServer, fake_upstream: FakeUpstream) -> None:
    event = 'data: {"id":"x",  "choices": [{"delta":{"content":"é\\u00e9"},"index":0}], "z":1.0}\n\n'
    end = 'data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    fake_upstream.enqueue(event.encode(), end.encode(), DONE.encode(), headers=SSE)
    assert (await stream(server)).text == event + end + DONE


async def test_an_event_cut_anywhere_on_its_way_arrives_whole(server: TestServer, fake_upstream: FakeUpstream) -> None:
    data = sse(chunk({"content": "é"})) + sse(chunk({}, finish_reason="stop")) + DONE.encode()
    fake_upstream.enqueue(*(data[i : i + 1] for i in range(len(data))), headers=SSE)
    assert (await stream(server)).text == data.decode()


async def test_role_content_reasoning_and_tool_calls_come_as_deltas(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    start = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "add", "arguments": ""}}
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "Let me add."},
        {"content": "I add."},
        {"tool_calls": [start]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a": 1}'}}]},
    ]
    pieces = [sse(chunk(delta)) for delta in deltas]
    fake_upstream.enqueue(*pieces, sse(chunk({}, finish_reason="tool_calls")), DONE.encode(), headers=SSE)
    answer = await stream(server)
    assert answer.deltas == [*deltas, {}]
    assert answer.events[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_every_chunk_has_id_object_created_and_model(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello")
    for event in (await stream(server)).events:
        assert event["object"] == "chat.completion.chunk"
        assert {"id", "created", "model", "choices"} <= event.keys()


async def test_the_headers_are_those_of_an_event_stream_nobody_may_hold_back(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_stream("Hello")
    headers = (await stream(server)).headers
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"


async def test_an_event_is_sent_on_before_the_next_has_come(server: TestServer, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("early", gate, "late")
    async with open_stream(server) as response:
        assert "late" not in await read_until(response, "early")
        gate.opened.set()
        assert "late" in await read_until(response, DONE)


async def test_streams_at_the_same_time_are_not_mixed_up(server: TestServer, fake_upstream: FakeUpstream) -> None:
    texts = [f"<{i}>" * 20 for i in range(30)]
    for text in texts:
        fake_upstream.enqueue_stream(*text)
    answers = await asyncio.gather(*(server.chat(stream=True) for _ in texts))
    assert sorted(answer.text for answer in answers) == sorted(texts)


async def test_a_client_of_http_1_0_gets_the_stream_too(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello")
    body = json.dumps(chat(stream=True)).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.server.port)
    head = get("/").replace(b"GET / HTTP/1.1", b"POST /v1/chat/completions HTTP/1.0").removesuffix(b"\r\n")
    writer.write(head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    answer = (await soon(reader.read())).decode()
    writer.close()
    assert answer.endswith(DONE)
    assert "chunked" not in answer.lower()


# -- the end -----------------------------------------------------------------------------------------------------


async def test_done_comes_once_and_last(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello")
    answer = await stream(server)
    assert answer.text.endswith(DONE)
    assert answer.text.count("[DONE]") == 1


async def test_done_comes_where_the_vendor_leaves_it_out(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello", done=False)
    assert (await stream(server)).text.endswith(DONE)


# -- usage -------------------------------------------------------------------------------------------------------


async def test_usage_is_not_told_unless_asked_for(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello", prompt_tokens=3, completion_tokens=2)
    assert "usage" not in (await stream(server)).text


async def test_the_vendor_is_always_asked_for_usage_because_we_count_it(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_stream("Hello")
    await stream(server)
    assert fake_upstream.requests[0].body["stream_options"] == {"include_usage": True}


def counted(usage: Json) -> Json:
    """`usage` without the duration, which is there and differs from run to run."""
    assert usage["duration"] >= 0
    return {key: value for key, value in usage.items() if key != "duration"}


async def test_usage_asked_for_tells_the_cost(fake_upstream: FakeUpstream) -> None:
    async with make_app(config=upstream_config(fake_upstream, models=PRICED)) as server:
        fake_upstream.enqueue_stream("Hello", prompt_tokens=100, completion_tokens=40)
        answer = await stream(server, stream_options={"include_usage": True})
    assert answer.events[-1]["cost"] == pytest.approx((100 * 1 + 40 * 2.5) / 1_000_000)


async def test_usage_asked_for_is_the_last_chunk_and_has_no_choices(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_stream("Hello", prompt_tokens=3, completion_tokens=2)
    answer = await stream(server, stream_options={"include_usage": True})
    *others, last = answer.events
    assert last["choices"] == []
    assert counted(last["usage"]) == USAGE
    assert not any(event.get("usage") for event in others)


async def test_usage_in_the_finishing_chunk_is_told_in_one_of_its_own(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    finishing = {**chunk({}, finish_reason="stop"), "usage": USAGE}
    fake_upstream.enqueue(sse(chunk({"content": "Hello"})), sse(finishing), DONE.encode(), headers=SSE)
    answer = await stream(server, stream_options={"include_usage": True})
    *_, finish, last = answer.events
    assert finish == chunk({}, finish_reason="stop")
    assert {**last, "usage": counted(last["usage"])} == {**chunk({}), "choices": [], "usage": USAGE}


async def test_usage_that_grows_with_every_chunk_is_told_once_in_its_final_form(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    grown = {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}
    pieces = [{**chunk({"content": "a"}), "usage": USAGE}, {**chunk({}, finish_reason="stop"), "usage": grown}]
    fake_upstream.enqueue(*map(sse, pieces), DONE.encode(), headers=SSE)
    answer = await stream(server, stream_options={"include_usage": True})
    assert [counted(event["usage"]) for event in answer.events if "usage" in event] == [grown]


async def test_usage_the_vendor_never_told_is_not_made_up(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello")
    answer = await stream(server, stream_options={"include_usage": True})
    assert "usage" not in answer.text
    assert answer.text.endswith(DONE)


# -- errors ------------------------------------------------------------------------------------------------------


async def test_an_error_before_the_first_byte_has_a_status_of_its_own(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_error(401, "wrong key")
    answer = await ask(server, chat(stream=True))
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/json"
    assert "wrong key" in answer.message


async def test_an_error_that_is_the_streams_first_event_has_a_status_of_its_own(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(sse({"error": {"message": "overloaded", "code": 429}}), headers=SSE)
    answer = await ask(server, chat(stream=True))
    assert answer.status == 429
    assert "overloaded" in answer.message


async def test_an_error_after_the_first_byte_is_the_last_event(server: TestServer, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, sse({"error": {"message": "out of memory"}}))
    async with open_stream(server) as response:
        begun = await read_until(response, "Hel")
        gate.opened.set()
        answer = Streamed(response.status, {}, begun + await response.text())
    assert answer.status == 200
    assert "out of memory" in answer.events[-1]["error"]["message"]
    assert set(answer.events[-1]["error"]) == {"message", "type", "code", "param"}
    assert "[DONE]" not in answer.text


async def test_an_error_inside_a_stream_never_tells_the_key_its_vendor_repeats(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, sse({"error": {"message": "no such key: test-key-0123456789"}}))
    async with open_stream(server) as response:
        await read_until(response, "Hel")
        gate.opened.set()
        assert "no such key: ***" in (rest := await response.text())
    assert "test-key-0123456789" not in rest


async def test_text_that_came_together_with_an_error_is_not_lost(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, sse(chunk({"content": "lo"})) + sse({"error": {"message": "no more"}}))
    async with open_stream(server) as response:
        await read_until(response, "Hel")
        gate.opened.set()
        rest = await response.text()
    assert rest.index('"lo"') < rest.index("no more")


async def test_a_stream_cut_by_the_vendor_ends_with_an_error(server: TestServer, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, Cut())
    async with open_stream(server) as response:
        begun = await read_until(response, "Hel")
        gate.opened.set()
        answer = Streamed(response.status, {}, begun + await response.text())
    assert answer.events[-1]["error"]["type"] == "upstream_error"


async def test_nothing_is_tried_again_after_the_first_byte(fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, Cut())
    async with make_app(config=upstream_config(fake_upstream)) as server, open_stream(server) as response:
        await read_until(response, "Hel")
        gate.opened.set()
        await response.read()
    assert len(fake_upstream.requests) == 1


async def crashing(_: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
    """A bug of ours that shows in the middle of an answer."""
    yield [StreamEvent({"choices": [{"index": 0, "delta": {"content": "Hel"}}]})]
    raise KeyError("an inner detail")


async def test_a_bug_after_the_first_byte_ends_the_stream_with_an_error_that_tells_no_details(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with make_app() as server:
        monkeypatch.setattr(server.provider, "stream", crashing)
        answer = await stream(server)
    assert answer.deltas == [{"content": "Hel"}]
    assert answer.headers["x-request-id"] in answer.events[-1]["error"]["message"]
    assert "inner detail" not in answer.text


# -- vendors that cannot stream ----------------------------------------------------------------------------------


async def test_a_whole_answer_to_a_stream_request_becomes_a_stream(
    server: TestServer, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(json.dumps(completion("Paris.", prompt_tokens=3, completion_tokens=2)).encode())
    answer = await stream(server, stream_options={"include_usage": True})
    assert answer.deltas == [{"role": "assistant", "content": "Paris."}, {}]
    assert answer.events[-2]["choices"][0]["finish_reason"] == "stop"
    assert counted(answer.events[-1]["usage"]) == USAGE
    assert answer.text.endswith(DONE)


@pytest.mark.parametrize("include", [True, False])
async def test_a_whole_answers_usage_is_told_only_when_asked_for(
    server: TestServer, fake_upstream: FakeUpstream, include: bool
) -> None:
    fake_upstream.enqueue_text("Paris.")
    answer = await stream(server, stream_options={"include_usage": include})
    assert ("usage" in answer.text) is include
