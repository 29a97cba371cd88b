"""Images and audio of an answer: they go into the cache, with what is known of them, and URLs take their place."""

import asyncio
import binascii
import logging
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast

from llms.chat import usage
from llms.chat.messages import to_file_info
from llms.kernel.errors import LlmsError, RequestError
from llms.kernel.types import Chat, Completion, Context, Json
from llms.media.cache import Cache
from llms.media.encoded import is_data_uri, to_bytes
from llms.media.inline import Fetch
from llms.media.names import URL
from llms.media.types import by_magic, usual_extension
from llms.media.wav import wav_of
from llms.providers.events import StreamEvent
from llms.providers.generator import GeneratorBase

logger = logging.getLogger("llms.chat")
_LISTS = (("images", "image_url"), ("audios", "audio_url"))
_ABOUT = ("seed", "revised_prompt")  # what a part may tell of itself
_PCM = ("pcm", "pcm16")
_SOUND_FILES = (b"RIFF", b"ID3", b"OggS", b"fLaC")  # what begins like this is no bare sound
_KINDS = MappingProxyType({"image_url": ("image/",), "audio_url": ("audio/", "application/ogg", "video/webm")})


class Made:
    """What one provider makes for `chat`: give it the whole answer, or every event of a stream.

    Links of vendors are followed, since they soon lead nowhere. What cannot be saved is logged and stays as it is.
    OpenAI's own `audio.data` stays for a chat that asked in OpenAI's own way, with `audio`; it is saved for all.
    """

    def __init__(self, chat: Chat, context: Context, *, cache: Cache, fetch: Fetch) -> None:
        self._chat, self._context = chat, cast(Mapping[str, Any], context)
        self._cache, self._fetch = cache, fetch
        asked = cast(Json, chat).get("audio")
        self._audio: Json | None = asked if isinstance(asked, dict) else None
        self._has_text: set[int] = set()  # choices by index, as in the next two
        self._has_media: set[int] = set()
        self._sounds: dict[int, bytearray] = {}
        self._told: Json = {}  # what it costs

    async def take(self, completion: Completion) -> None:
        """Saves, in place, what a whole answer holds."""
        self._note(cast(Json, completion))
        for choice in completion.get("choices") or ():
            message = cast(Json, choice.get("message") or {})
            if not _holds_media(message):
                continue
            await self._take_parts(message)
            if (data := _sound(message)) and (url := await self._saved(data, "audio_url")):
                message.setdefault("audios", []).append(_audio_part(url))
                self._unwrap(message)
            if not message.get("content") and _is_shown(message) and not self._is_heard(message):
                message["content"] = GeneratorBase.default_content

    async def taken(self, events: list[StreamEvent]) -> list[StreamEvent]:
        """`events` as the client shall see them. Those that are plain text cost nothing."""
        for event in events:
            if not event.plain:
                self._note(cast(Json, event.chunk))  # an answer that came whole tells its cost at the end
        for event in events:
            if event.plain:
                self._has_text.add(event.chunk["choices"][0].get("index") or 0)
            elif event.chunk.get("choices"):
                await self._take_event(event)
        return events

    # -- streams -----------------------------------------------------------------------------------------------

    async def _take_event(self, event: StreamEvent) -> None:
        for choice in event.chunk["choices"]:
            index, delta = choice.get("index") or 0, cast(Json, choice.get("delta") or {})
            if delta.get("content"):
                self._has_text.add(index)
            if _holds_media(delta):
                event.raw = None
                await self._take_parts(delta)
                self._hear(index, delta)
                if delta.get("content"):
                    self._has_text.add(index)
                if _is_shown(delta):
                    self._has_media.add(index)
            if choice.get("finish_reason") and (end := await self._end(index)):
                event.raw = None
                choice["delta"] = cast(Any, {**delta, **end})

    def _hear(self, index: int, delta: Json) -> None:
        """Keeps a piece of sound, each of them base64 by itself, for the end."""
        if data := _sound(delta):
            try:
                self._sounds.setdefault(index, bytearray()).extend(binascii.a2b_base64(data))
            except ValueError:
                logger.warning("A piece of audio is no base64, and is left out of what is saved.")
        self._unwrap(delta)

    async def _end(self, index: int) -> Json:
        """What the last delta of a choice has to say besides."""
        end: Json = {}
        if sound := self._sounds.pop(index, None):
            form = (self._audio or {}).get("format", "pcm16")
            if url := await self._saved(bytes(sound), "audio_url", form=form):
                end["audios"] = [_audio_part(url)]
                if self._audio is None:
                    self._has_media.add(index)
        if index in self._has_media and index not in self._has_text:
            end["content"] = GeneratorBase.default_content
        return end

    # -- saving ------------------------------------------------------------------------------------------------

    async def _take_parts(self, message: Json) -> None:
        for name, kind in _LISTS:
            for part in _parts(message, name, kind):
                about = {key: part[key] for key in _ABOUT if part.get(key) is not None}
                if url := await self._saved(part[kind]["url"], kind, **about):
                    part[kind] = {**part[kind], "url": url}

    async def _saved(self, content: str | bytes, kind: str, *, form: str = "", **about: Any) -> str | None:
        """The cache URL of what is here as base64, a data URI, bytes, or a link; None where it stays what it is."""
        if isinstance(content, str) and content.startswith(URL):
            return None
        form = form or (self._audio or {}).get("format", "")
        try:
            if isinstance(content, str) and content.startswith(("http://", "https://")):
                content, mime, _ = await self._fetch(content)
                about["type"] = mime
            return await asyncio.to_thread(self._save, content, kind, form, self._info(about))
        except LlmsError as error:
            logger.warning("The %s of an answer is not kept: %s", kind.removesuffix("_url"), error)
            return None

    def _info(self, about: Json) -> Json:
        """What is known of something made: `about` it, and of the chat that asked for it."""
        seed = cast(Json, self._chat).get("seed")
        told = {**({"seed": seed} if seed is not None else {}), **about}
        return to_file_info(self._chat, told, {"cost": self._cost()})

    def _cost(self) -> float | None:
        cost = usage.reported_cost(self._told)
        prices = self._context.get("modelCost")
        if cost is None and prices and (counted := self._told.get("usage")):
            cost = usage.cost_of(counted, prices) / 1_000_000
        return cost

    def _note(self, answer: Json) -> None:
        """Keeps what an answer tells of its cost."""
        self._told |= {key: answer[key] for key in ("cost", "usage") if answer.get(key)}

    def _save(self, content: str | bytes, kind: str, form: str, info: Json) -> str:
        """Runs in a thread: decodes, names and writes."""
        mime = info.get("type", "")
        if isinstance(content, str) and is_data_uri(content):
            mime = content[5:300].partition(",")[0].partition(";")[0].lower()
        data = to_bytes(content)
        if kind == "audio_url" and form in _PCM and not data.startswith(_SOUND_FILES):
            data = wav_of(data)
        mime = by_magic(data[:64]) or mime or (f"audio/{form}" if form else "")
        if not mime.startswith(_KINDS[kind]):
            raise RequestError(f"It is {mime or 'of unknown type'}. Ask the vendor why.")
        model = str(info.get("model") or kind.removesuffix("_url")).rpartition("/")[2]
        url, _ = self._cache.save_bytes(data, f"{model}.{usual_extension(mime)}", {**info, "type": mime}, self._context)
        return url

    def _unwrap(self, message: Json) -> None:
        """For a chat that did not ask in OpenAI's own way: what was said becomes text, and base64 is left out."""
        heard = message.get("audio")
        if self._audio is not None or not isinstance(heard, dict):
            return
        if heard.get("transcript") and not message.get("content"):
            message["content"] = heard["transcript"]
        message["audio"] = {key: value for key, value in heard.items() if key not in ("data", "transcript")}

    def _is_heard(self, message: Json) -> bool:
        """Whether the client gets the answer as OpenAI says it aloud, without any text."""
        return self._audio is not None and isinstance(message.get("audio"), dict)


def _holds_media(message: Json) -> bool:
    return bool(message.get("images") or message.get("audios") or message.get("audio"))


def _is_shown(message: Json) -> bool:
    return bool(message.get("images") or message.get("audios"))


def _sound(message: Json) -> str | None:
    """The base64 of OpenAI's own `audio`; None where there is none."""
    heard = message.get("audio")
    data = heard.get("data") if isinstance(heard, dict) else None
    return data if isinstance(data, str) and data else None


def _parts(message: Json, name: str, kind: str) -> Iterator[Json]:
    """The parts in a list of `message` that have a URL."""
    given = message.get(name)
    for part in given if isinstance(given, list) else ():
        if isinstance(part, dict) and isinstance(part.get(kind), dict) and isinstance(part[kind].get("url"), str):
            yield part


def _audio_part(url: str) -> Json:
    return {"type": "audio_url", "audio_url": {"url": url}}
