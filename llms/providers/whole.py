"""A third-party provider that can only give whole answers, made to stream."""

from collections.abc import AsyncGenerator
from typing import Any, cast

from llms.kernel.types import Chat, Context
from llms.providers.base import Provider
from llms.providers.events import StreamEvent, as_events
from llms.providers.guest import Guest


class WholeAnswers(Guest):
    """Gives `stream` to an object that has only `chat`: its answer becomes one delta."""

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        yield as_events(await self.chat(chat, context))


def streaming(provider: Any) -> Provider:
    """`provider` itself if it is ours, else behind a border, and made to stream if it does not.

    A class derived from one of ours that overrides only `chat` counts as one that gives whole answers: its own
    `chat` would otherwise be passed by.
    """
    cls = type(provider)
    if cls.__module__.startswith("llms."):
        return cast(Provider, provider)
    return cast(Provider, Guest(provider) if _streams(cls) else WholeAnswers(provider))


def _streams(cls: type) -> bool:
    """Whether the most derived class that says how to answer says how to stream."""
    answering = (vars(base) for base in cls.__mro__ if "chat" in vars(base) or "stream" in vars(base))
    return "stream" in next(answering, ())
