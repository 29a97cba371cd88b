"""OpenAI's Responses API, as an upstream (https://platform.openai.com/docs/api-reference/responses/create).

`responses_items.py` says a chat's messages, `responses_answer.py` reads what comes back.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from types import MappingProxyType
from typing import Any, ClassVar, cast

from llms.api import (
    Chat,
    Completion,
    Context,
    DialectProvider,
    ProviderError,
    StreamAssembler,
    StreamEvent,
    Translator,
)

from .responses_answer import ResponsesStream
from .responses_items import Conversation, forgotten, is_from

Json = dict[str, Any]
_OTHERWISE = frozenset(  # fields of a chat that go under other names
    (
        *("logprobs", "max_completion_tokens", "max_tokens", "messages", "metadata", "modalities", "reasoning_effort"),
        *("response_format", "stream", "stream_options", "tools", "verbosity", "web_search_options"),
    )
)
_UNSAYABLE: Mapping[str, Any] = MappingProxyType(  # … that have none, and the value with which they ask for nothing
    {
        "audio": None,
        "cache_control": None,
        "enable_thinking": None,
        "frequency_penalty": 0,
        "function_call": None,
        "functions": [],
        "logit_bias": {},
        "n": 1,
        "prediction": None,
        "presence_penalty": 0,
        "seed": None,
        "stop": [],
    }
)
_ENCRYPTED = "reasoning.encrypted_content"
_REASONS = re.compile(r"(?:^|[/.])(?:o[1-9]|gpt-[5-9](?!.*-chat)|codex|computer-use|grok-[4-9])")
_STATEFUL = frozenset(("background", "conversation", "previous_response_id"))  # whoever says these wants it stored
# What OpenAI and Azure (by their code), xAI and gateways say of thoughts that they cannot decrypt.
_UNREADABLE = re.compile(r"encrypted.content|compaction blob", re.IGNORECASE)


class ResponsesProvider(DialectProvider):
    """A provider that speaks OpenAI's Responses API at `<api>/responses`.

    Nothing is stored there unless the chat, or the entry's `store`, says so; what a model thought comes back encrypted
    instead. The entry's `reasoning_summary` (`auto`, `concise`, `detailed`; `false` for none) is asked for wherever a
    chat says `reasoning_effort`: OpenAI gives summaries to verified organisations only. Fields, parts and tools that
    are the API's own go through as they are.

    What a model thought goes back to its own vendor only. Should even that one be unable to read it, because the key
    now belongs to another organisation, it is asked once more without.
    """

    sdk: ClassVar[str] = "openai/responses"
    has_custom_tools: ClassVar[bool] = True
    default_api: ClassVar[str | None] = "https://api.openai.com/v1"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chat_url = f"{self.api}/responses"
        self.reasoning_summary: str | bool = kwargs.get("reasoning_summary", "auto")

    @property
    def issuer(self) -> str:
        """Who alone can read what its models thought, and knows the ids it gave: the host of the API."""
        return self.api.partition("//")[2].partition("/")[0].rpartition("@")[2].lower()

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        try:
            return await super().chat(chat, context)
        except ProviderError as exc:
            if not self._is_due_to_thoughts(exc, chat):
                raise
        return await super().chat(self._forgetting(chat), context)

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        held: list[StreamEvent] = []  # until the vendor has read it all: it may refuse inside the stream too
        is_read = not self._brings_thoughts(chat)
        try:
            async with aclosing(super().stream(chat, context)) as batches:
                async for events in batches:
                    held += events
                    is_read = is_read or any(map(_says_something, events))
                    if is_read:
                        yield held
                        held = []
        except ProviderError as exc:
            if is_read or not self._is_due_to_thoughts(exc, chat):
                raise
        else:
            return
        async with aclosing(super().stream(self._forgetting(chat), context)) as batches:
            async for events in batches:
                yield events

    def _brings_thoughts(self, chat: Chat) -> bool:
        return any(is_from(self.issuer, cast(Json, message)) for message in chat["messages"])

    def _is_due_to_thoughts(self, error: ProviderError, chat: Chat) -> bool:
        """Whether `error` says that the vendor cannot read what it is said to have thought."""
        said = f"{error.code} {error}"
        return error.upstream_status == 400 and _UNREADABLE.search(said) is not None and self._brings_thoughts(chat)

    def _forgetting(self, chat: Chat) -> Chat:
        self.leftovers.leave_out("messages: reasoning_details")
        messages = [forgotten(cast(Json, message)) for message in chat["messages"]]
        return cast(Chat, {**chat, "messages": messages})

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        asked: Json = {name: value for name, value in chat.items() if value is not None}
        body = {name: value for name, value in asked.items() if name not in _OTHERWISE and name not in _UNSAYABLE}
        if isinstance(body.get("provider"), str):  # names one of ours; OpenRouter's own `provider` is an object
            del body["provider"]
        if not _STATEFUL.intersection(asked):
            body.setdefault("store", False)
        conversation = Conversation(stored=body.get("store") is not False, issuer=self.issuer)
        for message in asked["messages"]:
            conversation.add(message)
        self.leftovers.leave_out(*dict.fromkeys((*conversation.left_out, *_left_out(asked))))
        said = {
            "include": self._include(asked, body),
            "max_output_tokens": _first(asked, "max_output_tokens", "max_completion_tokens", "max_tokens"),
            "reasoning": {**self._reasoning(asked), **asked.get("reasoning", {})},
            "text": {**_text(asked), **asked.get("text", {})},
            "tools": _tools(asked),
            "tool_choice": _tool_choice(asked.get("tool_choice")),
            "stream": stream,
            "stream_options": _stream_options(asked) if stream else None,
        }
        return {**body, **{name: value for name, value in said.items() if value}, "input": conversation.items}

    def _include(self, asked: Json, body: Json) -> list[str]:
        """What the answer shall hold that it does not always: what the caller wants, and all that is kept for us."""
        included = list(asked.get("include") or ())
        if asked.get("logprobs"):
            included.append("message.output_text.logprobs")
        if body.get("store") is False and self._reasons(asked["model"]):
            included.append(_ENCRYPTED)
        return list(dict.fromkeys(included))

    def _reasons(self, model: str) -> bool:
        """Whether `model` is known to reason: any other answers 400 when asked for what it thought."""
        known = (self.model_info(model) or {}).get("reasoning")
        return _REASONS.search(model.lower()) is not None if known is None else known

    def _reasoning(self, asked: Json) -> Json:
        effort = asked.get("reasoning_effort")
        if effort is None:
            return {}
        summary = {"summary": self.reasoning_summary} if self.reasoning_summary and effort != "none" else {}
        return {"effort": effort, **summary}

    def completion(self, answer: Json) -> Completion:
        """A whole answer is what a stream says at its end."""
        assembler = StreamAssembler()
        for chunk in self.translator().feed({"type": "response.completed", "response": answer}):
            assembler.feed(chunk)
        return assembler.so_far()

    def translator(self) -> Translator:
        return ResponsesStream(provider=self.name, issuer=self.issuer)


def _says_something(event: StreamEvent) -> bool:
    """Whether `event` is more than the beginning of an answer."""
    choices = event.chunk.get("choices") or ()
    return any(choice.get("finish_reason") or choice.get("delta", {}).keys() - {"role"} for choice in choices)


def _left_out(asked: Json) -> list[str]:
    """The names of what cannot be said, where it asks for something."""
    unsayable = [name for name, nothing in _UNSAYABLE.items() if name in asked and asked[name] != nothing]
    marked = any("cache_control" in tool for tool in asked.get("tools") or ())
    return [
        *unsayable,
        *(["modalities"] if asked.get("modalities", ["text"]) != ["text"] else []),
        *(["tools: cache_control"] if marked else []),
    ]


def _first(asked: Json, *names: str) -> Any:
    """What the first of `names` says that says anything."""
    return next((asked[name] for name in names if name in asked), None)


def _text(asked: Json) -> Json:
    text: Json = {}
    if wanted := asked.get("response_format"):
        text["format"] = {"type": wanted["type"], **wanted.get(wanted["type"], {})}
    if "verbosity" in asked:
        text["verbosity"] = asked["verbosity"]
    return text


def _tools(asked: Json) -> list[Json]:
    tools = [_tool(tool) for tool in asked.get("tools") or ()]
    if (search := asked.get("web_search_options")) is not None:
        tools.append(_web_search(search))
    return tools


def _tool(tool: Json) -> Json:
    """`tool` in this API's flat form. One that is so already, as all are that the vendor runs itself, stays."""
    if "function" in tool:
        function = {"parameters": {"type": "object", "properties": {}}, **tool["function"]}
        return {"type": "function", **function, "strict": function.get("strict") or False}  # here the default is true
    if "custom" in tool:
        return {"type": "custom", **tool["custom"], **_format(tool["custom"].get("format"))}
    return {key: value for key, value in tool.items() if key != "cache_control"}


def _format(given: Any) -> Json:
    """A custom tool's format with its grammar beside the type."""
    if not isinstance(given, dict) or "grammar" not in given:
        return {}
    return {"format": {"type": given["type"], **given["grammar"]}}


def _web_search(options: Json) -> Json:
    """What the search models of Chat Completions have of themselves is a tool here."""
    tool = {"type": "web_search", **options}
    if place := options.get("user_location"):
        tool["user_location"] = {"type": "approximate", **place.get("approximate", place)}
    return tool


def _tool_choice(choice: Any) -> Any:
    if not isinstance(choice, dict):
        return choice
    kind = choice.get("type")
    detail = choice.get(kind) if kind in ("function", "custom", "allowed_tools") else None
    if not isinstance(detail, dict):
        return choice
    if kind == "allowed_tools":
        return {"type": kind, **detail, "tools": [_tool_choice(tool) for tool in detail.get("tools") or ()]}
    return {"type": kind, **detail}


def _stream_options(asked: Json) -> Json:
    options = asked.get("stream_options") or {}
    return {name: options[name] for name in ("include_obfuscation",) if name in options}
