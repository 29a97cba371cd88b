"""What a chat points at, fetched and put into it, each time it is sent."""

from functools import partial
from hashlib import sha256

from llms.kernel.config import Config
from llms.kernel.types import Chat, Context
from llms.media.cache import Cache
from llms.media.converter import Convert, Converter
from llms.media.inline import Fetch, inlined


class Attachments:
    """The attachments of one chat.

    With `again`, one that is sent more than once: each URL is fetched, and each image converted, but once.
    """

    def __init__(self, *, config: Config, fetch: Fetch, converter: Converter, cache: Cache, again: bool) -> None:
        self._config, self._converter, self._cache = config, converter, cache
        self._fetch, self._fetch_or_recall = fetch, self._once if again else fetch
        self._fetched: dict[str, tuple[bytes, str, str]] = {}
        self._converted: dict[bytes, tuple[bytes, str]] | None = {} if again else None

    async def inside(self, chat: Chat, context: Context) -> Chat:
        """`chat` with its attachments in it. Raises RequestError."""
        limits = (self._config.data.get("convert") or {}).get("image") or {}
        fit = self._converter.for_chat(**{key: limits[key] for key in ("max_size", "max_length") if key in limits})
        if self._converted is not None:
            fit = partial(_converted_once, fit, self._converted)
        local_files = context.get("local_files", False)
        return await inlined(chat, fetch=self._fetch_or_recall, local_files=local_files, convert=fit, cache=self._cache)

    async def _once(self, url: str) -> tuple[bytes, str, str]:
        if url not in self._fetched:
            self._fetched[url] = await self._fetch(url)
        return self._fetched[url]


async def _converted_once(
    fit: Convert, known: dict[bytes, tuple[bytes, str]], data: bytes, mime: str
) -> tuple[bytes, str]:
    """As `fit`. What is not changed by it is given back as the same object."""
    key = sha256(data).digest()
    if key not in known:
        known[key] = await fit(data, mime)
    made, kind = known[key]
    return (data if made == data else made), kind
