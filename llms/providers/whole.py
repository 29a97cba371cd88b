"""A third-party provider that can only give whole answers, made to stream."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any, cast

from llms.kernel.types import Chat, Context
from llms.providers.base import Provider
from llms.providers.events import StreamEvent, as_events
from llms.providers.guest import Guest


class WholeAnswers(Guest):
    """Gives `stream` to an object that has only `chat`: its answer becomes one delta."""

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        yield as_events(await self.chat(chat, context))


def streaming(provider: Any, id: str = "") -> Provider:
    """`provider` itself if it is ours, else behind a border, and made to stream if it does not.

    One that says by itself how to `chat` and not how to `stream`, as a class derived from ours or as an object that
    somebody has put a `chat` of his own on, gives whole answers: its `chat` would otherwise be passed by. Modules of
    third parties live below `llms_ext`, so only ours begin with `llms.`.
    """
    cls, own = type(provider), getattr(provider, "__dict__", {})
    if cls.__module__.startswith("llms.") and "chat" not in own:
        return cast(Provider, provider)
    places = (own, *map(vars, cls.__mro__))
    return cast(Provider, Guest(provider, id) if _streams(places) else WholeAnswers(provider, id))


def _streams(places: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the first of `places` that says how to answer says how to stream.

    `stream` was once a setting: a bool says nothing of how.
    """
    methods = ({name for name in ("chat", "stream") if not isinstance(place.get(name, True), bool)} for place in places)
    return "stream" in next(filter(None, methods), ())
