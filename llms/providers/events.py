"""One event of a streamed answer, on its way from a provider to whoever reads it."""

from typing import cast

import msgspec

from llms.kernel.types import Choice, Chunk, Completion, Json

_encode = msgspec.json.Encoder().encode
DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"


class StreamEvent:
    """A `chat.completion.chunk`. The upstream's own bytes are kept while nothing has changed it.

    `plain` says that it holds a piece of text and nothing that anybody on the way has to look at.
    """

    __slots__ = ("chunk", "plain", "raw")

    def __init__(self, chunk: Chunk, raw: bytes | None = None, *, plain: bool = False) -> None:
        self.chunk = chunk
        self.raw = raw
        self.plain = plain

    def encode(self) -> bytes:
        """The event as it goes over the wire."""
        return b"data: " + (self.raw if self.raw is not None else _encode(self.chunk)) + b"\n\n"


def encode_data(data: Json) -> bytes:
    """`data` as one event."""
    return b"data: " + _encode(data) + b"\n\n"


def as_events(completion: Completion) -> list[StreamEvent]:
    """A whole answer as a stream: one chunk with everything, one that ends it."""
    whole = cast(Json, completion)
    base: Json = {key: whole[key] for key in ("id", "created", "model") if key in whole}
    base["object"] = "chat.completion.chunk"
    choices = completion.get("choices", [])
    delta = [
        {
            **_logprobs(choice),
            "index": i,
            "delta": _indexed(cast(Json, choice.get("message") or {})),
            "finish_reason": None,
        }
        for i, choice in enumerate(choices)
    ]
    end = [
        {"index": i, "delta": {}, "finish_reason": choice.get("finish_reason") or "stop"}
        for i, choice in enumerate(choices)
    ]
    extra = {key: value for key, value in whole.items() if key not in _WHOLE and value is not None}
    return [
        StreamEvent(cast(Chunk, {**base, "choices": delta})),
        StreamEvent(cast(Chunk, {**base, **extra, "choices": end})),
    ]


_WHOLE = {"id", "object", "created", "model", "choices", "metadata"}


def _logprobs(choice: Choice) -> Json:
    return {"logprobs": choice["logprobs"]} if choice.get("logprobs") else {}


def _indexed(message: Json) -> Json:
    """`message` as a delta: its tool calls carry their place, which only a stream needs."""
    calls = message.get("tool_calls")
    if not calls:
        return {key: value for key, value in message.items() if value is not None}
    return {**message, "tool_calls": [{**call, "index": i} for i, call in enumerate(calls)]}
