"""Ollama's own chat API, which tells and takes more than its OpenAI-compatible door.

https://docs.ollama.com/api/chat
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, cast

import msgspec

from llms.api import (
    Chat,
    Chunk,
    Chunks,
    Completion,
    Decoder,
    DialectProvider,
    EmbeddingDialect,
    OllamaProvider,
    ProviderError,
    Translator,
    Usage,
    arguments_of,
    arguments_text,
    attachment_of,
    completion_of,
    parts_of,
    schema_of,
    usage_of,
)

from .embeddings import OLLAMA
from .json_lines import JsonLines
from .unsaid import unsaid_fields, unsaid_marks

Json = dict[str, Any]

_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "max_tokens": "num_predict",
        "max_completion_tokens": "num_predict",
        **{
            name: name
            for name in (
                *("temperature", "top_p", "top_k", "min_p", "typical_p", "seed", "num_ctx"),
                *("frequency_penalty", "presence_penalty", "repeat_penalty", "repeat_last_n"),
            )
        },
    }
)
_OWN = ("think", "format", "keep_alive", "logprobs", "top_logprobs")  # of these, the last two are OpenAI's as well
_SAID = frozenset(
    (
        *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "stop", "options"),
        *("response_format", "reasoning_effort", "enable_thinking", *_OPTIONS, *_OWN),
        *("metadata", "provider"),  # ours
    )
)
_ASKS_NOTHING: Mapping[str, Any] = MappingProxyType(
    {"n": 1, "store": False, "parallel_tool_calls": True, "modalities": ["text"], "logit_bias": {}}
)
_ON_OFF: Mapping[Any, str] = MappingProxyType({True: "high", False: "none"})
_LEVELS = MappingProxyType({"minimal": "low", "low": "low", "medium": "medium"})  # any other effort is `high`
_DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")  # nanoseconds
_OF_GENERATE = ("suffix", "template", "raw", "context")  # its own fields
_READ = frozenset(("role", "content", "tool_calls", "tool_call_id", "tool_name", "refusal"))
_READ_OF_A_TOOL = _READ | {"name"}


class OllamaNativeProvider(DialectProvider, OllamaProvider):
    """Ollama, asked at `<api>/api/chat`. It needs no key, and tells which models it has.

    The entry's `options` (such as `num_ctx`) and `keep_alive` hold for every chat that does not say otherwise. How
    long Ollama took for what stands in an answer as Ollama tells it: `eval_duration` and the like.
    """

    sdk: ClassVar[str] = "ollama/native"
    reads = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chat_url = f"{self.api}/api/chat"
        self.options: Json = dict(kwargs.get("options") or {})
        self.keep_alive: str | int | None = kwargs.get("keep_alive")

    def embedding_dialect(self, model: str) -> EmbeddingDialect:
        return OLLAMA

    async def load(self) -> None:
        """Asks which models there are, and what each can do. Of one that does not tell, only its name is known."""
        if self.models:
            return
        await super().load()
        self.set_models(models={name: {**model, **await self._abilities(name)} for name, model in self.models.items()})

    async def _abilities(self, model: str) -> Json:
        """What Ollama tells of `model` (https://docs.ollama.com/api/show); nothing where it does not answer."""
        body = msgspec.json.encode({"model": model})
        try:
            async with self.http.post(
                f"{self.api}/api/show", headers=self.headers, body=body, provider=self.name
            ) as response:
                return _facts(await self.response_json(response))
        except ProviderError:
            return {}

    # -- what is sent ------------------------------------------------------------------------------------------

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        asked: Json = {name: value for name, value in chat.items() if value is not None}
        names: dict[str, str] = {}
        body: Json = {
            "model": chat["model"],
            "messages": [self._message(message, names) for message in asked["messages"]],
            "stream": stream,
        }
        body |= {"keep_alive": self.keep_alive} if self.keep_alive is not None else {}
        body |= self._thinking(asked)
        body |= _format(asked.get("response_format"))
        body |= {name: asked[name] for name in _OWN if name in asked}
        if options := self._options(asked):
            body["options"] = options
        if tools := self._tools(asked):
            body["tools"] = tools
        self.leftovers.rest((name for name in asked if asked[name] != _ASKS_NOTHING.get(name)), _SAID)
        return body

    def _message(self, message: Json, names: dict[str, str]) -> Json:
        """`names` has the tools that were called so far, by the id of the call: a result is told with its tool."""
        role = "system" if message["role"] == "developer" else message["role"]
        self.leftovers.leave_out(*unsaid_fields(message, _READ_OF_A_TOOL if role == "tool" else _READ))
        said: Json = {"role": role, "content": _text_of(message)}
        if images := [image for part in parts_of(message.get("content")) for image in self._images(part)]:
            said["images"] = images
        if role == "assistant":
            said |= _answered(message)
            names |= {call.get("id") or "": call["function"]["name"] for call in message.get("tool_calls") or ()}
        elif role == "tool":
            id = message.get("tool_call_id") or ""
            name = message.get("tool_name") or names.get(id) or message.get("name")
            said |= {key: value for key, value in (("tool_name", name), ("tool_call_id", id)) if value}
        return said

    def _images(self, part: Json) -> Iterator[str]:
        """The image in `part` as bare base64. Ollama fetches nothing."""
        attached = attachment_of(part)
        if attached is not None and attached.kind == "image" and attached.data:
            yield attached.data
        elif part.get("type") not in ("text", "refusal"):
            linked = " with a link" if attached is not None and attached.url else ""
            self.leftovers.leave_out(f"parts of type {part.get('type')}{linked}")

    def _options(self, asked: Json) -> Json:
        options = {**self.options, **{own: asked[name] for name, own in _OPTIONS.items() if name in asked}}
        if stop := asked.get("stop"):
            options["stop"] = [stop] if isinstance(stop, str) else stop
        return {**options, **asked.get("options", {})}

    def _tools(self, asked: Json) -> list[Json]:
        """The tools. Ollama cannot be told to call one, only to call none: by being told of none."""
        choice = asked.get("tool_choice", "auto")
        if choice not in ("auto", "none"):
            self.leftovers.leave_out("tool_choice")
        functions = [tool for tool in asked.get("tools") or () if isinstance(tool.get("function"), dict)]
        others = [tool.get("type") for tool in asked.get("tools") or () if tool not in functions]
        self.leftovers.leave_out(*(f"tools of type {kind}" for kind in others), *unsaid_marks(functions))
        return [] if choice == "none" else functions

    def _thinking(self, asked: Json) -> Json:
        """Whether to think. Only gpt-oss can be told how hard (https://docs.ollama.com/capabilities/thinking)."""
        effort = asked.get("reasoning_effort") or _ON_OFF.get(asked.get("enable_thinking"))
        if effort is None or "think" in asked:
            return {}
        if effort == "none":
            return {"think": False}
        if (self.model_info(asked["model"]) or {}).get("reasoning") is False:
            self.leftovers.leave_out("reasoning_effort")
            return {}
        return {"think": _LEVELS.get(effort, "high") if "gpt-oss" in asked["model"] else True}

    # -- what is answered --------------------------------------------------------------------------------------

    def decoder(self) -> Decoder:
        return JsonLines()

    def completion(self, answer: Json) -> Completion:
        told = answer["message"]
        calls = [_call(call) for call in told.get("tool_calls") or ()]
        message = {
            "content": told.get("content") or "",
            "reasoning_content": told.get("thinking") or "",
            "tool_calls": calls,
        }
        reason = _finish_reason(answer, called=bool(calls))
        completion = completion_of(
            message, model=answer.get("model") or "", finish_reason=reason, usage=_usage(answer), **_durations(answer)
        )
        if tokens := answer.get("logprobs"):
            completion["choices"][0]["logprobs"] = {"content": tokens}
        return completion

    def translator(self) -> Translator:
        return OllamaStream()


class OllamaGenerateProvider(OllamaNativeProvider):
    """Ollama, asked at `<api>/api/generate` to go on with a text (https://docs.ollama.com/api/generate).

    For models that are no chat models. What the messages of a chat say, put together, is the text; a system's message
    stays one.
    """

    sdk: ClassVar[str] = "ollama/generate"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chat_url = f"{self.api}/api/generate"

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        own = {name: value for name, value in chat.items() if name in _OF_GENERATE and value is not None}
        body = super().request_body(cast(Chat, {k: v for k, v in chat.items() if k not in own}), stream=stream)
        messages = body.pop("messages")
        if body.pop("tools", None):
            self.leftovers.leave_out("tools")
        self.leftovers.leave_out(*(["messages.tool_calls"] if any("tool_calls" in one for one in messages) else []))
        system = [message["content"] for message in messages if message["role"] == "system"]
        body["prompt"] = _joined(message["content"] for message in messages if message["role"] != "system")
        body |= {"system": _joined(system)} if system else {}
        images = [image for message in messages for image in message.get("images", ())]
        return {**body, **({"images": images} if images else {}), **own}

    def completion(self, answer: Json) -> Completion:
        return super().completion(_as_chat(answer))

    def translator(self) -> Translator:
        return OllamaStream(_as_chat)


class OllamaStream:
    """Reads one stream of lines, the last of which is `done`. A tool call comes whole."""

    def __init__(self, as_chat: Callable[[Json], Json] = dict) -> None:
        self._as_chat = as_chat
        self._chunks = Chunks()
        self._has_begun = False
        self._calls = 0

    def feed(self, event: Json) -> Iterable[Chunk]:
        event = self._as_chat(event)
        if not self._has_begun:
            self._has_begun = True
            self._chunks.begins(model=event.get("model"))
            yield self._chunks.delta(role="assistant", content="")
        told = event.get("message") or {}
        if thought := told.get("thinking"):
            yield self._chunks.delta(reasoning_content=thought)
        if text := told.get("content"):
            chunk = self._chunks.delta(content=text)
            if tokens := event.get("logprobs"):
                chunk["choices"][0]["logprobs"] = {"content": tokens}
            yield chunk
        for call in told.get("tool_calls") or ():
            function = _call(call)["function"]
            yield self._chunks.tool_call(self._calls, id=call.get("id"), **function)
            self._calls += 1
        if event.get("done"):
            yield self._chunks.delta(finish_reason=_finish_reason(event, called=self._calls > 0))
            yield self._chunks.usage(_usage(event), **_durations(event))


def _joined(texts: Iterable[str]) -> str:
    return "\n\n".join(filter(None, texts))


def _as_chat(told: Json) -> Json:
    """What `/api/generate` tells, as `/api/chat` does. The context it tells is what it was told, in tokens."""
    message = {"content": told["response"], "thinking": told.get("thinking")}
    return {**told, "message": message}


def _facts(told: Json) -> Json:
    """What a model can do, as the catalogue tells it. Servers of 2024 do not tell their `capabilities`."""
    facts: Json = {}
    if isinstance(can := told.get("capabilities"), list):
        image = ["image"] if "vision" in can else []
        facts = {"tool_call": "tools" in can, "reasoning": "thinking" in can}
        facts["modalities"] = {"input": ["text", *image], "output": ["text"]}
    info = told.get("model_info")
    lengths = [n for name, n in info.items() if name.endswith(".context_length")] if isinstance(info, dict) else []
    return {**facts, "limit": {"context": lengths[0]}} if lengths else facts


def _format(asked: Any) -> Json:
    schema = schema_of(asked)
    return {} if schema is None else {"format": schema or "json"}


def _text_of(message: Json) -> str:
    """What `message` says, a refusal like any other text."""
    parts = parts_of(message.get("content") or message.get("refusal"))
    return "".join(str(part[part["type"]]) for part in parts if part.get("type") in ("text", "refusal"))


def _answered(message: Json) -> Json:
    """What an earlier answer said beside its text: its thoughts and its calls, whose arguments are objects."""
    said: Json = {}
    if thought := message.get("thinking") or message.get("reasoning_content"):
        said["thinking"] = thought
    if calls := message.get("tool_calls"):
        said["tool_calls"] = [
            {
                **({"id": call["id"]} if call.get("id") else {}),
                "function": {"name": call["function"]["name"], "arguments": arguments_of(call)},
            }
            for call in calls
        ]
    return said


def _call(call: Json) -> Json:
    function = {"name": call["function"]["name"], "arguments": arguments_text(call["function"].get("arguments"))}
    return {"id": call.get("id") or f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}


def _finish_reason(told: Json, *, called: bool) -> str:
    if told.get("done_reason") == "length":
        return "length"
    return "tool_calls" if called else "stop"


def _usage(told: Json) -> Usage:
    """Ollama leaves the prompt's count out where it had the whole prompt in its cache."""
    return usage_of(told.get("prompt_eval_count"), told.get("eval_count"))


def _durations(told: Json) -> Json:
    return {name: told[name] for name in _DURATIONS if name in told}
