"""Cohere's Chat API, version 1: for deployments that have no other. It is told texts only.

https://docs.cohere.com/v1/reference/chat
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from llms.api import (
    Chat,
    Chunk,
    Chunks,
    Completion,
    Decoder,
    DialectProvider,
    EmbeddingDialect,
    Translator,
    completion_of,
    parts_of,
    schema_of,
    text_of,
)

from .cohere import finish_reason_in, usage_in
from .embeddings import COHERE
from .json_lines import JsonLines

Json = dict[str, Any]

_ROLES = MappingProxyType({"system": "SYSTEM", "developer": "SYSTEM", "user": "USER", "assistant": "CHATBOT"})
_NAMES = MappingProxyType({"top_p": "p", "top_k": "k", "max_completion_tokens": "max_tokens"})
_SAME = (
    *("temperature", "seed", "frequency_penalty", "presence_penalty", "max_tokens"),
    *("k", "p", "stop_sequences", "documents", "connectors", "citation_quality", "prompt_truncation", "safety_mode"),
)
_SAID = frozenset(
    (
        *("model", "messages", "stream", "stream_options", "stop", "response_format", *_NAMES, *_SAME),
        *("metadata", "provider"),  # ours
    )
)
_ASKS_NOTHING: Mapping[str, Any] = MappingProxyType(
    {"n": 1, "store": False, "parallel_tool_calls": True, "modalities": ["text"], "tools": [], "tool_choice": "none"}
)


class CohereV1Provider(DialectProvider):
    """Cohere as it was before `@ai-sdk/cohere`. Tools and images need that one."""

    sdk: ClassVar[str] = "cohere/v1"
    default_api: ClassVar[str | None] = "https://api.cohere.com/v1"
    reads = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chat_url = f"{self.api}/chat"

    def embedding_dialect(self, model: str) -> EmbeddingDialect:
        return COHERE

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        asked: Json = {name: value for name, value in chat.items() if value is not None}
        turns = [self._turn(message) for message in asked["messages"] if message["role"] in _ROLES]
        if len(turns) < len(asked["messages"]):
            self.leftovers.leave_out("messages of tools")
        body: Json = {"model": chat["model"], "message": turns.pop()["message"] if turns else "", "stream": stream}
        body |= {"chat_history": turns} if turns else {}
        body |= {own: asked[name] for name, own in _NAMES.items() if name in asked}
        body |= {name: asked[name] for name in _SAME if name in asked}
        if stop := asked.get("stop"):
            body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
        if (schema := schema_of(asked.get("response_format"))) is not None:
            body["response_format"] = {"type": "json_object", **({"schema": schema} if schema else {})}
        self.leftovers.rest((name for name in asked if asked[name] != _ASKS_NOTHING.get(name)), _SAID)
        return body

    def _turn(self, message: Json) -> Json:
        kinds = {part.get("type") for part in parts_of(message.get("content"))} - {"text"}
        self.leftovers.leave_out(*(f"parts of type {kind}" for kind in sorted(map(str, kinds))))
        self.leftovers.leave_out(*(["messages.tool_calls"] if message.get("tool_calls") else []))
        return {"role": _ROLES[message["role"]], "message": text_of(message.get("content"))}

    def decoder(self) -> Decoder:
        return JsonLines()

    def completion(self, answer: Json) -> Completion:
        return completion_of(
            {"content": answer["text"], "annotations": _annotations(answer)},
            id=answer.get("response_id"),
            finish_reason=finish_reason_in(answer, provider=self.name),
            usage=usage_in(answer.get("meta")),
        )

    def translator(self) -> Translator:
        return CohereV1Stream(provider=self.name)


class CohereV1Stream:
    """Reads one stream of lines, each of which names its `event_type`. The last has the whole answer in it."""

    def __init__(self, *, provider: str) -> None:
        self._provider = provider
        self._chunks = Chunks()

    def feed(self, event: Json) -> Iterable[Chunk]:
        kind = event.get("event_type")
        if kind == "stream-start":
            self._chunks.begins(id=event.get("generation_id"))
            yield self._chunks.delta(role="assistant", content="")
        elif kind == "text-generation":
            yield self._chunks.delta(content=event["text"])
        elif kind == "stream-end":
            told = event.get("response") or {}
            reason = finish_reason_in(event, provider=self._provider)
            cited: Json = {"annotations": annotations} if (annotations := _annotations(told)) else {}
            yield self._chunks.delta(finish_reason=reason, **cited)
            if usage := usage_in(told.get("meta")):
                yield self._chunks.usage(usage)


def _annotations(told: Json) -> list[Json]:
    """What the text cites: of each citation the first document, by its address where it has one."""
    documents = {document["id"]: document for document in told.get("documents") or () if document.get("id")}
    return [_annotation(citation, documents) for citation in told.get("citations") or ()]


def _annotation(citation: Json, documents: Mapping[str, Json]) -> Json:
    id = next(iter(citation.get("document_ids") or ()), None)
    document = documents.get(id or "", {})
    place = {"start_index": citation["start"], "end_index": citation["end"]}
    title = document.get("title") or ""
    if url := document.get("url"):
        return {"type": "url_citation", "url_citation": {"url": url, "title": title, **place}}
    file = {"filename": title, "file_id": id, "quote": citation.get("text")}
    return {"type": "file_citation", "file_citation": {**file, **place}}
