"""What a chat points at, fetched and put into it, each time it is sent."""

from llms.kernel.config import Config
from llms.kernel.types import Chat, Context
from llms.media.cache import Cache
from llms.media.converter import Converter
from llms.media.inline import Fetch, inlined


class Attachments:
    """The attachments of one chat; with `again`, one that is sent more than once: each URL is fetched but once."""

    def __init__(self, *, config: Config, fetch: Fetch, converter: Converter, cache: Cache, again: bool) -> None:
        self._config, self._converter, self._cache = config, converter, cache
        self._fetch, self._fetch_or_recall = fetch, self._once if again else fetch
        self._fetched: dict[str, tuple[bytes, str, str]] = {}

    async def inside(self, chat: Chat, context: Context) -> Chat:
        """`chat` with its attachments in it. Raises RequestError."""
        limits = (self._config.data.get("convert") or {}).get("image") or {}
        fit = self._converter.for_chat(**{key: limits[key] for key in ("max_size", "max_length") if key in limits})
        local_files = context.get("local_files", False)
        return await inlined(chat, fetch=self._fetch_or_recall, local_files=local_files, convert=fit, cache=self._cache)

    async def _once(self, url: str) -> tuple[bytes, str, str]:
        if url not in self._fetched:
            self._fetched[url] = await self._fetch(url)
        return self._fetched[url]
