"""Files below a folder, and nothing outside of it."""

import mimetypes
import os
from pathlib import Path

from aiohttp import web

from llms.kernel.errors import NotFound

TYPES = {  # what browsers insist on, whatever the system's own table says
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}


def find(folder: Path, path: str) -> Path | None:
    """The file that `path` means below `folder`; None for whatever is not one, wherever it tries to lead."""
    if "\0" in path or path.endswith("/"):
        return None
    root = os.path.realpath(folder)
    # os.path, because Path raises for names that are too long and links that lead in a circle
    file = os.path.realpath(os.path.join(root, path))  # noqa: PTH118
    if not file.startswith(root + os.sep) or not os.path.isfile(file):  # noqa: PTH113
        return None
    return Path(file)


def served(folder: Path, path: str, *, address: str) -> web.FileResponse:
    """The answer with a file of `folder`, to be asked for again each time. Raises NotFound."""
    file = find(folder, path)
    if file is None:
        raise NotFound(f"There is nothing at {address}. Check the address.")
    response = web.FileResponse(file, headers={"Cache-Control": "no-cache"})
    response.content_type = media_type(file)
    if response.content_type.startswith("text/"):
        response.charset = "utf-8"
    return response


def media_type(file: Path) -> str:
    """What a browser shall take the file for."""
    return TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
