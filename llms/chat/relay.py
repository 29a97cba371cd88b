"""One stream for the client, out of the several that a tool loop reads."""

from collections import Counter
from typing import Any, cast

from llms.kernel.types import Chunk, Completion, Json
from llms.providers.events import StreamEvent

_OF_AN_ANSWER = ("id", "created", "model")  # the same on every chunk of one answer
_AT_THE_END = ("choices", "usage", "cost", "metadata", "object")
_TEXTS = ("content", "reasoning_content")
_PLACED = ("annotations", "audios", "files", "images")  # lists whose entries have an `index` of their own in streams


class Relay:
    """Texts and media of every round pass; finish reasons, usage and all else that is no text wait for `end`.

    What waits is told of the last round alone, as in an answer that is not streamed: clients put deltas together, and
    would make one of what two rounds say of themselves.

    All chunks carry the id of the first; where the model spoke before its tools ran, a blank line parts that from what
    it says afterwards.
    """

    def __init__(self) -> None:
        self._head: Json = {}
        self._is_first = True
        self._spoken: set[str] = set()  # kinds of text that earlier rounds held
        self._speaking: set[str] = set()  # and this one
        self._before: Counter[tuple[int, str]] = Counter()  # entries of earlier rounds, by choice and list
        self._placed: Counter[tuple[int, str]] = Counter()  # and with those of this one

    def next_round(self) -> None:
        self._is_first = False
        self._spoken |= self._speaking
        self._speaking = set()
        self._before = self._placed.copy()

    def shown(self, events: list[StreamEvent]) -> list[StreamEvent]:
        """What the client may see of `events` now."""
        return [shown for event in events if (shown := self._shown(event)) is not None]

    def end(self, answer: Completion) -> list[StreamEvent]:
        """The end of the whole answer: the calls left to the client, the finish reasons, the usage."""
        whole = cast(Json, answer)
        base = {**{key: whole.get(key) for key in _OF_AN_ANSWER}, **self._head, "object": "chat.completion.chunk"}
        extra = {key: value for key, value in whole.items() if key not in _OF_AN_ANSWER + _AT_THE_END}
        waited, finish = [], []
        for index, choice in enumerate(answer.get("choices") or ()):
            place, message = choice.get("index", index), cast(Json, choice.get("message") or {})
            delta = {name: value for name, value in message.items() if value and _waits(name, value)}
            calls = delta.get("tool_calls") or ()
            if calls:
                delta["tool_calls"] = [{**call, "index": i} for i, call in enumerate(calls)]
            if delta:
                waited.append({"index": place, "delta": delta, "finish_reason": None})
            reason = choice.get("finish_reason") or ("tool_calls" if calls else "stop")
            finish.append({"index": place, "delta": {}, "finish_reason": reason})
        chunks = [{**base, "choices": waited}] if waited else []
        chunks.append({**base, **extra, "choices": finish})
        if whole.get("usage"):
            used: Json = {key: whole[key] for key in ("usage", "cost") if key in whole}
            chunks.append({**base, **used, "choices": []})
        return [StreamEvent(cast(Chunk, chunk)) for chunk in chunks]

    def _shown(self, event: StreamEvent) -> StreamEvent | None:
        """The event without what has to wait; itself where nothing has, None where nothing else is in it."""
        chunk = cast(Json, event.chunk)
        if not self._head and chunk.get("id"):
            self._head = {key: chunk[key] for key in _OF_AN_ANSWER if key in chunk}
        given = chunk.get("choices") or []
        choices = [choice for each in given if (choice := self._choice(each)) is not None]
        if not choices:
            return None
        if choices == given and self._is_first and not chunk.get("usage"):
            return event
        rest = {key: value for key, value in chunk.items() if key not in ("usage", "cost")}
        return StreamEvent(cast(Chunk, {**rest, **self._head, "choices": choices}))

    def _choice(self, choice: Json) -> Json | None:
        """What of one choice may be shown; None where that is nothing."""
        given = choice.get("delta") or {}
        delta = {
            name: self._passed(choice.get("index") or 0, name, value)
            for name, value in given.items()
            if not _waits(name, value) and (self._is_first or name != "role")
        }
        if not (any(delta.values()) or choice.get("logprobs")):
            return None
        shown = {**choice, "delta": delta}
        if shown.get("finish_reason"):
            shown["finish_reason"] = None
        return shown

    def _passed(self, choice: int, name: str, value: object) -> object:
        """`value` of a delta of `choice`, as it goes on from what earlier rounds said."""
        return self._numbered((choice, name), value) if isinstance(value, list) else self._parted(name, value)

    def _numbered(self, key: tuple[int, str], entries: list[Any]) -> list[Any]:
        """`entries` with their places among those of all rounds."""
        numbered: list[Any] = []
        for entry in entries:
            if isinstance(entry, dict):
                told = entry.get("index")
                place = self._before[key] + told if isinstance(told, int) else self._placed[key]
                self._placed[key] = max(self._placed[key], place + 1)
                numbered.append({**entry, "index": place})
        return numbered

    def _parted(self, kind: str, text: object) -> object:
        """`text`, after a blank line where it is the first of its kind since tools ran."""
        if kind not in _TEXTS or not isinstance(text, str) or not text:
            return text
        begins = kind not in self._speaking and kind in self._spoken
        if text.strip():
            self._speaking.add(kind)
        return f"\n\n{text}" if begins else text


def _waits(name: str, value: object) -> bool:
    """Whether a field of a message is told at the end: what is neither text nor media, and tool calls."""
    return name == "tool_calls" or (isinstance(value, dict | list) and name not in (*_PLACED, "audio"))
