"""Files of the cache, their info and their previews. None of them ever runs in our pages."""

import asyncio
import re
from functools import partial
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from llms.app import App
from llms.kernel.types import Json
from llms.media.names import is_addressed
from llms.media.types import get_file_mime_type, is_well_formed
from llms.media.variants import Variant
from llms.web.keys import APP
from llms.web.reply import json_response

_SCRIPT = re.compile(r".*/(x-)?(javascript|ecmascript|jscript|livescript)[\d.]*|text/css")
_INERT = re.compile(r"image/(?!.*\+xml)[^/]*|audio/.*|video/.*|text/plain|application/(pdf|json)")
_SANDBOX = "sandbox; default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"


def routes() -> list[web.RouteDef]:
    return [web.get("/~cache/{path:.*}", cached)]


async def cached(request: web.Request) -> web.StreamResponse:
    """The file; with `?info` what is known of it, with `?download` to be saved, with `?variant=` a preview."""
    app = request.app[APP]
    file = await asyncio.to_thread(app.cache.file, request.match_info["path"])
    info = await asyncio.to_thread(app.cache.info, file)
    if "info" in request.query:
        return json_response(info)
    if variant := Variant.parse(request.query.get("variant", "")):
        preview = await _preview(app, file, variant)
        if preview != file:
            file, info = preview, {"name": Path(str(info.get("name"))).stem + ".webp", "type": "image/webp"}
    return web.FileResponse(file, headers=_headers(file, info, is_download="download" in request.query))


async def _preview(app: App, file: Path, variant: Variant) -> Path:
    place = variant.place(file)
    if place is None or await asyncio.to_thread(place.exists):  # then it need not wait for those that are not made
        return place or file
    return await app.converter.run(partial(variant.of, file))


def _headers(file: Path, info: Json, *, is_download: bool) -> dict[str, str]:
    kind = _media_type(file, info)
    name = str(info.get("name") or file.name)
    headers = {
        "Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        "Content-Disposition": f"{'attachment' if is_download else 'inline'}; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "private, max-age=31536000, immutable" if is_addressed(file) else "private, no-cache",
        "Cross-Origin-Resource-Policy": "same-origin",  # or else any site could ask whether a known file is here
    }
    if not _INERT.fullmatch(kind):
        headers["Content-Security-Policy"] = _SANDBOX
    return headers


def _media_type(file: Path, info: Json) -> str:
    """The type to serve `file` as. What a page could load as script or style is plain text."""
    told = str(info.get("type") or "").lower()
    kind = told if is_well_formed(told) else get_file_mime_type(file.name)
    return "text/plain" if _SCRIPT.fullmatch(kind) else kind
