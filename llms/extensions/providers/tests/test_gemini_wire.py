"""Gemini at Google AI, on the wire: what is asked again, what goes wrong, and a tool loop through a server."""

import json
from typing import Any

import pytest

from llms.api import ExtensionContext, ProviderError, StreamAssembler, StreamCut
from llms.extensions.providers.gemini import GoogleProvider
from llms.extensions.providers.gemini_stream import EventsOrArray
from llms.extensions.providers.tests.gemini_samples import HI, LOOK, NEW, OLD, PNG, answer, connected, encoded, made
from llms.testing import FakeUpstream, make_app

# -- asking again ------------------------------------------------------------------------------------------------------

EMPTY: Any = {"modelVersion": OLD, "usageMetadata": {"promptTokenCount": 3}}
MALFORMED = {"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "Malformed."}]}
EVENTS = {"Content-Type": "text/event-stream"}


async def ask(upstream: FakeUpstream, *, stream: bool = False, **fields: Any) -> Any:
    """The answer of a provider at `upstream`, as one completion."""
    chat: Any = {"model": OLD, "messages": HI, **fields}
    async with connected(made(api=upstream.url)) as provider:
        if not stream:
            return await provider.chat(chat)
        assembler = StreamAssembler()
        async for events in provider.stream(chat):
            assembler.feed_all(events)
        return assembler.so_far()


def enqueue(upstream: FakeUpstream, event: Any, *, stream: bool) -> None:
    if stream:
        upstream.enqueue(encoded(event), headers=EVENTS)
    else:
        upstream.enqueue(json.dumps(event).encode())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("empty", [EMPTY, MALFORMED])
async def test_an_answer_that_says_nothing_is_asked_for_again(
    fake_upstream: FakeUpstream, stream: bool, empty: Any
) -> None:
    for event in (empty, empty, answer({"text": "Hello"})):
        enqueue(fake_upstream, event, stream=stream)
    completion = await ask(fake_upstream, stream=stream)
    assert completion["choices"][0]["message"]["content"] == "Hello"
    assert len(fake_upstream.requests) == 3


@pytest.mark.parametrize(("stream", "error"), [(False, "without any candidates"), (True, "ended its stream before")])
async def test_it_is_asked_three_times_and_not_more(fake_upstream: FakeUpstream, stream: bool, error: str) -> None:
    for _ in range(4):
        enqueue(fake_upstream, EMPTY, stream=stream)
    with pytest.raises(ProviderError, match=error):
        await ask(fake_upstream, stream=stream)
    assert len(fake_upstream.requests) == 3


async def test_nothing_is_asked_again_after_something_was_said(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(encoded(answer({"text": "Hel"}, reason=None)), headers=EVENTS)
    with pytest.raises(StreamCut):
        await ask(fake_upstream, stream=True)
    assert len(fake_upstream.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_where_thinking_is_refused_it_is_asked_without(fake_upstream: FakeUpstream, stream: bool) -> None:
    fake_upstream.enqueue_error(400, "Thinking is not enabled for models/gemini-2.0-flash")
    enqueue(fake_upstream, answer({"text": "Hello"}), stream=stream)
    completion = await ask(fake_upstream, stream=stream, reasoning_effort="low", temperature=1)
    assert completion["choices"][0]["message"]["content"] == "Hello"
    first, second = (request.body["generationConfig"] for request in fake_upstream.requests)
    assert "thinkingConfig" in first
    assert second == {"temperature": 1}


async def test_a_refusal_of_thinking_that_was_not_asked_for_stands(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_error(400, "Thinking is hard")
    with pytest.raises(ProviderError, match="Thinking is hard"):
        await ask(fake_upstream)
    assert len(fake_upstream.requests) == 1


# -- errors and streams ------------------------------------------------------------------------------------------------


async def test_an_error_tells_how_long_to_wait(fake_upstream: FakeUpstream) -> None:
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48.5s"}
    error = {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED", "details": [retry]}
    fake_upstream.enqueue(json.dumps([{"error": error}]).encode(), status=429)  # a list, as streams have it
    with pytest.raises(ProviderError, match="Quota exceeded") as raised:
        await ask(fake_upstream, stream=True)
    assert (raised.value.upstream_status, raised.value.retry_after) == (429, 48.5)


async def test_an_error_inside_a_stream_is_raised(fake_upstream: FakeUpstream) -> None:
    error = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}
    fake_upstream.enqueue(encoded(answer({"text": "Hel"}, reason=None), error), headers=EVENTS)
    with pytest.raises(ProviderError, match="Overloaded") as raised:
        await ask(fake_upstream, stream=True)
    assert raised.value.upstream_status == 503


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_stream_may_be_one_json_array(size: int) -> None:
    objects = [{"a": 'say "\\" } {'}, {"b": [{"c": "}\\\\"}, {}]}, {"ü": 1}]
    data = ("[" + ",\r\n".join(json.dumps(one, indent=1, ensure_ascii=False) for one in objects) + "\n]").encode()
    decoder = EventsOrArray()
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    assert [json.loads(one) for piece in pieces for one in decoder.feed(piece)] == objects
    assert decoder.finish() == []


def test_a_decoder_that_was_fed_nothing_has_nothing() -> None:
    decoder = EventsOrArray()
    assert decoder.feed(b" \n") == decoder.finish() == []
    assert decoder.feed(b"data: 1\n\n") == [b"1"]


@pytest.mark.parametrize("body", [b"<html>no</html>", b"[]", b"{}", b'{"candidates": 7}', b'{"candidates": [7]}'])
@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_no_answer_is_an_error_of_the_provider(
    fake_upstream: FakeUpstream, body: bytes, stream: bool
) -> None:
    kind = "text/html" if body.startswith(b"<") else "application/json"
    for _ in range(3):
        fake_upstream.enqueue(body, headers={"Content-Type": kind})
    with pytest.raises(ProviderError):
        await ask(fake_upstream, stream=stream)


# -- through a server --------------------------------------------------------------------------------------------------


def install(ctx: ExtensionContext) -> None:
    ctx.add_provider(GoogleProvider)


def config(upstream: FakeUpstream) -> Any:
    own = {"npm": "@ai-sdk/google", "api": upstream.url, "api_key": "key-0123456789"}
    return {"providers": {"acme": {**own, "models": {NEW: {"id": NEW, "name": "Gemini", "tool_call": True}}}}}


async def test_imagen_is_asked_for_images_and_gemini_makes_its_own(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(json.dumps({"predictions": [{"bytesBase64Encoded": PNG, "mimeType": "image/png"}]}).encode())
    enqueue(fake_upstream, answer({"inlineData": {"mimeType": "image/png", "data": PNG}}), stream=False)
    imagen = {"id": "imagen-4", "name": "Imagen", "modalities": {"input": ["text"], "output": ["image"]}}
    provider = made(api=fake_upstream.url, models={"imagen-4": imagen})
    async with connected(provider):
        provider.modalities["image"].http = provider.http
        for model in ("imagen-4", "gemini-9-flash-image"):
            completion: Any = await provider.chat({"model": model, "messages": HI, "modalities": ["image"]})
            assert completion["choices"][0]["message"]["images"][0]["image_url"]["url"].endswith(PNG)
    assert [request.path for request in fake_upstream.requests] == [
        "/v1/models/imagen-4:predict",
        "/v1/models/gemini-9-flash-image:generateContent",
    ]


CALLED = {"functionCall": {"name": "look", "args": {"at": "sky"}, "id": "c1"}, "thoughtSignature": "U2ln"}
SEARCHED = [{"toolCall": {"id": "s1", "toolType": "GOOGLE_SEARCH_WEB"}, "thoughtSignature": "QQ=="}]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("before", [[], SEARCHED])
async def test_a_tool_loop_keeps_its_signatures(fake_upstream: FakeUpstream, stream: bool, before: Any) -> None:
    told = [{"text": "Hm.", "thought": True}, *before, {"text": "Let me look."}, CALLED]
    enqueue(fake_upstream, answer(*told), stream=stream)
    enqueue(fake_upstream, answer({"text": "Blue."}), stream=False)
    async with make_app(install, config=config(fake_upstream)) as server:
        chat: Any = {"model": NEW, "tools": [LOOK], "reasoning_effort": "low"}
        message = await first_message(server, {**chat, "messages": HI, "stream": stream})
        result = {"role": "tool", "tool_call_id": "c1", "content": "blue"}
        reply = await server.post("/v1/chat/completions", {**chat, "messages": [*HI, message, result]})
    assert reply.body["choices"][0]["message"]["content"] == "Blue."
    second = fake_upstream.requests[1].body["contents"]
    assert [part for part in second[1]["parts"] if "thought" not in part] == [*before, {"text": "Let me look."}, CALLED]
    assert second[2]["parts"] == [{"functionResponse": {"id": "c1", "name": "look", "response": {"result": "blue"}}}]


async def first_message(server: Any, chat: Any) -> Any:
    """The assistant's message, put together as a client does."""
    if not chat["stream"]:
        return (await server.post("/v1/chat/completions", chat)).body["choices"][0]["message"]
    assembler = StreamAssembler()
    async with server.http.post(f"{server.url}/v1/chat/completions", json=chat) as response:
        lines = (await response.text()).splitlines()
    for line in lines:
        if line.startswith("data: {"):
            assembler.feed(json.loads(line[6:]))
    return assembler.message()
