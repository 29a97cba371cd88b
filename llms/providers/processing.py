"""What every request needs, wherever it goes: attachments inside, nothing that only we understand."""

import copy
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, cast

from llms.kernel.types import Chat, Json

Resolve = Callable[[Chat], Awaitable[Chat]]  # gives a chat whose attachments are inside it

_FIELDS = (("image_url", "url"), ("input_audio", "data"), ("file", "file_data"))
_ELSEWHERE = ("http://", "https://", "/~cache/", "~cache/")


async def processed(chat: Chat, resolve: Resolve | None, *, without: tuple[str, ...] = ()) -> Chat:
    """A deep copy of `chat` that can be sent, the keys `without` left out. To process it again changes nothing.

    Without `resolve`, attachments stay what they are; our own pipeline has put them inside before.
    """
    own = cast(Json, copy.deepcopy(chat))
    if resolve is not None and any(map(_is_elsewhere, _attachments(chat))):
        own = cast(Json, await resolve(cast(Chat, own)))
    for key in ("metadata", *without):
        own.pop(key, None)
    if isinstance(own.get("provider"), str):  # names one of ours; OpenRouter's own `provider` is an object
        del own["provider"]
    if not own.get("tools"):
        own.pop("tools", None)
    return cast(Chat, own)


def _attachments(chat: Chat) -> Iterator[Any]:
    """Where each attachment lies, or what it is."""
    contents = [message.get("content") for message in chat.get("messages") or ()]
    parts: list[Any] = [part for content in contents if isinstance(content, list) for part in content]
    for part in parts:
        for kind, field in _FIELDS:
            if isinstance(part, dict) and part.get("type") == kind:
                given = part.get(kind)
                yield given.get(field) if isinstance(given, dict) else given


def _is_elsewhere(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_ELSEWHERE)
