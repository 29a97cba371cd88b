"""Gets files for extensions: their content, and what they are called."""

import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from email.message import Message

import aiohttp

from llms.kernel.errors import LlmsError, RequestError
from llms.kernel.types import Json
from llms.media.names import extension, shown_name
from llms.media.types import UNKNOWN

Fetch = Callable[[str], Awaitable[tuple[bytes, str, str]]]  # URL -> content, media type, file name

MAX_DOWNLOAD = 200 * 2**20  # bytes
MAX_REDIRECTS = 5
logger = logging.getLogger("llms.media")


async def download(fetch: Fetch, url: str) -> tuple[bytes, Json]:
    """The content and `{url, type, name, ext}`, from the public internet only. Raises RequestError, and logs it."""
    with _logged(url):
        data, mime, name = await fetch(url)
    return data, _info(url, mime, name)


async def session_download(
    session: aiohttp.ClientSession, url: str, default_mimetype: str = UNKNOWN, *, max_bytes: int = MAX_DOWNLOAD
) -> tuple[bytes, Json]:
    """As `download`, with the caller's own session: its headers, its timeouts, and wherever it may go.

    `default_mimetype` is the type of what comes without one.
    """
    with _logged(url), _translated(url):
        async with session.get(url, max_redirects=MAX_REDIRECTS) as response:
            if response.status != 200:
                raise RequestError(f"{_shown(url)} answered with status {response.status}. Check the URL.")
            data = await _body(response, max_bytes)
            mime = response.content_type if "Content-Type" in response.headers else default_mimetype
            return data, _info(url, mime, _told_name(response))


def _info(url: str, mime: str, name: str) -> Json:
    name = shown_name(name)
    ext = extension(name, mime)
    return {"url": url, "type": mime, "name": name if "." in name else f"{name}.{ext}", "ext": ext}


async def _body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > max_bytes:
            raise RequestError(f"{_shown(str(response.url))} exceeds {max_bytes / 2**20:.3g} MB. Get a smaller file.")
    return bytes(data)


def _told_name(response: aiohttp.ClientResponse) -> str:
    """The name that the server gives, else the last segment of the URL."""
    header = Message()
    header["Content-Disposition"] = response.headers.get("Content-Disposition", "")
    return header.get_filename() or response.url.name


@contextmanager
def _logged(url: str) -> Iterator[None]:
    try:
        yield
    except LlmsError as error:
        logger.warning("Download of %s failed: %s", _shown(url), error)
        raise


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError as exc:
        raise RequestError(f"{_shown(url)} took too long. Try again, or give the session more time.") from exc
    except aiohttp.TooManyRedirects as exc:
        raise RequestError(
            f"{_shown(url)} redirects more than {MAX_REDIRECTS} times. Link to the file itself."
        ) from exc
    except ValueError as exc:  # also aiohttp.InvalidURL
        raise RequestError(f"{_shown(url)} is no valid URL. Correct it.") from exc
    except (aiohttp.ClientError, OSError) as exc:
        raise RequestError(f"{_shown(url)} cannot be reached or broke off: {exc}. Check the URL.") from exc


def _shown(url: str) -> str:
    """The URL without what may be secret in it."""
    return re.sub(r"//[^/]*@", "//", re.split(r"[?#]", url)[0])[:200]
