"""Content written as text: base64, alone or in a data URI."""

import binascii
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from llms.kernel.errors import RequestError

_HOW = "Encode it with padding and without line breaks."


class DataUri(NamedTuple):
    """What a data URI holds and says of it."""

    data: bytes
    mime: str
    is_base64: bool


def is_data_uri(text: str) -> bool:
    return text[:5].lower() == "data:"


def from_base64(text: str) -> bytes | None:
    """None for what is not base64 to the letter."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # also binascii.Error
        return None


def from_data_uri(uri: str) -> DataUri:
    """Raises RequestError for what is no data URI."""
    head, comma, body = uri[5:].partition(",")
    if not comma:
        raise RequestError("The data URI has no comma. Write it as 'data:<type>;base64,<data>'.")
    mime = head.partition(";")[0].strip().lower() or "text/plain"  # RFC 2397
    if not head.lower().endswith(";base64"):
        return DataUri(unquote_to_bytes(body), mime, is_base64=False)
    data = from_base64(body)
    if data is None:
        raise RequestError(f"The data URI is not valid base64. {_HOW}")
    return DataUri(data, mime, is_base64=True)


def to_bytes(content: Any) -> bytes:
    """`content` if it is bytes, else what the base64 or the data URI holds, even with line breaks or without padding.

    Raises RequestError for anything else.
    """
    if isinstance(content, bytes | bytearray | memoryview):
        return bytes(content)
    if not isinstance(content, str):
        raise RequestError(f"The content is of type {type(content).__name__}. Give bytes, base64 or a data URI.")
    head, comma, body = content.partition(",") if is_data_uri(content) else ("", "", content)
    if head and not (comma and head.lower().endswith(";base64")):
        return from_data_uri(content).data
    tidy = "".join(body.split())
    data = from_base64(tidy + "=" * (-len(tidy) % 4))
    if not data:
        raise RequestError("The content is not valid base64. Give bytes, base64 or a data URI.")
    return data
