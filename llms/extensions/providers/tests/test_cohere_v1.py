"""Cohere's Chat API, version 1: what is sent, what is read, and all of it through a server."""

import json
from typing import Any

import pytest

from llms.api import ExtensionContext, ProviderError, RequestError, StreamAssembler
from llms.extensions.providers.cohere_v1 import CohereV1Provider
from llms.testing import FakeUpstream, make_app

HI: Any = [{"role": "user", "content": "Hi"}]
META = {"tokens": {"input_tokens": 5, "output_tokens": 6}, "billed_units": {"input_tokens": 1, "output_tokens": 2}}
CITED = {
    "citations": [
        {"start": 0, "end": 4, "text": "Blue", "document_ids": ["d1", "d2"]},
        {"start": 5, "end": 6, "text": "?", "document_ids": ["d3"]},
    ],
    "documents": [{"id": "d1", "title": "Sky", "url": "https://x/"}, {"id": "d3", "title": "Notes"}],
}


def made(**entry: Any) -> CohereV1Provider:
    return CohereV1Provider(**{"id": "acme", "name": "Acme", "api_key": "key-0123456789", **entry})


def sent(*messages: Any, **fields: Any) -> Any:
    chat: Any = {"model": "command", "messages": [*messages] or HI, **fields}
    return made().request_body(chat, stream=False)


def test_the_last_message_stands_apart() -> None:
    body = sent(
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Sky?"}]},
        {"role": "assistant", "content": "Blue."},
        *HI,
    )
    assert body == {
        "model": "command",
        "message": "Hi",
        "stream": False,
        "chat_history": [
            {"role": "SYSTEM", "message": "Be kind."},
            {"role": "USER", "message": "Sky?"},
            {"role": "CHATBOT", "message": "Blue."},
        ],
    }


def test_fields_go_by_coheres_names() -> None:
    body = sent(top_p=0.5, top_k=2, max_completion_tokens=7, stop="|", seed=1, n=1, connectors=[{"id": "web-search"}])
    assert body == {
        "model": "command",
        "message": "Hi",
        "stream": False,
        "seed": 1,
        "connectors": [{"id": "web-search"}],
        "p": 0.5,
        "k": 2,
        "max_tokens": 7,
        "stop_sequences": ["|"],
    }
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    assert sent(response_format=schema)["response_format"] == {"type": "json_object", "schema": {"type": "object"}}


@pytest.mark.parametrize(
    "asked",
    [
        {"tools": [{"type": "function", "function": {"name": "look"}}]},
        {"messages": [{"role": "tool", "tool_call_id": "1", "content": "5"}]},
        {"messages": [{"role": "assistant", "tool_calls": [{}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y"}}]}]},
    ],
)
def test_what_is_no_text_is_refused_where_the_entry_says_so_and_left_out_elsewhere(asked: Any) -> None:
    chat: Any = {"model": "command", "messages": HI, **asked}
    with pytest.raises(RequestError, match="Acme cannot be told"):
        made(unsupported="error").request_body(chat, stream=False)
    assert made().request_body(chat, stream=False)["message"] in ("Hi", "")


def test_an_answer_is_read() -> None:
    told = {"response_id": "r-1", "text": "Blue ?", "finish_reason": "MAX_TOKENS", "meta": META, **CITED}
    completion: Any = made().completion(told)
    choice = completion["choices"][0]
    assert (completion["id"], choice["finish_reason"], choice["message"]["content"]) == ("r-1", "length", "Blue ?")
    first, second = choice["message"]["annotations"]
    place = {"start_index": 0, "end_index": 4}
    assert first == {"type": "url_citation", "url_citation": {"url": "https://x/", "title": "Sky", **place}}
    assert second["file_citation"]["filename"] == "Notes"
    assert completion["usage"]["total_tokens"] == 11


def lines(*events: Any) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


STREAM = lines(
    {"event_type": "stream-start", "generation_id": "g-1"},
    {"event_type": "search-queries-generation", "search_queries": []},
    {"event_type": "text-generation", "text": "Blue"},
    {"event_type": "text-generation", "text": " ?"},
    {"event_type": "stream-end", "finish_reason": "COMPLETE", "response": {"meta": META, **CITED}},
)


def test_a_failed_stream_is_an_error() -> None:
    reader = made().reader()
    reader.feed(lines({"event_type": "stream-end", "finish_reason": "ERROR"}))
    with pytest.raises(ProviderError, match="Acme: the answer failed"):
        reader.check()


def install(ctx: ExtensionContext) -> None:
    ctx.add_provider(CohereV1Provider)


async def test_a_stream_of_lines_is_read_through_a_server(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(STREAM[:50], STREAM[50:], headers={"Content-Type": "application/stream+json"})
    models = {"command": {"id": "command", "name": "Command"}}
    entry = {"npm": "cohere/v1", "api": fake_upstream.url, "api_key": "key-0123456789", "models": models}
    async with make_app(install, config={"providers": {"acme": entry}}) as server:
        reply = await server.chat(model="command", stream=True)
    assembler = StreamAssembler()
    for chunk in reply.chunks:
        assembler.feed(chunk)  # type: ignore[arg-type]
    choice: Any = assembler.so_far()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Blue ?", "stop")
    assert len(choice["message"]["annotations"]) == 2
    assert fake_upstream.requests[0].path == "/v1/chat"
