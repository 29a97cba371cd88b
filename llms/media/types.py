"""Media types: told by the first bytes, else by what the source says, else by the name."""

import mimetypes
import re
from types import MappingProxyType

UNKNOWN = "application/octet-stream"
_WELL_FORMED = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
_EXTENSIONS = MappingProxyType(  # where Python knows none, or one that few programs know
    {"audio/wav": "wav", "audio/ogg": "ogg", "audio/mp3": "mp3", "image/jpg": "jpg", "application/ogg": "ogg"}
)
_MAGIC = (
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF....WEBP", "image/webp"),
    (rb"II\*\0|MM\0\*", "image/tiff"),
    (rb"....ftyp(heic|heix|heim|mif1|msf1)", "image/heic"),
    (rb"....ftyp(avif|avis)", "image/avif"),
    (rb"RIFF....WAVE", "audio/wav"),
    (rb"ID3[\2-\4]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", "audio/mpeg"),
    (rb"\xff[\xf0\xf1\xf8\xf9]", "audio/aac"),
    (rb"....ftypM4A ", "audio/mp4"),
    (rb"OggS", "audio/ogg"),
    (rb"fLaC", "audio/flac"),
    (rb"%PDF-", "application/pdf"),
)


def by_magic(data: bytes) -> str | None:
    return next((mime for magic, mime in _MAGIC if re.match(magic, data, re.DOTALL)), None)


def media_type(data: bytes, *, declared: str = "", name: str = "") -> str:
    """The media type of `data`, always well formed; `application/octet-stream` where nothing tells."""
    if magic := by_magic(data):
        return magic
    declared = declared.lower()
    if declared != UNKNOWN and is_well_formed(declared):
        return declared
    return get_file_mime_type(name)


def get_file_mime_type(filename: str) -> str:
    """The media type that the name of a file tells; `application/octet-stream` where it tells none."""
    mime, packed = mimetypes.guess_type(filename, strict=False)
    if packed:
        return "application/gzip" if packed == "gzip" else f"application/x-{packed}"
    return mime or UNKNOWN


def usual_extension(mime: str) -> str:
    """What names of files of this type end with, without dot; `bin` where none is usual."""
    return _EXTENSIONS.get(mime) or (mimetypes.guess_extension(mime, strict=False) or ".bin")[1:]


def is_well_formed(mime: str) -> bool:
    return bool(_WELL_FORMED.fullmatch(mime))
