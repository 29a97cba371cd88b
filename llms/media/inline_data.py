"""Moves what a message holds in base64 out of it: into the cache, with a URL in its place."""

import logging
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from llms.kernel.errors import LlmsError
from llms.kernel.types import Json
from llms.media.encoded import is_data_uri
from llms.media.names import URL
from llms.media.types import is_well_formed, usual_extension

Save = Callable[[str, str, Json], str]  # content, file name, info -> URL

_FIELDS = MappingProxyType({"image_url": "url", "input_audio": "data", "file": "file_data"})
logger = logging.getLogger("llms.media")


def take_inline_data(message: Any, save: Save) -> None:
    """Replaces, in place, all inline data in the content of `message`. A part that cannot be saved stays as it is."""
    content = message.get("content") if isinstance(message, dict) else None
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(kind, str) and kind in _FIELDS:
            try:
                _take(part, kind, save)
            except LlmsError as error:
                logger.warning("An attachment of type %s stays in its message: %s", kind, error)


def _take(part: Json, kind: str, save: Save) -> None:
    field, detail = _FIELDS[kind], part.get(kind)
    given: Json = detail if isinstance(detail, dict) else {field: detail}
    value = given.get(field)
    if not isinstance(value, str) or not _is_inline(value, kind):
        return
    mime = _declared(value)
    url = save(value, _name(given, kind, mime), {"type": mime} if mime else {})
    if given is detail:
        given[field] = url
    else:
        part[kind] = url


def _is_inline(value: str, kind: str) -> bool:
    """Only audio comes as bare base64, so of all else what is no data URI is a link or a path."""
    if kind == "input_audio":
        return not value.startswith(URL) and "://" not in value[:32]
    return is_data_uri(value)


def _declared(value: str) -> str:
    """The type that a data URI tells, where it is one."""
    mime = value[5:300].partition(",")[0].partition(";")[0].strip().lower() if is_data_uri(value) else ""
    return mime if is_well_formed(mime) else ""


def _name(given: Json, kind: str, mime: str) -> str:
    if (filename := given.get("filename")) and isinstance(filename, str):
        return filename
    name = kind.removeprefix("input_").removesuffix("_url")
    end = given.get("format") or (usual_extension(mime) if mime else "")
    return f"{name}.{end}" if end and isinstance(end, str) else name
