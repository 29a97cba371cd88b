"""Cohere's Chat API, version 2.

https://docs.cohere.com/reference/chat
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, cast

from llms.api import (
    Attachment,
    Chat,
    Chunk,
    Chunks,
    Completion,
    DialectProvider,
    EmbeddingDialect,
    ProviderError,
    Translator,
    Usage,
    arguments_text,
    attachment_of,
    completion_of,
    parts_of,
    schema_of,
    usage_of,
)

from .embeddings import COHERE
from .unsaid import unsaid_fields, unsaid_marks

Json = dict[str, Any]
Parts = Mapping[str, Callable[[Json], Json]]

_NAMES = MappingProxyType({"top_p": "p", "top_k": "k", "max_completion_tokens": "max_tokens"})
_SAME = ("temperature", "seed", "frequency_penalty", "presence_penalty", "max_tokens")
_OWN = (  # Cohere's own fields, which a caller may give as they are
    "citation_options",
    "documents",
    "k",
    "p",
    "priority",
    "raw_prompting",
    "safety_mode",
    "stop_sequences",
    "strict_tools",
    "thinking",
)
_SAID = frozenset(
    (
        *("model", "messages", "stream", "stream_options", "stop", "tools", "tool_choice", "response_format"),
        *("reasoning_effort", "enable_thinking", "logprobs", *_NAMES, *_SAME, *_OWN),
        *("metadata", "provider"),  # ours
    )
)
_ASKS_NOTHING: Mapping[str, Any] = MappingProxyType(
    {"n": 1, "store": False, "parallel_tool_calls": True, "modalities": ["text"], "logit_bias": {}, "top_logprobs": 0}
)
_CHOICES = MappingProxyType({"required": "REQUIRED", "none": "NONE", "REQUIRED": "REQUIRED", "NONE": "NONE"})
_BUDGETS = MappingProxyType({"minimal": 1024, "low": 2048, "medium": 8192})  # tokens; any other effort has no end
_ON_OFF: Mapping[Any, str] = MappingProxyType({True: "high", False: "none"})
_ENDS = MappingProxyType(
    {
        "COMPLETE": "stop",
        "STOP_SEQUENCE": "stop",
        "USER_CANCEL": "stop",
        "MAX_TOKENS": "length",
        "ERROR_LIMIT": "length",
        "TOOL_CALL": "tool_calls",
        "ERROR_TOXIC": "content_filter",
    }
)
_FAILED = MappingProxyType({"ERROR": "the answer failed", "TIMEOUT": "the answer took too long"})
_READ = frozenset(("role", "content", "tool_calls", "tool_call_id", "tool_plan", "citations", "refusal"))


class CohereProvider(DialectProvider):
    """Cohere's models. Texts that are attached as files are the `documents` that an answer may cite.

    The plan that a model makes before it calls tools is kept as `provider_metadata.cohere.tool_plan`, and what an
    answer cites as `citations` beside it.
    """

    sdk: ClassVar[str] = "@ai-sdk/cohere"
    default_api: ClassVar[str | None] = "https://api.cohere.com/v2"
    reads = ("text/",)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chat_url = f"{self.api}/chat"

    def embedding_dialect(self, model: str) -> EmbeddingDialect:
        return COHERE

    # -- what is sent ------------------------------------------------------------------------------------------

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        asked: Json = {name: value for name, value in chat.items() if value is not None}
        documents = [*asked.get("documents", ())]
        body: Json = {
            "model": chat["model"],
            "messages": [said for message in asked["messages"] if (said := self._message(message, documents))],
            "stream": stream,
        }
        body |= {name: asked[name] for name in _SAME if name in asked}
        body |= {own: asked[name] for name, own in _NAMES.items() if name in asked}
        body |= {name: asked[name] for name in _OWN if name in asked}
        body |= self._tools(asked)
        body |= self._thinking(asked)
        body |= self._format(asked.get("response_format"))
        if stop := asked.get("stop"):
            body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
        if asked.get("logprobs"):
            body["logprobs"] = True
        if documents:
            body["documents"] = documents
        self.leftovers.rest((name for name in asked if asked[name] != _ASKS_NOTHING.get(name)), _SAID)
        return body

    def _message(self, message: Json, documents: list[Json]) -> Json | None:
        """What says `message`; None for an answer that says nothing, which Cohere refuses."""
        self.leftovers.leave_out(*unsaid_fields(message, _READ))
        role = "system" if message["role"] == "developer" else message["role"]
        content = self._content(message.get("content"), documents, _TOOLS_PARTS if role == "tool" else _PARTS)
        said: Json = {"role": role, "content": content or ""}
        if role == "assistant":
            return _answered(message, content)
        if role == "tool":
            said["tool_call_id"] = message.get("tool_call_id")
        return said

    def _content(self, content: Any, documents: list[Json], parts: Parts) -> Any:
        """A text stays a text; of a list, every part that can be said."""
        if content is None or isinstance(content, str):
            return content
        return [said for part in parts_of(content) for said in self._part(part, documents, parts)]

    def _part(self, part: Json, documents: list[Json], parts: Parts) -> Iterator[Json]:
        kind = part.get("type")
        attached = attachment_of(part)
        if say := parts.get(str(kind)):
            yield say(part)
        elif attached is not None and attached.kind == "file" and attached.mime.startswith("text/") and attached.data:
            documents.append(_document(attached, len(documents)))
        else:
            self.leftovers.leave_out(f"parts of type {kind}")

    def _tools(self, asked: Json) -> Json:
        """The tools and whether one must be called. Cohere cannot be told which: then it is given no other."""
        self.leftovers.leave_out(*unsaid_marks(asked.get("tools") or ()))
        functions = [self._function(tool) for tool in asked.get("tools") or ()]
        tools = [function for function in functions if function]
        choice = asked.get("tool_choice")
        said: Json = {}
        if isinstance(choice, dict) and choice.get("type") == "function":
            tools = [tool for tool in tools if tool["name"] == choice["function"]["name"]] or tools
            said["tool_choice"] = "REQUIRED"
        elif isinstance(choice, str) and choice in _CHOICES:
            said["tool_choice"] = _CHOICES[choice]
        elif choice not in (None, "auto"):
            self.leftovers.leave_out("tool_choice")
        if not tools:
            return {}
        strict = [bool(tool.pop("strict", False)) for tool in tools]
        if all(strict):
            said["strict_tools"] = True
        elif any(strict):
            self.leftovers.leave_out("tools.strict")  # all are, or none is
        return {"tools": [{"type": "function", "function": tool} for tool in tools], **said}

    def _function(self, tool: Json) -> Json | None:
        function = tool.get("function")
        if isinstance(function, dict):
            function = {name: value for name, value in function.items() if name != "cache_control"}
            return {**function, "parameters": function.get("parameters") or {"type": "object", "properties": {}}}
        self.leftovers.leave_out(f"tools of type {tool.get('type')}")
        return None

    def _thinking(self, asked: Json) -> Json:
        effort = asked.get("reasoning_effort") or _ON_OFF.get(asked.get("enable_thinking"))
        if effort is None or "thinking" in asked:
            return {}
        if (self.model_info(asked["model"]) or {}).get("reasoning") is False:
            self.leftovers.leave_out(*(["reasoning_effort"] if effort != "none" else []))
            return {}
        if effort == "none":
            return {"thinking": {"type": "disabled"}}
        budget = {"token_budget": _BUDGETS[effort]} if effort in _BUDGETS else {}
        return {"thinking": {"type": "enabled", **budget}}

    def _format(self, asked: Any) -> Json:
        """A schema in OpenAI's words, or Cohere's own, where it stands without a name."""
        schema = schema_of(asked)
        if schema is None:
            return {}
        if asked["type"] == "json_object":
            schema = asked.get("json_schema") or asked.get("schema") or {}
        return {"response_format": {"type": "json_object", **({"json_schema": schema} if schema else {})}}

    # -- what is answered --------------------------------------------------------------------------------------

    def completion(self, answer: Json) -> Completion:
        told = answer["message"]
        blocks = told.get("content") or []
        starts = _Starts()
        for place, block in enumerate(blocks):
            starts.grow(place, block.get("text") or "")
        citations = told.get("citations") or []
        message = {
            "content": "".join(block.get("text") or "" for block in blocks),
            "reasoning_content": "".join(block.get("thinking") or "" for block in blocks),
            "tool_calls": [_call(call) for call in told.get("tool_calls") or ()],
            "annotations": [made for citation in citations for made in _annotations(citation, starts)],
            **_to_keep(told.get("tool_plan"), citations),
        }
        reason = finish_reason_in(answer, provider=self.name)
        usage = usage_in(answer.get("usage"))
        completion = completion_of(message, id=answer.get("id"), finish_reason=reason, usage=usage)
        if tokens := answer.get("logprobs"):
            completion["choices"][0]["logprobs"] = _logprobs(tokens)
        return completion

    def translator(self) -> Translator:
        return CohereStream(provider=self.name)


class CohereStream:
    """Reads one stream of events, each of which names its `type`."""

    def __init__(self, *, provider: str) -> None:
        self._provider = provider
        self._chunks = Chunks()
        self._starts = _Starts()
        self._calls: dict[int, int] = {}  # the place of a tool call, by Cohere's index
        self._plan: list[str] = []  # in pieces
        self._citations: list[Json] = []

    def feed(self, event: Json) -> Iterable[Chunk]:
        read = _EVENTS.get(event.get("type") or "")
        return read(self, event) if read is not None else ()

    def begins(self, event: Json) -> Iterable[Chunk]:
        self._chunks.begins(id=event.get("id"))
        yield self._chunks.delta(role="assistant", content="")

    def goes_on(self, event: Json) -> Iterable[Chunk]:
        delta = event["delta"]
        said = (delta.get("message") or {}).get("content") or {}
        if thought := said.get("thinking"):
            yield self._chunks.delta(reasoning_content=thought)
        if text := said.get("text"):
            self._starts.grow(event.get("index") or 0, text)
            chunk = self._chunks.delta(content=text)
            if tokens := event.get("logprobs") or delta.get("logprobs"):
                chunk["choices"][0]["logprobs"] = _logprobs([tokens] if isinstance(tokens, dict) else tokens)
            yield chunk

    def plans(self, event: Json) -> Iterable[Chunk]:
        self._plan.append(event["delta"]["message"]["tool_plan"])
        return ()

    def calls(self, event: Json) -> Iterable[Chunk]:
        call = event["delta"]["message"]["tool_calls"]
        place = self._calls[event.get("index") or 0] = len(self._calls)
        function = call["function"]
        arguments = function.get("arguments") or ""
        yield self._chunks.tool_call(place, id=call.get("id"), name=function["name"], arguments=arguments)

    def calls_on(self, event: Json) -> Iterable[Chunk]:
        arguments = event["delta"]["message"]["tool_calls"]["function"]["arguments"]
        yield self._chunks.tool_call(self._calls[event.get("index") or 0], arguments=arguments)

    def cites(self, event: Json) -> Iterable[Chunk]:
        citation = event["delta"]["message"]["citations"]
        self._citations.append(citation)
        if annotations := _annotations(citation, self._starts):
            yield self._chunks.delta(annotations=annotations)

    def ends(self, event: Json) -> Iterable[Chunk]:
        delta = event["delta"]
        reason = finish_reason_in(delta, provider=self._provider)
        yield self._chunks.delta(finish_reason=reason, **_to_keep("".join(self._plan), self._citations))
        if usage := usage_in(delta.get("usage")):
            yield self._chunks.usage(usage)


_EVENTS: Mapping[str, Callable[[CohereStream, Json], Iterable[Chunk]]] = MappingProxyType(
    {
        "message-start": CohereStream.begins,
        "content-start": CohereStream.goes_on,
        "content-delta": CohereStream.goes_on,
        "tool-plan-delta": CohereStream.plans,
        "tool-call-start": CohereStream.calls,
        "tool-call-delta": CohereStream.calls_on,
        "citation-start": CohereStream.cites,
        "message-end": CohereStream.ends,
    }
)


class _Starts:
    """Where each block of text begins in the whole text: Cohere counts from the beginning of the block."""

    def __init__(self) -> None:
        self._lengths: dict[int, int] = {}

    def grow(self, block: int, text: str) -> None:
        self._lengths[block] = self._lengths.get(block, 0) + len(text)

    def of(self, block: int | None) -> int:
        """Of the first block where none is told."""
        return sum(length for place, length in self._lengths.items() if block is not None and place < block)


# -- parts ---------------------------------------------------------------------------------------------------------


def _text(part: Json) -> Json:
    return {"type": "text", "text": part["text"]}


def _image(part: Json) -> Json:
    given = part["image_url"]
    return {"type": "image_url", "image_url": given if isinstance(given, dict) else {"url": given}}


def _as_it_is(part: Json) -> Json:
    return part


def _refusal(part: Json) -> Json:
    return {"type": "text", "text": part["refusal"]}


_TOOLS_PARTS: Parts = MappingProxyType({"text": _text, "document": _as_it_is})
_PARTS: Parts = MappingProxyType(
    {**_TOOLS_PARTS, "image_url": _image, "thinking": _as_it_is, "refusal": _refusal},
)


def _document(file: Attachment, place: int) -> Json:
    title = {"title": file.name} if file.name else {}
    return {"id": f"doc:{place}", "data": {**title, "text": file.bytes.decode("utf-8", "replace")}}


def _answered(message: Json, content: Any) -> Json | None:
    """An earlier answer: its thoughts and its text, its plan, its calls; None where there is nothing of these."""
    said: Json = {"role": "assistant"}
    content = content or message.get("refusal")
    if (thought := message.get("reasoning_content")) and not _thinks(content):
        content = [{"type": "thinking", "thinking": thought}, *parts_of(content)]
    if content:
        said["content"] = content
    kept = (message.get("provider_metadata") or {}).get("cohere") or {}
    if plan := message.get("tool_plan") or kept.get("tool_plan"):
        said["tool_plan"] = plan
    if calls := message.get("tool_calls"):
        said["tool_calls"] = [_call(call) for call in calls]
    return said if len(said) > 1 else None


def _thinks(content: Any) -> bool:
    return isinstance(content, list) and any(part.get("type") == "thinking" for part in content)


def _call(call: Json) -> Json:
    """A tool call, which OpenAI and Cohere tell alike."""
    function = {"name": call["function"]["name"], "arguments": arguments_text(call["function"].get("arguments") or {})}
    return {"id": call.get("id"), "type": "function", "function": function}


# -- answers -------------------------------------------------------------------------------------------------------


def _annotations(citation: Json, starts: _Starts) -> list[Json]:
    """What the text cites, in one annotation; none for what a plan or a thought cites."""
    if citation.get("type") not in (None, "TEXT_CONTENT"):
        return []
    start = starts.of(citation.get("content_index"))
    place = {"start_index": start + citation["start"], "end_index": start + citation["end"]}
    source: Json = (citation.get("sources") or [{}])[0]
    document: Json = source.get("document") or {}
    title = document.get("title") or ""
    if url := document.get("url"):
        return [{"type": "url_citation", "url_citation": {"url": url, "title": title, **place}}]
    file = {"filename": title, "file_id": source.get("id"), "quote": citation.get("text")}
    return [{"type": "file_citation", "file_citation": {**file, **place}}]


def _to_keep(plan: str | None, citations: list[Json]) -> Json:
    kept = {name: value for name, value in (("tool_plan", plan), ("citations", citations)) if value}
    return {"provider_metadata": {"cohere": kept}} if kept else {}


def finish_reason_in(told: Json, *, provider: str) -> str:
    """Why it ended, in OpenAI's words. Raises ProviderError where that was a failure."""
    reason = told["finish_reason"]
    if reason in _FAILED:
        raise ProviderError(f"{provider}: {told.get('error') or _FAILED[reason]}. Try again.", provider=provider)
    return _ENDS.get(reason, "stop")


def usage_in(told: Json | None) -> Usage | None:
    """All tokens that were read and written. Those that are paid for, mostly fewer, stand beside as `billed_units`."""
    if not told:
        return None
    billed = told.get("billed_units") or {}
    tokens = told.get("tokens") or billed
    usage = usage_of(
        _whole(tokens.get("input_tokens")),
        _whole(tokens.get("output_tokens")),
        cached=_whole(told.get("cached_tokens")),
        reasoning=_whole(tokens.get("reasoning_tokens")),
    )
    return cast(Usage, {**usage, "billed_units": billed}) if billed else usage


def _whole(count: float | None) -> int | None:
    """Cohere's numbers may have a fraction."""
    return None if count is None else int(count)


def _logprobs(told: list[Json]) -> Json:
    """Cohere tells several tokens at once, with one text: its probability is that of all of them."""
    return {
        "content": [
            {"token": piece.get("text") or "", "logprob": sum(piece["logprobs"]), "bytes": None, "top_logprobs": []}
            for piece in told
            if piece.get("logprobs")
        ]
    }
