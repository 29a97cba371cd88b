"""Completions and chunks in OpenAI's form, made from what other dialects say. No I/O."""

import time
import uuid
from typing import Any, cast

from llms.kernel.types import Chunk, Completion, Json, Usage


def completion_of(
    message: Json,
    *,
    id: str | None = None,
    model: str = "",
    finish_reason: str | None = "stop",
    usage: Usage | None = None,
    **more: Any,
) -> Completion:
    """A whole answer with one choice. `message` needs no role; what is None or empty in it is left out."""
    said = {key: value for key, value in message.items() if value not in (None, "", [], {})}
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **said}, "finish_reason": finish_reason}
    completion: Json = {**_head(id, model), "object": "chat.completion", "choices": [choice], **more}
    if usage:
        completion["usage"] = usage
    return cast(Completion, completion)


class Chunks:
    """Makes the chunks of one streamed answer, which share an id, a time and a model. Both may be set when told."""

    def __init__(self, *, id: str | None = None, model: str = "") -> None:
        self._head = {**_head(id, model), "object": "chat.completion.chunk"}

    def begins(self, *, id: str | None = None, model: str | None = None) -> None:
        """Takes over what the vendor calls this answer and its model."""
        self._head |= {key: value for key, value in (("id", id), ("model", model)) if value}

    def delta(self, *, index: int = 0, finish_reason: str | None = None, **fields: Any) -> Chunk:
        """A piece of the message."""
        choice = {"index": index, "delta": fields, "finish_reason": finish_reason}
        return cast(Chunk, {**self._head, "choices": [choice]})

    def tool_call(
        self, place: int, *, id: str | None = None, name: str | None = None, arguments: str = "", **more: Any
    ) -> Chunk:
        """A piece of the tool call at `place`; its id and name belong into the first piece."""
        function: Json = {"name": name} if name is not None else {}
        call: Json = {"index": place, "function": {**function, "arguments": arguments}, **more}
        if name is not None:
            call |= {"id": id or f"call_{uuid.uuid4().hex[:24]}", "type": "function"}
        return self.delta(tool_calls=[call])

    def usage(self, usage: Usage, **more: Any) -> Chunk:
        """A chunk that has no choices, only the usage."""
        return cast(Chunk, {**self._head, "choices": [], "usage": usage, **more})


def usage_of(
    prompt: int | None,
    completion: int | None,
    *,
    total: int | None = None,
    cached: int | None = None,
    cache_write: int | None = None,
    reasoning: int | None = None,
) -> Usage:
    """Token counts as OpenAI counts them: cached ones are in `prompt`, reasoning is in `completion`."""
    usage: Json = {"prompt_tokens": prompt or 0, "completion_tokens": completion or 0}
    usage["total_tokens"] = total if total is not None else usage["prompt_tokens"] + usage["completion_tokens"]
    read = {"cached_tokens": cached, "cache_write_tokens": cache_write}
    if details := {key: value for key, value in read.items() if value is not None}:
        usage["prompt_tokens_details"] = details
    if reasoning is not None:
        usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return cast(Usage, usage)


def counts_in(told: Any) -> Json:
    """What a vendor tells of usage without counts that are no numbers; nothing where it is no object."""
    given = told if isinstance(told, dict) else {}
    counted = ("tokens", "tokencount")
    return {
        name: value
        for name, value in given.items()
        if not name.lower().endswith(counted) or isinstance(value, int | float)
    }


def _head(id: str | None, model: str) -> Json:
    return {"id": id or f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}
