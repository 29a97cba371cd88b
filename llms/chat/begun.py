"""A streamed answer from its first events on."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from llms.kernel.errors import ProviderError
from llms.providers.events import StreamEvent

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
    async def open(cls, stream: Batches, *, provider: str) -> "Begun":
        """Raises ProviderError where the stream ends before it has said anything."""
        held: list[StreamEvent] = []
        async for events in stream:
            held += events
            if any(map(_says_something, events)) or len(held) >= _MOST_HELD:
                return cls(held, stream)
        raise ProviderError(f"Provider '{provider}' answered with nothing. Try again.", provider=provider)

    async def events(self) -> Batches:
        async with aclosing(self.rest):
            yield self.first
            async for events in self.rest:
                yield events


def _says_something(event: StreamEvent) -> bool:
    """Whether it is more than the opening of an answer."""
    for choice in event.chunk.get("choices") or ():
        if choice.get("finish_reason"):
            return True
        delta = choice.get("delta") or {}
        if any(value for name, value in delta.items() if name != "role"):
            return True
    return False
