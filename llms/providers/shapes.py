"""What an answer must look like for us to read it. Whatever else is in it is the vendor's own business."""

from typing import Any

import msgspec

from llms.kernel.errors import ProviderError
from llms.kernel.types import Json


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | Json | None = None


class ToolCall(msgspec.Struct):
    id: str | None = None
    index: int | None = None
    function: Function | None = None


class Message(msgspec.Struct):
    content: str | list[str | Json] | Json | None = None
    tool_calls: list[ToolCall] | None = None
    reasoning_details: list[Json] | str | None = None


class Choice(msgspec.Struct):
    index: int | None = None
    delta: Message | None = None
    message: Message | None = None
    finish_reason: str | None = None
    logprobs: Json | None = None


class Answer(msgspec.Struct):
    choices: list[Choice] | None = None


class PromptDetails(msgspec.Struct):
    cached_tokens: float | None = None
    cache_write_tokens: float | None = None


class CompletionDetails(msgspec.Struct):
    reasoning_tokens: float | None = None


class Usage(msgspec.Struct):
    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    total_tokens: float | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class TranslatedMessage(Message):
    content: str | None = None
    reasoning_content: str | None = None


class TranslatedChoice(Choice):
    delta: TranslatedMessage | None = None
    message: TranslatedMessage | None = None


class Translated(msgspec.Struct):
    """An answer that we have said in OpenAI's words ourselves: nothing is tidied afterwards."""

    choices: list[TranslatedChoice] | None = None
    usage: Usage | None = None


def is_usage(data: Any) -> bool:
    """Whether `data` counts tokens in a way that can be read."""
    try:
        msgspec.convert(data, Usage)
    except msgspec.ValidationError:
        return False
    return True


def is_answer(data: Any) -> bool:
    """Whether `data` can be read as a completion or a chunk of one."""
    try:
        msgspec.convert(data, Answer)
    except msgspec.ValidationError:
        return False
    return True


def check(data: Any, *, provider: str, form: type[msgspec.Struct] = Answer) -> None:
    """Raises ProviderError where `data` is no completion and no chunk of one."""
    try:
        msgspec.convert(data, form)
    except msgspec.ValidationError as exc:
        raise ProviderError(
            f"{provider} answered with something that is no chat completion: {exc}. Check its `api` URL.",
            provider=provider,
        ) from exc
