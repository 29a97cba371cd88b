"""Chats, answers and streams of Bedrock, and who is asked."""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from llms.extensions.providers.bedrock import BedrockProvider

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "us.amazon.nova-2-lite-v1:0"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
CALL = {"id": "tooluse_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "sky"}'}}
LOOK = {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}
HI = [{"role": "user", "content": "Hi"}]
SIGNED = {"type": "reasoning.text", "text": "Hm.", "signature": "sig", "format": "anthropic-claude-v1", "index": 0}
UNSIGNED = {"type": "reasoning.text", "text": "Hm.", "format": "bedrock-converse-v1", "index": 0}
REDACTED = {"type": "reasoning.encrypted", "data": "QUJD", "format": "bedrock-converse-v1", "index": 1}
FOREIGN = {"type": "reasoning.text", "text": "Hm.", "signature": "x", "format": "google-gemini-v1", "index": 2}
ARN = "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/abc"

SERVER = [
    {"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}},
    {"toolResult": {"toolUseId": "s1", "content": [{"text": "[HIDDEN]"}], "type": "nova_grounding_result"}},
    {"text": "4.0"},
]
CITED: Any = {
    "citations": [
        {
            "location": {"web": {"url": "https://example.com/a", "domain": "example.com"}},
            "sourceContent": [{"text": "It is blue."}],
        },
        {"title": "facts", "location": {"documentChar": {"documentIndex": 0, "start": 0, "end": 5}}},
    ],
    "content": [{"text": "blue"}],
}
ANSWER: list[Any] = [
    {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "sig"}}},
    {"reasoningContent": {"redactedContent": "QUJD"}},
    {"text": "It is "},
    {"citationsContent": CITED},
    {"toolUse": {"toolUseId": "tooluse_1", "name": "look", "input": {"at": "sky"}}},
    {"image": {"format": "png", "source": {"bytes": PNG}}},
]
USAGE = {
    "inputTokens": 3,
    "outputTokens": 5,
    "totalTokens": 108,
    "cacheReadInputTokens": 60,
    "cacheWriteInputTokens": 40,
}


def made(**entry: Any) -> BedrockProvider:
    return BedrockProvider(**{"id": "acme", "api_key": "key-0123456789", **entry})


def sent(*messages: Any, provider: BedrockProvider | None = None, model: str = CLAUDE, **chat: Any) -> Any:
    """The request body for a chat of these messages."""
    asked: Any = {"model": model, "messages": list(messages) or HI, **chat}
    return json.loads((provider or made()).build_request(asked, stream=False))


def framed(headers: bytes, payload: bytes) -> bytes:
    """A frame of Amazon's event streams."""
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    frame = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return frame + struct.pack(">I", zlib.crc32(frame))


def header(name: str, value: str) -> bytes:
    """A header that is a text."""
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()


def frame(kind: str, payload: Any) -> bytes:
    """The frame of an event."""
    told: Mapping[str, str] = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return framed(b"".join(header(*one) for one in told.items()), json.dumps(payload).encode())


def exception(kind: str, payload: bytes) -> bytes:
    """The frame of an error."""
    return framed(header(":exception-type", kind) + header(":message-type", "exception"), payload)


def pieces(place: int, *deltas: Any, start: Any = None) -> bytes:
    """The frames of one block."""
    begun = [frame("contentBlockStart", {"contentBlockIndex": place, "start": start})] if start else []
    gone_on = [frame("contentBlockDelta", {"contentBlockIndex": place, "delta": delta}) for delta in deltas]
    return b"".join([*begun, *gone_on, frame("contentBlockStop", {"contentBlockIndex": place})])


STREAM = (
    frame("messageStart", {"role": "assistant"}),
    pieces(0, *({"reasoningContent": one} for one in ({"text": "H"}, {"text": "m."}, {"signature": "sig"}))),
    pieces(1, {"reasoningContent": {"redactedContent": "QUJD"}}),
    pieces(2, {"text": "It "}, {"text": "is "}),
    pieces(3, {"text": "bl"}, {"text": "ue"}, *({"citation": one} for one in CITED["citations"])),
    pieces(
        4,
        {"toolUse": {"input": '{"at":'}},
        {"toolUse": {"input": ' "sky"}'}},
        start={"toolUse": {"toolUseId": "tooluse_1", "name": "look"}},
    ),
    pieces(5, {"image": {"source": {"bytes": PNG}}}, start={"image": {"format": "png"}}),
    frame("messageStop", {"stopReason": "tool_use"}),
    frame("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}, "serviceTier": {"type": "flex"}}),
)
