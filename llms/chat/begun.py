"""A streamed answer from its first events on."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from llms.providers.events import StreamEvent

Batches = AsyncGenerator[list[StreamEvent]]


@dataclass(slots=True)
class Begun:
    """A stream whose first events are here: the point after which nothing is tried again."""

    first: list[StreamEvent]
    rest: Batches

    @classmethod
    async def open(cls, stream: Batches) -> "Begun":
        return cls(await anext(stream, []), stream)

    async def events(self) -> Batches:
        async with aclosing(self.rest):
            yield self.first
            async for events in self.rest:
                yield events
