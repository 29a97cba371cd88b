"""The page at / and the files it is made of."""

import asyncio
import hashlib
from pathlib import PurePosixPath

from aiohttp import web

from llms.kernel.errors import NotFound
from llms.web.document import assembled, policy
from llms.web.files import TYPES, find, served
from llms.web.keys import APP, DEV, SHARED

_DEV_SCRIPT = '<script type="module" src="/ui/dev.mjs"></script>'


def routes() -> list[web.RouteDef]:
    return [web.get("/", index), web.get("/ui/{path:.+}", asset)]


async def index(request: web.Request) -> web.Response:
    """The page, with what extensions added to it. Unchanged since the browser's last visit, it is not sent again."""
    app = request.app[APP]
    file = find(app.home.package / "ui", "index.html")
    template = await asyncio.to_thread(file.read_text, "utf-8") if file else "The page is missing. Install llms again."
    html = assembled(template, request.app[SHARED].page, extra=_DEV_SCRIPT if request.app[DEV] else "")
    etag = hashlib.sha256(html.encode()).hexdigest()[:16]
    headers = {"Content-Security-Policy": policy(html), "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
    if any(known.value == etag for known in request.if_none_match or ()):
        response = web.Response(status=304, headers=headers)
    else:
        response = web.Response(text=html, content_type="text/html", headers=headers)
    response.etag = etag
    return response


async def asset(request: web.Request) -> web.StreamResponse:
    """A file of the packaged UI, of the kinds that browsers load."""
    path = request.match_info["path"]
    if PurePosixPath(path).suffix not in TYPES:
        raise NotFound(f"There is nothing at {request.path}. Check the address.")
    response = served(request.app[APP].home.package / "ui", path, address=request.path)
    response.headers["Content-Security-Policy"] = policy("")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
