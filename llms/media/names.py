"""What files of the cache are called: the name to show, and the name on disk."""

import re
from pathlib import Path
from typing import Any

from llms.media.types import usual_extension

LONGEST = 200  # bytes of a name to show; every file system takes it, with room for a suffix
URL = "/~cache/"  # what the URL of every cached file begins with
_ADDRESSED = re.compile(r"([0-9a-f]{64})(_\w+)?\.[a-z0-9]+")
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,16})\Z")
# Control characters, what turns the direction of writing, and halves of characters.
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def shown_name(given: Any) -> str:
    """The last segment of `given`, without what cannot be seen; `file` where nothing is left."""
    name = str(given or "").replace("\\", "/").rpartition("/")[2]
    name = _NOT_SHOWN.sub("", name).strip().removesuffix("+xml")  # as in image/svg+xml, which names are made from
    if not name.strip("."):
        return "file"
    if len(name.encode()) <= LONGEST:
        return name
    end = found[0] if (found := _EXTENSION.search(name)) else ""
    return name.removesuffix(end).encode()[: LONGEST - len(end)].decode(errors="ignore") + end


def extension(name: str, mime: str) -> str:
    """The extension of `name`, or else the one of files of this type. Lower case, without dot."""
    if found := _EXTENSION.search(name):
        return found[1].lower()
    return usual_extension(mime)


def is_addressed(file: Path) -> bool:
    """Whether the name of `file` tells its content, so that it never changes."""
    return bool(_ADDRESSED.fullmatch(file.name)) and file.parent.name == file.name[:2]
