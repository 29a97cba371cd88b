"""Bedrock's InvokeModel API: the older door, where each model is spoken to as its maker does.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

import msgspec

from llms.api import (
    Chat,
    Chunk,
    Chunks,
    Completion,
    OpenAiCompatible,
    ProviderError,
    Usage,
    completion_of,
    parts_of,
    text_of,
    usage_of,
)

from .anthropic import AnthropicProvider, with_betas
from .anthropic_answer import AnthropicTranslator, completion_from
from .aws import failure_of
from .bedrock import BedrockDoor, BedrockProvider, ConverseStream

Json = dict[str, Any]
P = TypeVar("P", bound=OpenAiCompatible)
_METRICS = "amazon-bedrock-invocationMetrics"
_GUARDRAIL = "amazon-bedrock-guardrailAction"
_ENDS = {
    "length": "length",
    "max_tokens": "length",
    "content_filtered": "content_filter",
    "error_toxic": "content_filter",
    "rag_query_when_rag_disabled": "stop",
}
_TEXTS = ("outputText", "generation", "completion", "text")  # where a model tells its text, or a piece of it
_REASONS = ("completionReason", "stop_reason", "finish_reason", "finishReason")
_LIMITS = ("max_tokens", "temperature", "top_p", "stop")


class BedrockInvokeProvider(BedrockDoor):
    """Claude, Nova, and the models that only complete a text. Others are spoken to in OpenAI's words.

    Which maker has answered is seen from the answer. A text is completed to `prompt`s that Titan, Llama, Mistral,
    Command and Jurassic know: tools and media cannot be said to them.
    """

    sdk: ClassVar[str] = "amazon-bedrock/invoke"
    verbs = ("invoke", "invoke-with-response-stream")
    reads = AnthropicProvider.reads

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        model = chat["model"]
        if "claude" in model and "claude-instant" not in model:
            return self._claude(chat)
        if "nova" in model:
            return self._nova(chat)
        family = next((family for family in _COMPLETERS if family in model), None)
        if family is not None:
            return self._completed(Completer(*_COMPLETERS[family]), chat)
        body = OpenAiCompatible.request_body(self, chat, stream=False)
        del body["model"]  # told by the URL, as is whether to stream
        return body

    def _claude(self, chat: Chat) -> Json:
        body = self._as(AnthropicProvider).request_body(chat, stream=False)
        del body["model"]
        betas = next(iter(with_betas({}, chat).values()), "")
        return {
            "anthropic_version": "bedrock-2023-05-31",
            **({"anthropic_beta": betas.split(",")} if betas else {}),
            **body,
        }

    def _nova(self, chat: Chat) -> Json:
        """As Converse, in whose form Nova is spoken to, save for what Bedrock itself would read."""
        body = self._as(BedrockProvider).request_body(chat, stream=False)
        body |= body.pop("additionalModelRequestFields", {})
        return {"schemaVersion": "messages-v1", **body}

    def _completed(self, completer: Completer, chat: Chat) -> Json:
        asked: Json = {name: value for name, value in chat.items() if value is not None}
        asked.setdefault("max_tokens", asked.pop("max_completion_tokens", None))
        if isinstance(asked.get("stop"), str):
            asked["stop"] = [asked["stop"]]
        said = dict(zip(_LIMITS, completer.limits, strict=False))
        limits = {own: asked[name] for name, own in said.items() if asked.get(name) is not None}
        given = (name for name, value in asked.items() if (name, value) != ("n", 1))
        self.leftovers.rest(given, {"model", "messages", "stream", "stream_options", "max_tokens", *said})
        parts = (part for message in asked["messages"] for part in parts_of(message.get("content")))
        self.leftovers.leave_out(*dict.fromkeys(str(part.get("type")) for part in parts if part.get("type") != "text"))
        prompt = completer.prompt(asked["messages"])
        return {**prompt, **({completer.inside: limits} if completer.inside and limits else limits)}

    def _as(self, cls: type[P]) -> P:
        """Another class that says a chat for this provider, and leaves out what this one does."""
        provider = cls(id=self.id, name=self.name, api=self.api, api_key=self.api_key)
        provider.leftovers, provider.table = self.leftovers, self.table
        return provider

    def completion(self, answer: Json) -> Completion:
        if answer.get("type") == "message":
            return completion_from(answer)
        if "output" in answer:
            return self._as(BedrockProvider).completion(answer)
        if "choices" in answer and "stop_reason" not in (answer["choices"] or [{}])[0]:
            return OpenAiCompatible._completion(self, answer)
        told = _first_of(answer)
        text, reason = _text(told), _reason(told) or _reason(answer)
        if text is None:
            raise ProviderError(f"{self.name} answered in no form that is known. Ask Converse.", provider=self.name)
        return completion_of({"content": text}, finish_reason=_finish(reason, answer), usage=_usage(answer))

    def translator(self) -> InvokeStream:
        return InvokeStream(provider=self.name)


class InvokeStream:
    """Reads one stream of InvokeModel, whoever's words are in it."""

    def __init__(self, *, provider: str) -> None:
        self._provider = provider
        self._claude, self._nova = AnthropicTranslator(), ConverseStream(provider=provider)
        self._chunks = Chunks()
        self._begun = {0}  # answers by index

    def feed(self, event: Json) -> Iterable[Chunk]:
        if "exception" in event:
            raise failure_of(event["exception"], provider=self._provider)
        if "chunk" not in event:
            return ()
        said: Json = msgspec.json.decode(base64.b64decode(event["chunk"]["bytes"]))
        if "type" in said:
            return self._claude.feed(said)
        if "choices" in said:
            return [cast(Chunk, said)]
        is_completed = any(name in said for name in (*_TEXTS, *_REASONS, "outputs"))
        return self._completed(said) if is_completed else self._nova.feed(said)

    def _completed(self, said: Json) -> Iterable[Chunk]:
        told = _first_of(said)
        index = int(said.get("index") or 0)
        self._begun.add(index)
        if text := _text(told):
            yield self._chunks.delta(index=index, content=text)
        if (reason := _reason(told)) or _GUARDRAIL in said:
            for begun in [index] if "index" in said else sorted(self._begun):
                yield self._chunks.delta(index=begun, finish_reason=_finish(reason, said))
        if usage := _usage(said) if reason or _METRICS in said else None:
            yield self._chunks.usage(usage)


# -- models that complete a text -----------------------------------------------------------------------------------


class Completer(NamedTuple):
    """How a family of models is asked to go on from a text."""

    prompt: Callable[[list[Json]], Json]
    limits: tuple[str, ...]  # its own names for those of `_LIMITS`, as far as it has them
    inside: str = ""  # the field that has the limits in it


def _play(messages: list[Json]) -> str:
    """One message as it is, several as a play."""
    if len(messages) == 1:
        return text_of(messages[0].get("content"))
    names = {"assistant": "Bot: ", "user": "User: "}
    lines = [f"{names.get(one['role'], '')}{text_of(one.get('content'))}" for one in messages]
    return "\n".join([*lines, "Bot:"])


def _input_text(messages: list[Json]) -> Json:
    return {"inputText": _play(messages)}


def _plain(messages: list[Json]) -> Json:
    return {"prompt": _play(messages)}


def _human(messages: list[Json]) -> Json:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-text-completion.html"""
    names = {"assistant": "Assistant: ", "user": "Human: "}
    turns = "".join(f"\n\n{names.get(one['role'], '')}{text_of(one.get('content'))}" for one in messages)
    return {"prompt": f"{turns}\n\nAssistant:"}


def _inst(messages: list[Json]) -> Json:
    """The form that Mistral's and Llama 2's instructed models were trained on; a system message opens a turn."""
    said, waiting = "<s>", ""
    for one in messages:
        text = text_of(one.get("content"))
        if one["role"] == "assistant":
            said += f"[INST] {waiting} [/INST] {text}</s>"
            waiting = ""
        else:
            waiting = f"{waiting}\n{text}".strip()
    return {"prompt": f"{said}[INST] {waiting} [/INST]" if waiting else said}


def _headed(messages: list[Json]) -> Json:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html"""
    turns = [_turn(one["role"], text_of(one.get("content"))) for one in messages]
    return {"prompt": f"<|begin_of_text|>{''.join(turns)}<|start_header_id|>assistant<|end_header_id|>\n\n"}


def _turn(role: str, text: str) -> str:
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n{text}<|eot_id|>"


def _command_r(messages: list[Json]) -> Json:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html"""
    roles = {"assistant": "CHATBOT", "user": "USER"}
    said = [{"role": roles.get(one["role"], "SYSTEM"), "message": text_of(one.get("content"))} for one in messages]
    return {"message": said[-1]["message"], **({"chat_history": said[:-1]} if said[1:] else {})}


_LLAMAS = ("max_gen_len", "temperature", "top_p")
_COHERES = ("max_tokens", "temperature", "p", "stop_sequences")
_MISTRALS = ("max_tokens", "temperature", "top_p", "stop")
_TITANS = ("maxTokenCount", "temperature", "topP", "stopSequences")
_COMPLETERS: Mapping[str, tuple[Any, ...]] = (
    MappingProxyType(  # what stands in the ids of a family's models -> Completer
        {
            "titan": (_input_text, _TITANS, "textGenerationConfig"),
            "claude-instant": (_human, ("max_tokens_to_sample", "temperature", "top_p", "stop_sequences")),
            "command-r": (_command_r, _COHERES),
            "cohere.command": (_plain, _COHERES),
            "llama2": (_inst, _LLAMAS),
            "llama3": (_headed, _LLAMAS),
            "mistral-7b": (_inst, _MISTRALS),
            "mixtral": (_inst, _MISTRALS),
            "ai21.j2": (_plain, ("maxTokens", "temperature", "topP", "stopSequences")),
        }
    )
)


def _first_of(answer: Json) -> Json:
    """Where the text is told: in the first of several, or in the answer itself."""
    for name in ("results", "generations", "outputs", "completions", "choices"):
        if answer.get(name):
            first: Json = answer[name][0]
            return {**first, **first.get("data", {})}
    return answer


def _text(told: Json) -> str | None:
    return next((told[name] for name in _TEXTS if isinstance(told.get(name), str)), None)


def _reason(told: Json) -> str:
    given = next((told[name] for name in _REASONS if told.get(name)), "")
    return str(given.get("reason") if isinstance(given, dict) else given)


def _finish(reason: str, answer: Json) -> str:
    """Why it ended, by what the model says; where it says nothing, a guardrail may have kept it from answering."""
    if not reason and answer.get(_GUARDRAIL) == "INTERVENED":
        return "content_filter"
    return _ENDS.get(reason.lower(), "stop")


def _usage(answer: Json) -> Usage | None:
    """What was counted: by Bedrock in a stream's last event, otherwise by the model, if at all."""
    told = answer.get(_METRICS) or {}
    first = _first_of(answer)
    prompt = _number(told.get("inputTokenCount"), answer.get("inputTextTokenCount"), answer.get("prompt_token_count"))
    said = _number(told.get("outputTokenCount"), first.get("tokenCount"), answer.get("generation_token_count"))
    if prompt is None and said is None:
        return None
    return usage_of(
        prompt, said, cached=told.get("cacheReadInputTokenCount"), cache_write=told.get("cacheWriteInputTokenCount")
    )


def _number(*counts: Any) -> int | None:
    return next((int(count) for count in counts if count is not None), None)
