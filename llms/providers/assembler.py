"""Streamed chunks put together again. No I/O."""

import time
import uuid
from collections.abc import Iterable
from typing import Any, cast

import msgspec

from llms.kernel.types import Chunk, Completion, Json, Message, Usage
from llms.providers.events import StreamEvent

_JOINED = ("content", "reasoning_content", "refusal")
_PLACED = ("annotations", "audios", "files", "images")  # lists whose entries have an `index` in streams only
_IN_PIECES = ("function_call", "audio")  # objects, some of whose texts come in pieces:
_PIECES = ("arguments", "data", "transcript")


class StreamAssembler:
    """Builds one completion from tidied chunks.

    Feed chunks in order; `so_far()` gives the completion as known by then. Whether a stream was cut is for the
    provider to say, who alone sees its `[DONE]`.
    """

    def __init__(self, *, model: str = "") -> None:
        self._model = model
        self._head: Json = {}
        self._extra: Json = {}
        self._choices: dict[int, _Choice] = {}
        self.usage: Usage = {}

    def feed(self, chunk: Chunk) -> None:
        if not self._head and chunk.get("id"):
            self._head = {"id": chunk["id"], "created": chunk.get("created"), "model": chunk.get("model")}
        for choice in chunk.get("choices") or ():
            index = choice.get("index") or 0
            target = self._choices.get(index)
            if target is None:
                target = self._choices[index] = _Choice()
            target.feed(cast(Json, choice))
        if usage := chunk.get("usage"):
            self.usage.update(cast(Usage, {key: value for key, value in usage.items() if value is not None}))
        for key, value in chunk.items():
            if key not in _KNOWN and value is not None:
                self._extra[key] = value

    def feed_all(self, events: Iterable[StreamEvent]) -> None:
        for event in events:
            self.feed(event.chunk)

    def message(self) -> Message:
        """What the first choice says by now; nothing before it has begun."""
        choice = self._choices.get(0)
        return cast(Message, choice.whole(0)["message"]) if choice is not None else {}

    def so_far(self) -> Completion:
        """The completion as known by now."""
        completion: Json = {
            "id": self._head.get("id") or f"chatcmpl-{uuid.uuid4().hex}",
            "object": "chat.completion",
            "created": self._head.get("created") or int(time.time()),
            "model": self._head.get("model") or self._model,
            "choices": [choice.whole(index) for index, choice in sorted(self._choices.items())],
            **self._extra,
        }
        if self.usage:
            completion["usage"] = self.usage
        return cast(Completion, completion)


_KNOWN = {"id", "object", "created", "model", "choices", "usage", "obfuscation", "prompt_filter_results"}


def _without_index(parts: list[Any]) -> list[Any]:
    return [
        {key: value for key, value in part.items() if key != "index"} if isinstance(part, dict) else part
        for part in parts
    ]


class _Choice:
    __slots__ = ("_extra", "_lists", "_logprobs", "_texts", "_tools", "finish_reason")

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._lists: dict[str, list[Any]] = {}
        self._extra: Json = {}
        self._logprobs: Json | None = None
        self._tools = _ToolCalls()
        self.finish_reason: str | None = None

    def feed(self, choice: Json) -> None:
        for key, value in (choice.get("delta") or {}).items():
            if value is None:
                continue
            if key in _JOINED and isinstance(value, str):
                self._texts.setdefault(key, []).append(value)
            elif key == "tool_calls":
                self._tools.feed(value)
            elif isinstance(value, list):
                self._lists.setdefault(key, []).extend(value)
            elif key in _IN_PIECES and isinstance(value, dict):
                _extend(self._extra.setdefault(key, {}), value)
            elif value != "":
                self._extra[key] = value
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        if logprobs := choice.get("logprobs"):
            self._add_logprobs(logprobs)

    def _add_logprobs(self, logprobs: Json) -> None:
        if self._logprobs is None:
            self._logprobs = {}
        for key, value in logprobs.items():
            if isinstance(value, list):
                self._logprobs.setdefault(key, []).extend(value)

    def whole(self, index: int) -> Json:
        texts = {key: "".join(parts) for key, parts in self._texts.items()}
        lists = {key: _without_index(parts) if key in _PLACED else parts for key, parts in self._lists.items()}
        extra = {key: _joined(value) if key in _IN_PIECES else value for key, value in self._extra.items()}
        message = {"role": "assistant", "content": None, **extra, **lists, **texts}
        if calls := self._tools.whole():
            message["tool_calls"] = calls
        choice: Json = {"index": index, "message": message, "finish_reason": self.finish_reason}
        if self._logprobs is not None:
            choice["logprobs"] = self._logprobs
        return choice


class _ToolCalls:
    """Tool calls by index. Some vendors leave the index out, give all calls the same, or repeat id and name."""

    def __init__(self) -> None:
        self._calls: list[tuple[int, Json]] = []  # index and call, in the order they began

    def feed(self, deltas: list[Json]) -> None:
        for delta in deltas:
            call = self._call_of(delta)
            _extend(call["function"], delta.get("function") or {})
            for key, value in delta.items():
                if key not in ("index", "function") and value not in (None, "", "null"):
                    call[key] = value  # ids are repeated on every delta by some: replaced, not joined

    def _call_of(self, delta: Json) -> Json:
        """The call that `delta` goes on with, or a new one."""
        index, id = delta.get("index"), delta.get("id")
        names = bool((delta.get("function") or {}).get("name"))
        found = self._without_index(id, names) if index is None else self._at(index)
        if found is not None and names and id and found["id"] not in (None, id):
            found = None  # begins another call, whatever its index says
        if found is None:
            found = {"id": None, "type": "function", "function": {"arguments": []}}
            self._calls.append((len(self._calls) if index is None else index, found))
        return found

    def _at(self, index: int) -> Json | None:
        return next((call for place, call in reversed(self._calls) if place == index), None)

    def _without_index(self, id: str | None, names: bool) -> Json | None:
        same = next((call for _, call in self._calls if id and call["id"] == id), None)
        if same is None and self._calls and not names:
            return self._calls[-1][1]
        return same

    def whole(self) -> list[Json]:
        in_order = sorted(self._calls, key=lambda placed: placed[0])
        return [
            {**call, "id": call["id"] or f"call_{uuid.uuid4().hex[:24]}", "function": _joined(call["function"])}
            for _, call in in_order
        ]


def _extend(known: Json, more: Json) -> None:
    """Adds `more` to what is `known` of an object that comes in pieces; `_joined` puts them together."""
    for key, value in more.items():
        if key == "arguments" and isinstance(value, dict):  # whole JSON instead of its text
            value = msgspec.json.encode(value).decode()  # noqa: PLW2901
        if key in _PIECES and isinstance(value, str):
            known.setdefault(key, []).append(value)
        elif value is not None and value != "":
            known[key] = value


def _joined(known: Any) -> Any:
    """An object that came in pieces, whole; anything else as it is."""
    if not isinstance(known, dict):
        return known
    return {
        key: "".join(value) if key in _PIECES and isinstance(value, list) else value for key, value in known.items()
    }
