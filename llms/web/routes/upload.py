"""Files that users attach: into the cache, pictures no larger than a model takes them."""

import asyncio
from pathlib import PurePath

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from llms.app import App
from llms.kernel.errors import RequestError, TooLarge
from llms.media.names import shown_name
from llms.media.types import media_type
from llms.web.keys import APP
from llms.web.reply import json_response

_CHUNK = 2**16
_BROKEN = (ValueError, AssertionError, RuntimeError, HttpProcessingError, web.RequestPayloadError)


def routes() -> list[web.RouteDef]:
    return [web.post("/upload", upload)]


async def upload(request: web.Request) -> web.Response:
    """Keeps the field `file` and tells its info, `url` among it."""
    app = request.app[APP]
    user = app.auth.username(request)
    filename, data = await _uploaded(request)
    name = shown_name(filename)
    data, stored_as = await _fitted(app, data, name)
    _, info = await asyncio.to_thread(app.cache.save_bytes, data, stored_as, {"name": name}, {"user": user})
    own = {"name": name, "user": user} if user else {"name": name}
    return json_response(info | own)  # others may have uploaded it before: that is not for this user to know


async def _uploaded(request: web.Request) -> tuple[str, bytes]:
    """Name and content of the field `file`. Raises RequestError where there is none, or TooLarge."""
    if request.content_type != "multipart/form-data":
        raise _nothing()
    if (request.content_length or 0) > request.client_max_size:
        raise _too_large(request)
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "file":
                return part.filename or "", await _content(request, part)
    except _BROKEN as exc:
        raise RequestError("The upload breaks off or is no valid multipart/form-data. Send it again.") from exc
    raise _nothing()


async def _content(request: web.Request, part: BodyPartReader) -> bytes:
    data = bytearray()
    while not part.at_eof():  # an empty chunk is not yet the end
        data += await part.read_chunk(_CHUNK)
        if len(data) > request.client_max_size:
            raise _too_large(request)
    return bytes(data)


async def _fitted(app: App, data: bytes, name: str) -> tuple[bytes, str]:
    """The content to keep, and a name whose extension is true of it."""
    mime = media_type(data, name=name)
    if not mime.startswith("image/"):
        return data, name
    limits = (app.config.data.get("convert") or {}).get("image") or {}
    fit = app.converter.for_chat(**{key: limits[key] for key in ("max_size", "max_length") if key in limits})
    try:
        fitted, _ = await fit(data, mime)
    except RequestError:  # no picture we can read, such as SVG: kept as it is
        return data, name
    return fitted, name if fitted is data else f"{PurePath(name).stem}.webp"


def _nothing() -> RequestError:
    return RequestError("No file provided. Send it as the multipart field `file`.", param="file")


def _too_large(request: web.Request) -> TooLarge:
    size = request.client_max_size / 2**20
    return TooLarge(
        f"The file exceeds {size:.3g} MB. Send a smaller one, or raise `limits.client_max_size` in llms.json."
    )
