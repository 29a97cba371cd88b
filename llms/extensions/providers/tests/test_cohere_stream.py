"""Cohere's streams, and all of its Chat API through a server."""

import json
from typing import Any

import pytest

from llms.api import ExtensionContext, ProviderError, StreamAssembler
from llms.extensions.providers.cohere import CohereProvider
from llms.extensions.providers.tests.cohere_samples import (
    CALL,
    CITATION,
    HI,
    LOOK,
    answer,
    end,
    event,
    made,
)
from llms.testing import FakeUpstream, make_app


def read(*events: Any) -> Any:
    """The answer that a stream of `events` tells."""
    reader, assembler = made().reader(), StreamAssembler()
    for one in events:
        assembler.feed_all(reader.feed(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode()))
    reader.check()
    return assembler.so_far()


# -- streams -----------------------------------------------------------------------------------------------------------

THOUGHT = event("content-delta", 0, content={"thinking": "Hm."})
STREAM = (
    {"id": "a-1", **event("message-start", role="assistant", content=[])},
    event("content-start", 0, content={"type": "thinking", "thinking": ""}),
    THOUGHT,
    {"type": "content-end", "index": 0},
    event("tool-plan-delta", tool_plan="I will "),
    event("tool-plan-delta", tool_plan="look."),
    event("tool-call-start", 0, tool_calls={**CALL, "function": {"name": "look", "arguments": ""}}),
    event("tool-call-delta", 0, tool_calls={"function": {"arguments": '{"at":'}}),
    event("tool-call-delta", 0, tool_calls={"function": {"arguments": '"sky"}'}}),
    {"type": "tool-call-end", "index": 0},
    end("TOOL_CALL"),
)


def test_a_stream_is_read() -> None:
    completion = read(*STREAM)
    choice = completion["choices"][0]
    assert (completion["id"], choice["finish_reason"]) == ("a-1", "tool_calls")
    assert choice["message"] == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "Hm.",
        "tool_calls": [CALL],
        "provider_metadata": {"cohere": {"tool_plan": "I will look."}},
    }
    assert completion["usage"]["billed_units"] == {"input_tokens": 3, "output_tokens": 4}


def test_a_streamed_text_brings_citations_and_logprobs() -> None:
    tokens = {"logprobs": {"token_ids": [1, 2], "text": "Green", "logprobs": [-1, -2]}}
    completion = read(
        event("message-start"),
        event("content-start", 0, content={"type": "text", "text": "One. "}),
        {**event("content-delta", 1, content={"text": "Green"}), **tokens},
        event("citation-start", 0, citations=CITATION),
        {"type": "citation-end", "index": 0},
        {"type": "debug", "prompt": "?"},
        end(),
    )
    choice = completion["choices"][0]
    assert choice["message"]["content"] == "One. Green"
    assert choice["message"]["annotations"][0]["file_citation"]["start_index"] == 5
    assert choice["message"]["provider_metadata"] == {"cohere": {"citations": [CITATION]}}
    assert choice["logprobs"]["content"][0]["logprob"] == -3


@pytest.mark.parametrize("reason", ["ERROR", "TIMEOUT"])
def test_a_stream_that_failed_is_an_error(reason: str) -> None:
    with pytest.raises(ProviderError, match="Acme: out of luck"):
        read(event("message-start"), end(reason, error="out of luck"))


def test_a_stream_without_an_end_was_cut() -> None:
    with pytest.raises(ProviderError, match="ended its stream before the answer was complete"):
        read(*STREAM[:-1])


def test_an_event_in_another_form_is_an_error() -> None:
    with pytest.raises(ProviderError, match="Acme answered in a form that cannot be read"):
        read(event("tool-call-delta", 3, tool_calls={"function": {"arguments": "{}"}}))


# -- through a server --------------------------------------------------------------------------------------------------


def install(ctx: ExtensionContext) -> None:
    ctx.add_provider(CohereProvider)


def config(upstream: FakeUpstream) -> Any:
    models = {"command-a": {"id": "command-a", "name": "Command A"}}
    return {
        "providers": {
            "acme": {"npm": "@ai-sdk/cohere", "api": upstream.url, "api_key": "key-0123456789", "models": models}
        }
    }


@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_loop_keeps_its_thoughts_and_its_plan(fake_upstream: FakeUpstream, stream: bool) -> None:
    if stream:
        events = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in STREAM]
        fake_upstream.enqueue(*events, headers={"Content-Type": "text/event-stream"})
    else:
        thought = {"type": "thinking", "thinking": "Hm."}
        whole = answer(thought, reason="TOOL_CALL", tool_plan="I will look.", tool_calls=[CALL])
        fake_upstream.enqueue(json.dumps(whole).encode())
    fake_upstream.enqueue(json.dumps(answer({"type": "text", "text": "Blue."})).encode())
    async with make_app(install, config=config(fake_upstream)) as server:
        reply = await server.chat(model="command-a", tools=[LOOK], stream=stream)
        assembler = StreamAssembler()
        for chunk in reply.chunks:
            assembler.feed(chunk)  # type: ignore[arg-type]
        message = assembler.message() if stream else reply.body["choices"][0]["message"]
        told = {"role": "tool", "tool_call_id": "look_1", "content": "blue"}
        asked = {"model": "command-a", "tools": [LOOK], "messages": [*HI, message, told]}
        reply = await server.post("/v1/chat/completions", asked)
    assert reply.body["choices"][0]["message"]["content"] == "Blue."
    first, second = fake_upstream.requests
    assert (first.path, first.headers["Authorization"]) == ("/v1/chat", "Bearer key-0123456789")
    assert second.body["messages"][1] == {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Hm."}],
        "tool_plan": "I will look.",
        "tool_calls": [CALL],
    }


async def test_coheres_errors_are_told(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b'{"id":"1","message":"model \'x\' not found"}', status=404)
    async with make_app(install, config=config(fake_upstream)) as server:
        reply = await server.chat(model="command-a")
    assert reply.status >= 400
    assert "model 'x' not found" in reply.body["error"]["message"]
