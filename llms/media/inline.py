"""Resolves a chat's attachments: what leaves for a provider holds its images, audio and files itself."""

import asyncio
from base64 import b64encode
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from llms.kernel.errors import RequestError
from llms.kernel.types import Chat, Json, Message
from llms.media.cache import Cache
from llms.media.converter import Convert
from llms.media.sources import Attachment, Fetch, Sources
from llms.media.types import media_type

__all__ = ["Convert", "Fetch", "inlined"]

MAX_ATTACHMENTS = 500  # no provider takes more, and one request must not make us open any number of URLs
_AT_ONCE = 4


async def inlined(chat: Chat, *, fetch: Fetch, local_files: bool, convert: Convert, cache: Cache | None = None) -> Chat:
    """`chat` with every attachment inside it; `chat` itself where nothing has to change.

    What changes is copied, so the caller's dicts stay as they are. Paths are read only with `local_files`, URLs of our
    own cache only with `cache`. Raises RequestError.
    """
    messages = [_gathered(message) for message in chat["messages"]]
    places = [place for i, message in enumerate(messages) for place in _places(i, message)]
    if not places:
        return chat
    if len(places) > MAX_ATTACHMENTS:
        raise RequestError(f"The chat has {len(places)} attachments. Send at most {MAX_ATTACHMENTS}.", param="messages")
    sources, free = Sources(fetch=fetch, local_files=local_files, cache=cache), asyncio.Semaphore(_AT_ONCE)
    parts = await _all(
        (_resolved if messages[place.message].get("role") != "tool" else _resolved_or_told)(
            place, sources, convert, free
        )
        for place in places
    )
    changed: defaultdict[int, dict[int, Json]] = defaultdict(dict)
    for place, part in zip(places, parts, strict=True):
        if part is not place.part:
            changed[place.message][place.part_index] = part
    messages = [_with(message, changed[i]) if i in changed else message for i, message in enumerate(messages)]
    if all(new is old for new, old in zip(messages, chat["messages"], strict=True)):
        return chat
    resolved = chat.copy()
    resolved["messages"] = messages
    return resolved


# -- finding and replacing parts ---------------------------------------------------------------------------


class _Place(NamedTuple):
    message: int  # both count from 0
    part_index: int
    part: Json

    def __str__(self) -> str:
        return f"messages[{self.message}].content[{self.part_index}]"


def _gathered(message: Message) -> Message:
    """`message` with the `images` a tool returned at the end of its content.

    An assistant's `images` stay: they are what it made, not what it shall look at.
    """
    images = cast(Json, message).get("images")
    if not images or not isinstance(images, list) or message.get("role") != "tool":
        return message
    content = message.get("content") or []
    parts: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    for image in images:
        parts.append({"type": "image_url", "image_url": image.get("image_url") if isinstance(image, dict) else image})
    gathered = message.copy()
    gathered["content"] = parts
    del cast(Json, gathered)["images"]
    return gathered


def _places(i: int, message: Message) -> Iterator[_Place]:
    content = message.get("content")
    if isinstance(content, list):
        for j, part in enumerate(content):
            if _is_attachment(part):
                yield _Place(i, j, part)


def _is_attachment(part: Any) -> bool:
    kind = part.get("type") if isinstance(part, dict) else None
    return isinstance(kind, str) and kind in _KINDS


def _with(message: Message, parts: dict[int, Json]) -> Message:
    """A copy of `message` with `parts` at their indices."""
    copied = message.copy()
    content = cast(list[Json], message["content"])
    copied["content"] = [parts.get(j, part) for j, part in enumerate(content)]
    return copied


# -- resolving one part ------------------------------------------------------------------------------------


async def _all(resolving: Iterator[Coroutine[Any, Any, Json]]) -> list[Json]:
    """What each gives, in order. The first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in resolving]
    except ExceptionGroup as failed:
        first = failed.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in tasks]


async def _resolved(place: _Place, sources: Sources, convert: Convert, free: asyncio.Semaphore) -> Json:
    """The part with its content inside; the same object where it already was as it should be."""
    name = place.part["type"]
    kind, detail = _KINDS[name], place.part.get(name)
    if isinstance(detail, dict) and detail.get("file_id") and not detail.get(kind.field):
        return place.part  # it lies with the provider, uploaded by the caller
    try:
        given: Json = detail if isinstance(detail, dict) else {kind.field: detail}
        value = given.get(kind.field)
        if not value or not isinstance(value, str):
            raise RequestError(f"`{name}.{kind.field}` is missing. Set it to a URL or to the content in base64.")
        async with free:
            resolved = await kind.build(given, await sources.load(value), convert)
    except RequestError as error:
        raise RequestError(f"Invalid {kind.label}: {error}", param=str(place)) from error
    return place.part if resolved is detail else {**place.part, name: resolved}


async def _resolved_or_told(place: _Place, sources: Sources, convert: Convert, free: asyncio.Semaphore) -> Json:
    """As `_resolved`; what a tool has returned and cannot be had is told in words, for the chat is not to blame."""
    try:
        return await _resolved(place, sources, convert, free)
    except RequestError as error:
        return {"type": "text", "text": f"[omitted: {error}]"}


async def _image(detail: Json, found: Attachment, convert: Convert) -> Json:
    data, mime = await convert(found.data, found.mime)
    if not mime.startswith("image/"):
        raise RequestError(f"It is {mime or 'of unknown type'}, no image. Send a PNG, JPEG, WebP or GIF.")
    if found.inline and data is found.data and mime == found.mime:
        return detail
    return {**detail, "url": await _data_uri(data, mime)}


async def _audio(detail: Json, found: Attachment, _: Convert) -> Json:
    mime = media_type(found.data, declared=found.mime)
    heard = mime.startswith("audio/") or mime in ("application/ogg", "video/webm")
    if found.inline and not found.mime and (detail.get("format") or not heard):
        return detail  # bare base64, as OpenAI wants it: the caller knows what it is
    if not heard:
        raise RequestError(f"It is {mime}, no audio. Send WAV or MP3.")
    return {**detail, "data": await _base64(found.data), "format": _audio_format(mime)}


async def _file(detail: Json, found: Attachment, _: Convert) -> Json:
    given = detail.get("filename")
    filename = given if given and isinstance(given, str) else found.name or "file"
    if found.inline and found.mime:
        return detail if filename is given else {**detail, "filename": filename}
    mime = media_type(found.data, declared=found.mime, name=filename)
    return {**detail, "filename": filename, "file_data": await _data_uri(found.data, mime)}


def _audio_format(mime: str) -> str:
    """OpenAI's word for it."""
    subtype = mime.partition("/")[2].removeprefix("x-")
    return {"mpeg": "mp3", "mpeg3": "mp3", "wave": "wav", "vnd.wave": "wav", "mp4": "m4a"}.get(subtype, subtype)


async def _data_uri(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{await _base64(data)}"


async def _base64(data: bytes) -> str:
    return (await asyncio.to_thread(b64encode, data)).decode()


class _Kind(NamedTuple):
    """How one type of part is resolved: its name in errors, the field that points, what the part becomes."""

    label: str
    field: str
    build: Callable[[Json, Attachment, Convert], Awaitable[Json]]


_KINDS = MappingProxyType(
    {
        "image_url": _Kind("image", "url", _image),
        "input_audio": _Kind("audio", "data", _audio),
        "file": _Kind("file", "file_data", _file),
    }
)
