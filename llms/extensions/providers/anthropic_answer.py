"""Answers in Anthropic's dialect in OpenAI's words, whole and streamed. No I/O.

https://platform.claude.com/docs/en/api/messages and https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from llms.api import Chunk, Chunks, Completion, Usage, arguments_text, completion_of, counts_in, usage_of

from .anthropic_turns import FORMAT

Json = dict[str, Any]

_ENDS = MappingProxyType(
    {
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "refusal": "content_filter",
    }
)
_KEPT = ("container", "stop_details", "context_management")  # what else the vendor tells, kept where it says something
_PLAIN_ENDS = ("end_turn", "max_tokens", "stop_sequence", "tool_use")
_DELTAS = MappingProxyType(  # the field of a block that a delta of this type makes longer, and where it has the piece
    {
        "text_delta": ("text", "text"),
        "thinking_delta": ("thinking", "thinking"),
        "signature_delta": ("signature", "signature"),
        "compaction_delta": ("content", "content"),
    }
)


def completion_from(answer: Json) -> Completion:
    """The completion that `answer`, one of type `message`, is. Raises KeyError where it is none."""
    blocks: list[Json] = answer["content"]
    message: Json = {
        "content": "".join(block["text"] for block in blocks if block["type"] == "text") or None,
        "reasoning_content": "".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
        "reasoning_details": _details(blocks),
        "annotations": _annotations(blocks),
        "tool_calls": [_call(block) for block in blocks if block["type"] == "tool_use"],
    }
    if kept := _to_keep(blocks, answer):
        message["provider_metadata"] = {"anthropic": kept}
    usage = counts_in(answer.get("usage"))
    return completion_of(
        message,
        id=answer.get("id"),
        model=answer.get("model") or "",
        finish_reason=_end(answer.get("stop_reason")),
        usage=usage_from(usage) if usage else None,
        **_tier(usage),
    )


def usage_from(told: Json) -> Usage:
    """Token counts as OpenAI counts them: what was read from and written to the cache belongs to the prompt."""
    cached, written = told.get("cache_read_input_tokens"), told.get("cache_creation_input_tokens")
    usage = usage_of(
        (told.get("input_tokens") or 0) + (cached or 0) + (written or 0),
        told.get("output_tokens"),
        cached=cached,
        cache_write=written,
        reasoning=(told.get("output_tokens_details") or {}).get("thinking_tokens"),
    )
    if used := {name: count for name, count in (told.get("server_tool_use") or {}).items() if count}:
        usage["server_tool_use"] = used  # type: ignore[typeddict-unknown-key]
    return usage


class AnthropicTranslator:
    """Reads one stream of events. What it does not know it passes over, as the vendor asks its clients to."""

    def __init__(self) -> None:
        self._chunks = Chunks()
        self._blocks: dict[int, Json] = {}
        self._pieces: dict[int, dict[str, list[str]]] = {}  # of the texts of a block that is open, by field
        self._inputs: dict[int, list[str]] = {}  # the JSON of a call's arguments, in pieces
        self._calls: dict[int, int] = {}  # block to tool call
        self._usage: Json = {}
        self._length = 0  # of the text so far
        self._thoughts = 0

    def feed(self, event: Json) -> Iterable[Chunk]:
        read = {
            "message_start": self._begin,
            "content_block_start": self._open,
            "content_block_delta": self._grow,
            "content_block_stop": self._close,
            "message_delta": self._end,
        }.get(event.get("type", ""))
        return read(event) if read else ()

    def _begin(self, event: Json) -> Iterable[Chunk]:
        message = event["message"]
        self._chunks.begins(id=message.get("id"), model=message.get("model"))
        self._usage |= counts_in(message.get("usage"))
        yield self._chunks.delta(role="assistant")

    def _open(self, event: Json) -> Iterable[Chunk]:
        index, block = event["index"], dict(event["content_block"])
        self._blocks[index], self._pieces[index], self._inputs[index] = block, {}, []
        if block["type"] == "tool_use":
            place = self._calls[index] = len(self._calls)
            yield self._chunks.tool_call(place, id=block.get("id"), name=block["name"])
        yield from self._say(block, block.get("text"), block.get("thinking"))

    def _grow(self, event: Json) -> Iterable[Chunk]:
        index, delta = event["index"], event["delta"]
        block, kind = self._blocks[index], delta.get("type")
        if kind in _DELTAS:
            field, source = _DELTAS[kind]
            piece = delta.get(source) or ""
            self._pieces[index].setdefault(field, [block.get(field) or ""]).append(piece)
            yield from self._say(block, *(piece if kind == told else None for told in ("text_delta", "thinking_delta")))
        elif kind == "citations_delta":
            block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
        elif kind == "input_json_delta" and (piece := delta.get("partial_json")):
            self._inputs[index].append(piece)
            if index in self._calls:
                yield self._chunks.tool_call(self._calls[index], arguments=piece)

    def _say(self, block: Json, text: str | None, thought: str | None) -> Iterable[Chunk]:
        if text and block["type"] == "text":
            self._length += len(text)
            yield self._chunks.delta(content=text)
        if thought and block["type"] == "thinking":
            yield self._chunks.delta(reasoning_content=thought)

    def _close(self, event: Json) -> Iterable[Chunk]:
        index = event["index"]
        block = self._blocks[index]
        block |= {field: "".join(texts) for field, texts in self._pieces.pop(index, {}).items()}
        if pieces := self._inputs.pop(index, None):
            block["input"] = _decoded("".join(pieces))
        elif index in self._calls:
            yield self._chunks.tool_call(self._calls[index], arguments=arguments_text(block.get("input")))
        if detail := _detail(block):
            yield self._chunks.delta(reasoning_details=[{**detail, "index": self._thoughts}])
            self._thoughts += 1
        if block["type"] == "text" and (cited := _cited(block, self._length - len(block["text"]))):
            yield self._chunks.delta(annotations=cited)

    def _end(self, event: Json) -> Iterable[Chunk]:
        told = event["delta"]
        self._usage |= {name: count for name, count in counts_in(event.get("usage")).items() if count is not None}
        if told.get("stop_reason"):
            blocks = [block for _, block in sorted(self._blocks.items())]
            if kept := _to_keep(blocks, {**event, **told}):
                yield self._chunks.delta(provider_metadata={"anthropic": kept})
            yield self._chunks.delta(finish_reason=_end(told["stop_reason"]))
        if self._usage:
            yield self._chunks.usage(usage_from(self._usage), **_tier(self._usage))


# -- blocks ----------------------------------------------------------------------------------------------------


def _call(block: Json) -> Json:
    function = {"name": block["name"], "arguments": arguments_text(block.get("input"))}
    return {"id": block["id"], "type": "function", "function": function}


def _details(blocks: list[Json]) -> list[Json]:
    thoughts = [detail for block in blocks if (detail := _detail(block))]
    return [{**detail, "index": index} for index, detail in enumerate(thoughts)]


def _detail(block: Json) -> Json | None:
    """A thought in the form in which it can be sent back; None for any other block."""
    if block["type"] == "thinking":
        signed = {"signature": block["signature"]} if block.get("signature") else {}
        return {"type": "reasoning.text", "text": block.get("thinking") or "", **signed, "format": FORMAT}
    if block["type"] == "redacted_thinking":
        return {"type": "reasoning.encrypted", "data": block["data"], "format": FORMAT}
    return None


def _annotations(blocks: list[Json]) -> list[Json]:
    annotations: list[Json] = []
    start = 0
    for block in blocks:
        if block["type"] == "text":
            annotations += _cited(block, start)
            start += len(block["text"])
    return annotations


def _cited(block: Json, start: int) -> list[Json]:
    """What a block of text that starts at `start` cites. What has no address is cited as a file."""
    place = {"start_index": start, "end_index": start + len(block["text"])}
    return [_annotation(citation, place) for citation in block.get("citations") or ()]


def _annotation(citation: Json, place: Json) -> Json:
    title = citation.get("title") or citation.get("document_title") or ""
    if url := citation.get("url") or citation.get("source"):
        return {"type": "url_citation", "url_citation": {"url": url, "title": title, **place}}
    file = {"filename": title, "file_id": citation.get("file_id"), "index": citation.get("document_index")}
    return {"type": "file_citation", "file_citation": {**file, **place, "quote": citation.get("cited_text")}}


def _to_keep(blocks: list[Json], told: Mapping[str, Any]) -> Json:
    """What OpenAI's words do not tell, and the vendor wants to see again."""
    kept = {name: told[name] for name in _KEPT if _says_something(told.get(name))}
    if told.get("stop_reason") not in (None, *_PLAIN_ENDS):
        kept["stop_reason"] = told["stop_reason"]
    if not _can_be_told(blocks):
        kept["content"] = blocks
    return kept


def _says_something(value: Any) -> bool:
    return any(value.values()) if isinstance(value, dict) else bool(value)


def _can_be_told(blocks: list[Json]) -> bool:
    """Whether thoughts, one text and tool calls, in this order, are all there is: what can be put together again."""
    kinds = ["thinking" if block["type"] == "redacted_thinking" else block["type"] for block in blocks]
    order = sorted(kinds, key=lambda kind: ("thinking", "text", "tool_use", kind).index(kind))
    plain = kinds == order and kinds.count("text") <= 1 and {*kinds} <= {"thinking", "text", "tool_use"}
    return plain and not any(block.get("citations") for block in blocks)


def _decoded(text: str) -> Any:
    """The arguments in `text`; none where an answer that was cut left them without an end."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _end(stop_reason: str | None) -> str | None:
    """Why it ended, in OpenAI's words. `pause_turn`, `compaction` and the like are ends like any other."""
    return _ENDS.get(stop_reason, "stop") if stop_reason else None


def _tier(usage: Json) -> Json:
    return {"service_tier": usage["service_tier"]} if usage.get("service_tier") else {}
