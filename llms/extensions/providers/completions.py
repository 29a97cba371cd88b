"""OpenAI's Completions, the API before chats: for models and servers that only go on with a text.

https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, cast

from llms.api import Chat, Chunk, Completion, DialectProvider, Translator, parts_of, text_of

Json = dict[str, Any]

_SAME = (
    *("temperature", "top_p", "n", "stop", "seed", "presence_penalty", "frequency_penalty", "logit_bias", "user"),
    *("max_tokens", "suffix", "echo", "best_of"),  # the last three are the API's own
)
_SAID = frozenset(
    (
        *("model", "messages", "stream", "stream_options", "max_completion_tokens", "logprobs", "top_logprobs", *_SAME),
        *("metadata", "provider"),  # ours
    )
)
_ASKS_NOTHING: Mapping[str, Any] = MappingProxyType(
    {"store": False, "parallel_tool_calls": True, "modalities": ["text"], "tools": [], "tool_choice": "none"}
)


class CompletionsProvider(DialectProvider):
    """A server that goes on with a text. What the messages of a chat say, put together, is the text.

    It needs a key where its entry names variables that may hold one.
    """

    sdk: ClassVar[str] = "openai/completions"
    default_api: ClassVar[str | None] = "https://api.openai.com/v1"
    reads = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chat_url = f"{self.api}/completions"

    def validate(self, **kwargs: Any) -> str | None:
        return super().validate(**kwargs) if self.env else None

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        asked: Json = {name: value for name, value in chat.items() if value is not None}
        body: Json = {"model": chat["model"], "prompt": self._prompt(asked["messages"])}
        body |= {name: asked[name] for name in _SAME if name in asked}
        if "max_completion_tokens" in asked:
            body["max_tokens"] = asked["max_completion_tokens"]
        if asked.get("logprobs"):
            body["logprobs"] = asked.get("top_logprobs") or 1
        if stream:
            body |= {"stream": True, "stream_options": {**asked.get("stream_options", {}), "include_usage": True}}
        self.leftovers.rest((name for name in asked if asked[name] != _ASKS_NOTHING.get(name)), _SAID)
        return body

    def _prompt(self, messages: list[Json]) -> str:
        """What is said, whoever says it. Only the caller knows how the model wants to be told who speaks."""
        for message in messages:
            kinds = {part.get("type") for part in parts_of(message.get("content"))} - {"text"}
            self.leftovers.leave_out(*(f"parts of type {kind}" for kind in sorted(map(str, kinds))))
            self.leftovers.leave_out(*(["messages.tool_calls"] if message.get("tool_calls") else []))
        return "\n\n".join(filter(None, (text_of(message.get("content")) for message in messages)))

    def completion(self, answer: Json) -> Completion:
        choices = [_choice(choice, "message", role="assistant") for choice in answer["choices"]]
        return cast(Completion, {**answer, "object": "chat.completion", "choices": choices})

    def translator(self) -> Translator:
        return CompletionsStream()


class CompletionsStream:
    """Reads one stream. The first piece of each choice says who speaks."""

    def __init__(self) -> None:
        self._begun: set[int] = set()

    def feed(self, event: Json) -> Iterable[Chunk]:
        choices = []
        for choice in event.get("choices") or ():
            index = choice.get("index") or 0
            role = {} if index in self._begun else {"role": "assistant"}
            self._begun.add(index)
            choices.append(_choice(choice, "delta", **role))
        yield cast(Chunk, {**event, "object": "chat.completion.chunk", "choices": choices})


def _choice(told: Json, kind: str, **role: str) -> Json:
    said = {kind: {**role, "content": told["text"]}, "finish_reason": told.get("finish_reason") or None}
    logprobs = {"logprobs": _logprobs(told["logprobs"])} if told.get("logprobs") else {}
    return {"index": told.get("index") or 0, **said, **logprobs}


def _logprobs(told: Json) -> Json:
    """Lists that stand side by side, as a list of tokens. What comes first of an echo has no probability."""
    tops = told.get("top_logprobs") or [None] * len(told["tokens"])
    tokens = zip(told["tokens"], told["token_logprobs"], tops, strict=True)
    return {"content": [_token(token, logprob, top_logprobs=_tops(top)) for token, logprob, top in tokens]}


def _tops(told: Mapping[str, float] | None) -> list[Json]:
    return [_token(token, logprob) for token, logprob in (told or {}).items()]


def _token(token: str, logprob: float | None, **more: Any) -> Json:
    return {"token": token, "logprob": logprob or 0.0, "bytes": None, **more}
