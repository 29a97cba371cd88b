"""The page at / and the files it is made of."""

import os
from pathlib import Path

from aiohttp import web

from llms.kernel.errors import NotFound
from llms.web.keys import APP

_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}


def routes() -> list[web.RouteDef]:
    return [web.get("/", index), web.get("/ui/{path:.+}", asset)]


async def index(request: web.Request) -> web.StreamResponse:
    return _file(request, "index.html")


async def asset(request: web.Request) -> web.StreamResponse:
    return _file(request, request.match_info["path"])


def _file(request: web.Request, path: str) -> web.FileResponse:
    """A file of the packaged UI. Raises NotFound for whatever is not one, wherever `path` tries to lead."""
    folder = (request.app[APP].home.package / "ui").resolve()
    # os.path, because Path raises for names that are too long and links that lead in a circle
    file = Path(os.path.realpath(folder / path)) if "\0" not in path else folder
    kind = _TYPES.get(file.suffix)
    if kind is None or not file.is_relative_to(folder) or not os.path.isfile(file):  # noqa: PTH113
        raise NotFound(f"There is nothing at {request.path}. Check the address.")
    response = web.FileResponse(file, headers={"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY})
    response.content_type = kind
    if kind.startswith("text/"):
        response.charset = "utf-8"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
