"""Forms with files in them, as bytes. RFC 7578. No I/O."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec


class File(NamedTuple):
    """A file of a form. `field` and `name` are ours, so they need no quoting."""

    field: str
    name: str
    mime: str
    data: bytes


def form_of(fields: Mapping[str, Any], files: Iterable[File]) -> tuple[str, bytes]:
    """The content type and the body. A list is sent as one field for each of its values, an object as JSON."""
    boundary = secrets.token_hex(16)
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{_text(value)}'.encode()
        for name, values in fields.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    parts += [
        f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: {mime}\r\n\r\n'.encode()
        + data
        for field, name, mime, data in files
    ]
    line = f"--{boundary}\r\n".encode()
    body = b"".join(line + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
