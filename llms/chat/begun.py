"""A streamed answer from its first events on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from dataclasses import dataclass

from llms.kernel import foreign
from llms.kernel.errors import ProviderError, ProviderTimeout
from llms.kernel.limits import Limits
from llms.kernel.types import Chat
from llms.providers.base import Provider
from llms.providers.events import StreamEvent
from llms.providers.guest import Guest
from llms.providers.modality import generator_for
from llms.providers.whole import WholeAnswers

Batches = AsyncGenerator[list[StreamEvent]]
_MOST_HELD = 64  # events that say nothing, after which the answer counts as begun all the same


@dataclass(slots=True)
class Begun:
    """A stream whose first events are here: the point after which nothing is tried again.

    Many vendors say whose turn it is long before they know whether they can answer, so an answer begins with the first
    event that brings some of it, or its end.
    """

    first: list[StreamEvent]
    rest: Batches

    @classmethod
    async def open(cls, stream: Batches, *, provider: str, within: float | None) -> "Begun":
        """Raises ProviderError where the stream ends before it has said anything.

        Raises ProviderTimeout, and closes the stream, where it does not say anything `within` so many seconds: signs
        of life, as comments are, keep a connection from being taken for dead, but are no answer.
        """
        try:
            async with asyncio.timeout(within) as limit:
                held = await _opening(stream)
        except TimeoutError as exc:
            if not limit.expired():
                raise
            await stream.aclose()
            why = f"Provider '{provider}' did not begin to answer within {within:g} s."
            fix = "Raise `limits.first_byte_timeout` or try again."
            raise ProviderTimeout(f"{why} {fix}", provider=provider) from exc
        if held is None:
            raise ProviderError(f"Provider '{provider}' answered with nothing. Try again.", provider=provider)
        return cls(held, stream)

    async def events(self) -> Batches:
        async with aclosing(self.rest):
            yield self.first
            async for events in self.rest:
                yield events


def opens_within(provider: Provider, chat: Chat, limits: Limits) -> float | None:
    """Seconds in which `provider` has to begin its answer to `chat`; None where nobody can say.

    That is where the answer comes whole, as images do that are asked for again and again until they are made, and
    where a class says with `takes_its_time` that it watches over its own slowness.
    """
    with foreign.border(provider.id) if isinstance(provider, Guest) else nullcontext():
        is_unhurried = getattr(provider, "takes_its_time", False) is True
        if is_unhurried or isinstance(provider, WholeAnswers) or generator_for(chat, provider) is not None:
            return None
    return max(limits.first_byte, limits.client_timeout)


async def _opening(stream: Batches) -> list[StreamEvent] | None:
    """The events up to the first that says something; None where none does."""
    held: list[StreamEvent] = []
    async for events in stream:
        held += events
        if any(map(_says_something, events)) or len(held) >= _MOST_HELD:
            return held
    return None


def _says_something(event: StreamEvent) -> bool:
    """Whether it is more than the opening of an answer."""
    for choice in event.chunk.get("choices") or ():
        if choice.get("finish_reason"):
            return True
        delta = choice.get("delta") or {}
        if any(value for name, value in delta.items() if name != "role"):
            return True
    return False
