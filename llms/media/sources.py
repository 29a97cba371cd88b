"""Where the content of an attachment comes from: the value in the chat itself, a URL, or a file of this machine."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from llms.kernel.errors import RequestError
from llms.media.cache import Cache
from llms.media.encoded import from_base64, from_data_uri
from llms.media.names import URL
from llms.media.types import media_type

Fetch = Callable[[str], Awaitable[tuple[bytes, str, str]]]  # URL -> content, media type, file name

MAX_FILE = 50 * 2**20  # bytes; no provider takes more in one request
MAX_LOADED = 100 * 2**20  # bytes behind all URLs and paths of one chat, which are in memory together
_LONGEST_PATH = 4096
_LOCAL = "Local paths work only from the command line; send a data URI or an http(s) URL."


class Attachment(NamedTuple):
    """Content and what is known of it. `inline`: the chat held it in base64; `mime` is empty if without data URI."""

    data: bytes
    mime: str
    name: str
    inline: bool = False


class Sources:
    """Loads the attachments of one chat."""

    def __init__(self, *, fetch: Fetch, local_files: bool, cache: Cache | None = None) -> None:
        self._fetch, self._local_files, self._cache = fetch, local_files, cache
        self._room = MAX_LOADED
        self._readers = {
            "http": self._remote,
            "https": self._remote,
            "data": self._data_uri,
            "file": self._file_url,
        }

    async def load(self, value: str) -> Attachment:
        """What `value` points at or holds. Raises RequestError."""
        scheme, colon, _ = value[:16].partition(":")
        read = self._readers.get(scheme.lower()) if colon else None
        found = await (read or self._path_or_base64)(value)
        if not found.data:
            raise RequestError("It is empty. Send some content.")
        if not found.inline:
            self._room -= len(found.data)
        if self._room < 0:
            raise RequestError(f"All attachments together exceed {MAX_LOADED >> 20} MB. Send fewer or smaller ones.")
        return found

    async def _remote(self, url: str) -> Attachment:
        data, declared, name = await self._fetch(url)
        return Attachment(data, media_type(data, declared=declared, name=name), name)

    async def _data_uri(self, uri: str) -> Attachment:
        found = await asyncio.to_thread(from_data_uri, uri)
        return Attachment(found.data, found.mime, "", inline=found.is_base64)

    async def _file_url(self, url: str) -> Attachment:
        parts = urlsplit(url)
        if not self._local_files:
            raise RequestError(f"A file URL was sent. {_LOCAL}")
        if parts.netloc not in ("", "localhost"):
            raise RequestError(f"{_shown(url)} names another machine. Write it as file:///path.")
        return await asyncio.to_thread(_read, Path(url2pathname(parts.path)))

    async def _path_or_base64(self, value: str) -> Attachment:
        """A path wins over base64: file names can look like it, but hardly the other way round."""
        if self._cache is not None and value.startswith(URL):
            return await asyncio.to_thread(_cached, self._cache, value)
        if self._local_files and len(value) <= _LONGEST_PATH:
            path = await asyncio.to_thread(_file_at, value)
            if path is not None:
                return await asyncio.to_thread(_read, path)
        data = await asyncio.to_thread(from_base64, value)
        if data is not None:
            return Attachment(data, "", "", inline=True)
        fix = "Check the path." if self._local_files else _LOCAL
        raise RequestError(f"{_shown(value)} is neither a file, a URL nor base64. {fix}")


def _cached(cache: Cache, url: str) -> Attachment:
    file = cache.find(url)
    if file is None:
        raise RequestError(f"{_shown(url)} is not in the cache. Upload the file again.")
    found, info = _read(file), cache.info(file)
    declared, name = str(info.get("type") or ""), str(info.get("name") or file.name)
    return Attachment(found.data, media_type(found.data, declared=declared, name=file.name), name)


def _file_at(text: str) -> Path | None:
    try:
        path = Path(text).expanduser()
        return path if path.is_file() else None
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, the home of nobody
        return None


def _read(path: Path) -> Attachment:
    try:
        if not path.is_file():  # reading a pipe or a device would never end
            raise RequestError(f"{path} is no file. Check the path.")
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as exc:
        raise RequestError(f"{path} cannot be read: {exc}. Check its permissions.") from exc
    if len(data) > MAX_FILE:
        raise RequestError(f"{path} exceeds {MAX_FILE >> 20} MB. Send a smaller file.")
    return Attachment(data, media_type(data, name=path.name), path.name)


def _shown(value: str) -> str:
    """The beginning of `value`, without what may be secret in a URL."""
    value = re.sub(r"//[^/]*@", "//", value[:300].partition("?")[0])
    return repr(value if len(value) <= 60 else f"{value[:60]}…")
