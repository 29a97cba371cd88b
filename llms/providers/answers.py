"""Whole answers of code that is not ours, checked before anybody relies on them."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from llms.kernel import foreign
from llms.kernel.errors import ProviderError
from llms.kernel.types import Chat, Completion, Context, Json
from llms.providers import shapes
from llms.providers.signatures import takes


async def whole_answer(
    ask: Callable[..., Any], chat: Chat, *more: Any, context: Context | None, provider: str
) -> Completion:
    """What `ask` answers to `chat`; whatever it raises becomes one of our errors.

    Such functions edit the chat in place, so each call gets a copy, and never one that asks for a stream. The context
    goes only to those that take it.
    """
    with foreign.border(provider):
        told = {"context": context} if takes(ask, "context") else {}
        answer = await foreign.call(partial(ask, whole(chat), *more, **told), extension=provider)
    if not isinstance(answer, dict) or not isinstance(answer.get("choices"), list):
        raise wrong(provider, "chat", answer, "a completion")
    shapes.check(answer, provider=provider)
    return cast(Completion, answer)


def whole(chat: Chat) -> Chat:
    """A deep copy of `chat` that asks for a whole answer."""
    own = cast(Json, copy.deepcopy(chat))
    own.pop("stream_options", None)
    if own.get("stream"):
        own["stream"] = False
    return cast(Chat, own)


def wrong(provider: str, method: str, answer: Any, expected: str) -> ProviderError:
    """The error of a method that returned something else than was expected."""
    return ProviderError(
        f"Provider '{provider}' returned {type(answer).__name__}, not {expected}. Mend its `{method}`.",
        provider=provider,
    )
