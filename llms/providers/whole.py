"""A third-party provider that can only give whole answers, made to stream."""

import copy
import inspect
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any, cast

from llms.kernel import foreign
from llms.kernel.errors import ProviderError
from llms.kernel.types import Chat, Completion, Context
from llms.providers import shapes
from llms.providers.events import StreamEvent, as_events


class WholeAnswers:
    """Gives `stream` to an object that has only `chat`: its answer becomes one delta.

    Such classes edit the request in place and raise whatever they like, so each call gets a copy of the chat, and
    every error becomes ours. Anything else asked of this object is asked of the wrapped one.
    """

    def __init__(self, provider: Any) -> None:
        self.wrapped = provider
        parameters = inspect.signature(provider.chat).parameters.values()
        self._takes_context = any(p.name == "context" or p.kind is p.VAR_KEYWORD for p in parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        ask = partial(self.wrapped.chat, copy.deepcopy(chat), **({"context": context} if self._takes_context else {}))
        answer = await foreign.call(ask, extension=self.wrapped.id)
        if not isinstance(answer, dict) or not isinstance(answer.get("choices"), list):
            raise ProviderError(
                f"Provider '{self.wrapped.id}' returned {type(answer).__name__}, not a completion. Mend its `chat`.",
                provider=self.wrapped.id,
            )
        shapes.check(answer, provider=self.wrapped.id)
        return cast(Completion, answer)

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        yield as_events(await self.chat(chat, context))


def streaming(provider: Any) -> Any:
    """`provider` itself if it streams, else wrapped so that it does.

    A class derived from one of ours that overrides only `chat` counts as one that gives whole answers: its own
    `chat` would otherwise be passed by.
    """
    return provider if _streams(type(provider)) else WholeAnswers(provider)


def _streams(cls: type) -> bool:
    """Whether the most derived class that says how to answer says how to stream."""
    answering = (vars(base) for base in cls.__mro__ if "chat" in vars(base) or "stream" in vars(base))
    return "stream" in next(answering, ())
