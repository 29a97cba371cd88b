"""How each dialect says a text or a tool call, whole and in the pieces of a stream: material to spoil."""

import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llms.testing.upstream import chunk, completion, sse

Event = Any
JSON = {"Content-Type": "application/json"}
SSE = {"Content-Type": "text/event-stream"}


@dataclass(frozen=True)
class Dialect:
    """`text` and `call` are whole answers; `texts` and `calls` the events of a stream, the last `tail` of which end it.

    `call` and `calls` take the id, which may be None or missing, and the arguments as the vendor says them.
    """

    npm: str
    text: Callable[[str], Any]
    call: Callable[..., Any]
    texts: Callable[..., list[Event]]
    calls: Callable[..., list[Event]]
    error: Event  # inside a stream
    tail: int
    frame: Callable[[Event], bytes] = sse
    mime: str = "text/event-stream"

    @property
    def headers(self) -> dict[str, str]:
        """Those of a stream."""
        return {"Content-Type": self.mime}

    def cut(self, events: list[Event], *, after: str) -> list[bytes]:
        """The stream as far as the first event that has `after` in it."""
        last = next(i for i, event in enumerate(events) if after in json.dumps(event))
        return [self.frame(event) for event in events[: last + 1]]

    def framed(self, *events: Event) -> list[bytes]:
        return [self.frame(event) for event in events]


# -- OpenAI Chat Completions ---------------------------------------------------------------------------------------


def _call(id: Any = "call_1", arguments: Any = '{"word":"code"}') -> Any:
    function = {"name": "look_up", "arguments": arguments}
    answer: Any = completion("")
    call = {"id": id, "type": "function", "function": function}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    answer["choices"] = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
    return answer


def _texts(*texts: str) -> list[Event]:
    begun = chunk({"role": "assistant", "content": ""})
    return [begun, *(chunk({"content": text}) for text in texts), chunk({}, finish_reason="stop")]


def _calls(*arguments: str, id: Any = "call_1") -> list[Event]:
    begun = {"index": 0, "id": id, "type": "function", "function": {"name": "look_up", "arguments": ""}}
    pieces = [chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in arguments]
    return [chunk({"role": "assistant", "tool_calls": [begun]}), *pieces, chunk({}, finish_reason="tool_calls")]


OPENAI = Dialect(
    npm="@ai-sdk/openai-compatible",
    text=completion,
    call=_call,
    texts=_texts,
    calls=_calls,
    error={"error": {"message": "The vendor broke.", "type": "rate_limit_error", "code": 429}},
    tail=1,
)


# -- Anthropic Messages --------------------------------------------------------------------------------------------

_HEAD = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
_USAGE = {"input_tokens": 1, "output_tokens": 1}


def _message(block: Any, reason: str) -> Any:
    return {**_HEAD, "content": [block], "stop_reason": reason, "usage": _USAGE}


def _tool_use(id: Any = "call_1", arguments: Any = '{"word":"code"}') -> Any:
    given = json.loads(arguments) if isinstance(arguments, str) else arguments
    return _message({"type": "tool_use", "id": id, "name": "look_up", "input": given}, "tool_use")


def _anthropic_stream(start: Any, deltas: list[Any], reason: str) -> list[Event]:
    return [
        {"type": "message_start", "message": {**_message({}, ""), "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": start},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]


def _text_blocks(*texts: str) -> list[Event]:
    deltas = [{"type": "text_delta", "text": text} for text in texts]
    return _anthropic_stream({"type": "text", "text": ""}, deltas, "end_turn")


def _tool_blocks(*arguments: str, id: Any = "call_1") -> list[Event]:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in arguments]
    return _anthropic_stream({"type": "tool_use", "id": id, "name": "look_up", "input": {}}, deltas, "tool_use")


ANTHROPIC = Dialect(
    npm="@ai-sdk/anthropic",
    text=lambda text: _message({"type": "text", "text": text}, "end_turn"),
    call=_tool_use,
    texts=_text_blocks,
    calls=_tool_blocks,
    error={"type": "error", "error": {"type": "rate_limit_error", "message": "The vendor broke."}},
    tail=2,
)


# -- OpenAI Responses ----------------------------------------------------------------------------------------------


def _response(*output: Any) -> Any:
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    return {"id": "resp_1", "object": "response", "model": "m", "status": "completed", "output": output, "usage": usage}


def _said(text: str) -> Any:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content}


def _function_call(id: Any = "call_1", arguments: Any = '{"word":"code"}') -> Any:
    return {"id": "fc_1", "type": "function_call", "call_id": id, "name": "look_up", "arguments": arguments}


def _responses_stream(begun: Any, deltas: list[Any], item: Any) -> list[Event]:
    of = {"output_index": 0, "item_id": item["id"], "content_index": 0}
    return [
        {"type": "response.created", "response": {**_response(), "status": "in_progress", "usage": None}},
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        *({**of, **delta} for delta in deltas),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": _response(item)},
    ]


def _said_streamed(*texts: str) -> list[Event]:
    deltas = [{"type": "response.output_text.delta", "delta": text} for text in texts]
    return _responses_stream({**_said(""), "content": []}, deltas, _said("".join(texts)))


def _called_streamed(*arguments: str, id: Any = "call_1") -> list[Event]:
    deltas = [{"type": "response.function_call_arguments.delta", "delta": piece} for piece in arguments]
    return _responses_stream(_function_call(id, ""), deltas, _function_call(id, "".join(arguments)))


RESPONSES = Dialect(
    npm="openai/responses",
    text=lambda text: _response(_said(text)),
    call=lambda *given, **named: _response(_function_call(*given, **named)),
    texts=_said_streamed,
    calls=_called_streamed,
    error={"type": "error", "code": "rate_limit_exceeded", "message": "The vendor broke."},
    tail=1,
)


# -- Gemini --------------------------------------------------------------------------------------------------------


def _generated(part: Any, *, ends: bool = True) -> Any:
    candidate = {"content": {"role": "model", "parts": [part]}, "index": 0}
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    return {"candidates": [candidate | ({"finishReason": "STOP"} if ends else {})], "usageMetadata": usage}


def _gemini_call(id: Any = "call_1", arguments: Any = '{"word":"code"}') -> Any:
    given = json.loads(arguments) if isinstance(arguments, str) else arguments
    return {"functionCall": {"id": id, "name": "look_up", "args": given}}


def gemini_called(**given: Any) -> Event:
    """A whole call in a stream that goes on."""
    return _generated(_gemini_call(**given), ends=False)


def _gemini_calls(*arguments: str, id: Any = "call_1") -> list[Event]:
    """The arguments, of which there is one, in pieces: https://docs.cloud.google.com/vertex-ai/generative-ai/docs"""
    whole = json.loads("".join(arguments))
    ((name, value),) = whole.items()
    size = -(-len(value) // len(arguments))
    pieces = [value[i : i + size] for i in range(0, len(value), size)]
    parts = [{"jsonPath": f"$.{name}", "stringValue": piece, "willContinue": True} for piece in pieces]
    calls: list[Any] = [{"name": "look_up", "id": id, "willContinue": True}]
    calls += [{"partialArgs": [part], "willContinue": True} for part in parts]
    return [*(_generated({"functionCall": call}, ends=False) for call in calls), _generated({"functionCall": {}})]


GEMINI = Dialect(
    npm="@ai-sdk/google",
    text=lambda text: _generated({"text": text}),
    call=lambda *given, **named: _generated(_gemini_call(*given, **named)),
    texts=lambda *texts: [*(_generated({"text": text}, ends=False) for text in texts), _generated({"text": ""})],
    calls=_gemini_calls,
    error={"error": {"code": 429, "message": "The vendor broke.", "status": "RESOURCE_EXHAUSTED"}},
    tail=1,
)


# -- Bedrock Converse ----------------------------------------------------------------------------------------------


def _conversed(block: Any, reason: str) -> Any:
    usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    return {"output": {"message": {"role": "assistant", "content": [block]}}, "stopReason": reason, "usage": usage}


def _bedrock_call(id: Any = "call_1", arguments: Any = '{"word":"code"}') -> Any:
    given = json.loads(arguments) if isinstance(arguments, str) else arguments
    return _conversed({"toolUse": {"toolUseId": id, "name": "look_up", "input": given}}, "tool_use")


def _bedrock_stream(start: Any, deltas: list[Any], reason: str) -> list[Event]:
    return [
        {"messageStart": {"role": "assistant"}},
        *([{"contentBlockStart": {"contentBlockIndex": 0, "start": start}}] if start else []),
        *({"contentBlockDelta": {"contentBlockIndex": 0, "delta": delta}} for delta in deltas),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": reason}},
        {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}}},
    ]


def _bedrock_calls(*arguments: str, id: Any = "call_1") -> list[Event]:
    deltas = [{"toolUse": {"input": piece}} for piece in arguments]
    return _bedrock_stream({"toolUse": {"toolUseId": id, "name": "look_up"}}, deltas, "tool_use")


def amazon_frame(event: Event, payload: bytes | None = None) -> bytes:
    """https://smithy.io/2.0/aws/amazon-eventstream.html; an `exception` is told as one."""
    ((kind, said),) = event.items()
    is_error = kind == "exception"
    name, kind = (":exception-type", said["type"]) if is_error else (":event-type", kind)
    told = {name: kind, ":message-type": "exception" if is_error else "event"}
    headers = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for key, value in told.items()
    )
    payload = json.dumps(said).encode() if payload is None else payload
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    frame = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return frame + struct.pack(">I", zlib.crc32(frame))


BEDROCK = Dialect(
    npm="@ai-sdk/amazon-bedrock",
    text=lambda text: _conversed({"text": text}, "end_turn"),
    call=_bedrock_call,
    texts=lambda *texts: _bedrock_stream(None, [{"text": text} for text in texts], "end_turn"),
    calls=_bedrock_calls,
    error={"exception": {"type": "throttlingException", "message": "The vendor broke."}},
    tail=2,
    frame=amazon_frame,
    mime="application/vnd.amazon.eventstream",
)

DIALECTS = {
    "openai": OPENAI,
    "anthropic": ANTHROPIC,
    "responses": RESPONSES,
    "gemini": GEMINI,
    "bedrock": BEDROCK,
}
