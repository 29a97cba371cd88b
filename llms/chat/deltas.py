"""The streamed chunks of an answer, as the delta filters leave them."""

from typing import cast

from llms.kernel.hooks import Hook
from llms.kernel.types import Chunk, Context
from llms.providers import shapes
from llms.providers.events import StreamEvent


async def filtered(events: list[StreamEvent], context: Context, hook: Hook) -> list[StreamEvent]:
    """What the handlers of `hook` make of `events`. What they return counts only if it is a chunk."""
    kept = []
    for event in events:
        chunk = await hook.transform(event.chunk, context)
        if chunk is None:
            continue
        sound = next(filter(shapes.is_answer, (chunk, event.chunk)), None)
        if sound is not None:
            kept.append(StreamEvent(cast(Chunk, sound)))
    return kept
