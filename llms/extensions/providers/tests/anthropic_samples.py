"""Chats, answers and streams of Anthropic's dialect, and who is asked."""

import json
from typing import Any

from llms.api import StreamAssembler
from llms.extensions.providers.anthropic import AnthropicProvider

MODEL = "claude-sonnet-4-5"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
CALL = {"id": "toolu_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "sky"}'}}
LOOK = {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}
HI: Any = {"role": "user", "content": "Hi"}
MARK = {"type": "ephemeral"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "sky"}}
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "sig"}
REDACTED = {"type": "redacted_thinking", "data": "QUJD"}
SIGNED = {"type": "reasoning.text", "text": "Hm.", "signature": "sig", "format": "anthropic-claude-v1", "index": 0}
ENCRYPTED = {"type": "reasoning.encrypted", "data": "QUJD", "format": "anthropic-claude-v1", "index": 1}
WEB = {"type": "web_search_result_location", "url": "https://example.com/a", "title": "A", "cited_text": "blue"}
PAGE = {"type": "page_location", "document_title": "Facts", "document_index": 0, "cited_text": "deep", "file_id": "f1"}
SEARCHED: list[Any] = [
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "sky"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result"}]},
    {"type": "text", "text": "It is "},
    {"type": "text", "text": "blue", "citations": [WEB]},
    {"type": "text", "text": " and deep", "citations": [PAGE]},
]
USAGE = {
    "input_tokens": 3,
    "cache_read_input_tokens": 60,
    "cache_creation_input_tokens": 40,
    "output_tokens": 5,
    "output_tokens_details": {"thinking_tokens": 2},
    "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
    "service_tier": "standard",
}


def made(**entry: Any) -> AnthropicProvider:
    return AnthropicProvider(**{"id": "acme", "name": "Acme", "api_key": "key-0123456789", **entry})


def sent(*messages: Any, by: AnthropicProvider | None = None, stream: bool = False, **chat: Any) -> Any:
    """The request body for a chat of these messages."""
    asked: Any = {"model": MODEL, "messages": [*messages] or [HI], **chat}
    return json.loads((by or made()).build_request(asked, stream=stream))


def turns(*messages: Any, **entry: Any) -> Any:
    """The turns these messages become."""
    return sent(*messages, by=made(**entry))["messages"]


def whole(*content: Any, reason: str | None = "end_turn", **more: Any) -> Any:
    """An answer as it lies in the body."""
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929"}
    return {**head, "content": list(content), "stop_reason": reason, "stop_sequence": None, "usage": USAGE, **more}


def read(*content: Any, **more: Any) -> Any:
    """The completion that an answer with these blocks is."""
    return made().parse_response(json.dumps(whole(*content, **more)).encode())


def events(*content: Any, reason: str = "end_turn", **delta: Any) -> list[Any]:
    """The same answer as the events of a stream, every text in two pieces."""
    told = whole(reason=None, usage={**USAGE, "output_tokens": 1})
    stream: list[Any] = [{"type": "message_start", "message": told}, {"type": "ping"}]
    for index, block in enumerate(content):
        empty, deltas = _pieces(block)
        stream.append({"type": "content_block_start", "index": index, "content_block": empty})
        stream += [{"type": "content_block_delta", "index": index, "delta": piece} for piece in deltas]
        stream.append({"type": "content_block_stop", "index": index})
    last = {"stop_reason": reason, "stop_sequence": None, **delta}
    return [*stream, {"type": "message_delta", "delta": last, "usage": {"output_tokens": 5}}, {"type": "message_stop"}]


def _pieces(block: Any) -> Any:
    kind = block["type"]
    if kind == "text":
        texts = [{"type": "text_delta", "text": piece} for piece in (block["text"][:2], block["text"][2:])]
        cited = [{"type": "citations_delta", "citation": citation} for citation in block.get("citations") or ()]
        return {"type": kind, "text": ""}, [*texts, *cited]
    if kind == "thinking":
        thought = [{"type": "thinking_delta", "thinking": piece} for piece in block["thinking"]]
        return {**block, "thinking": "", "signature": ""}, [
            *thought,
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    if "input" in block:
        text = json.dumps(block["input"])
        pieces = ("", text[:3], text[3:]) if block["input"] else ("",)
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return block, []


def sse(stream: list[Any]) -> bytes:
    return b"".join(b"event: %s\ndata: %s\n\n" % (e["type"].encode(), json.dumps(e).encode()) for e in stream)


def assembled(stream: list[Any]) -> Any:
    """The completion that these events are."""
    reader, assembler = made().reader(), StreamAssembler()
    assembler.feed_all(reader.feed(sse(stream)))
    assembler.feed_all(reader.finish())
    reader.check()
    return assembler.so_far()
