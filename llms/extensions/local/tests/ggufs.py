"""Hand-made heads of GGUF files."""

import struct

from llms.extensions.local.gguf import MAGIC

Pair = tuple[str, int, bytes]
"""Key, type, and the value's bytes."""


def text(key: str, value: str) -> Pair:
    return key, 8, _sized(value)


def number(key: str, value: int) -> Pair:
    return key, 4, struct.pack("<I", value)


def texts(key: str, *values: str) -> Pair:
    return key, 9, struct.pack("<IQ", 8, len(values)) + b"".join(map(_sized, values))


def gguf(*pairs: Pair) -> bytes:
    body = b"".join(_sized(key) + struct.pack("<I", kind) + value for key, kind, value in pairs)
    return MAGIC + struct.pack("<IQQ", 3, 0, len(pairs)) + body


def _sized(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded
