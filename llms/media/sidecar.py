"""What is known of a cached file, in a JSON file beside it.

Its usual name is `<sha256>.info.json`, as other tools expect it. Where that one tells of the same bytes under another
extension, it is `<sha256>.<ext>.info.json`.
"""

from pathlib import Path
from typing import Any

import msgspec

from llms.kernel.errors import ConfigError, RequestError
from llms.kernel.files import read_json, to_json, write_atomic
from llms.kernel.types import Json


def read(file: Path) -> Json | None:
    """What was written for `file`; None where nothing was, or nothing that can be read."""
    for sidecar in (_own(file), _shared(file)):
        info = _content(sidecar)
        if info is not None and _tells_of(info, file):
            return info
    return None


def write(file: Path, info: Json) -> None:
    """Keeps `info` of `file`. Let nobody else write beside the file meanwhile."""
    known = _content(_shared(file))
    taken = known is not None and not _tells_of(known, file)
    write_atomic(_own(file) if taken else _shared(file), to_json(info))


def plain(info: Any) -> Json:
    """A copy of `info` as JSON can hold it. Raises RequestError where it cannot."""
    try:
        copy = msgspec.json.decode(msgspec.json.encode(info))
    except (TypeError, ValueError, RecursionError, OverflowError) as exc:
        raise RequestError(
            f"The info of the file is no JSON: {exc}. Give plain dicts, lists, texts and numbers."
        ) from exc
    if not isinstance(copy, dict):
        raise RequestError(f"The info of the file is of type {type(info).__name__}. Give a dict.")
    return copy


def _own(file: Path) -> Path:
    return file.with_name(f"{file.name}.info.json")


def _shared(file: Path) -> Path:
    return file.with_name(f"{file.stem}.info.json")


def _content(sidecar: Path) -> Json | None:
    try:
        return read_json(sidecar)
    except ConfigError:  # absent, or spoilt: both are as if nobody had written it
        return None


def _tells_of(info: Json, file: Path) -> bool:
    """Older files may lack a URL: then there is only one extension."""
    return str(info.get("url") or file.name).rpartition("/")[2] == file.name
