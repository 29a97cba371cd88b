"""The head of a GGUF file: what a model says about itself, read without loading it.

Layout (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), little-endian: magic, version, number of
tensors, number of pairs, then that many of key, type, value.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llms.api import LlmsError

MAGIC = b"GGUF"
HEAD_BYTES = 256 * 1024
"""`general.*` and `<architecture>.*` come first; the megabytes of tokenizer behind them are not needed."""

_NUMBERS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _ARRAY = 8, 9
_VERSIONS = (2, 3)

Value = int | float | str | None


class GgufError(LlmsError):
    """The file is not a GGUF model this program can read."""


@dataclass(frozen=True)
class GgufHeader:
    architecture: str
    name: str | None
    """`general.name`, fit to be printed."""
    context_length: int | None
    """Tokens the model was trained to see at once; None when the file doesn't say."""


def read_header(path: Path) -> GgufHeader:
    """The header of the file at `path`, from its first 256 KiB. Raises GgufError."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise GgufError(f"Cannot read {path.name} ({error.strerror}): check its permissions.") from error
    return parse_header(head)


def parse_header(head: bytes) -> GgufHeader:
    """The header in the first bytes of a file; pairs cut off at the end count as absent. Raises GgufError."""
    pairs = dict(_pairs(head))
    architecture = pairs.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise GgufError("This GGUF file names no architecture: download the model again.")
    return GgufHeader(
        architecture=architecture,
        name=_printable(pairs.get("general.name")),
        context_length=_positive(pairs.get(f"{architecture}.context_length")),
    )


def _pairs(head: bytes) -> Iterator[tuple[str, Value]]:
    cursor = _Cursor(head)
    try:
        if cursor.take(len(MAGIC)) != MAGIC:
            raise GgufError("This is not a GGUF file: convert the model to GGUF, or remove the file.")
        if cursor.integer("<I") not in _VERSIONS:
            raise GgufError("This GGUF version is not supported: download a current version of the model.")
        cursor.integer("<Q")  # tensors
        for _ in range(cursor.integer("<Q")):
            yield cursor.text(), cursor.value(cursor.integer("<I"))
    except EOFError:  # the head ends here; what was found so far stands
        return


class _Cursor:
    """Reads values one after another; raises EOFError when the bytes end before a value does."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._head):
            raise EOFError
        taken = self._head[self._at : end]
        self._at = end
        return taken

    def integer(self, form: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def text(self) -> str:
        return self.take(self.integer("<Q")).decode("utf-8", "replace")

    def value(self, kind: int) -> Value:
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            self._skip_array()
            return None
        form = _number_form(kind)
        number: int | float = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return number

    def _skip_array(self) -> None:
        kind, count = self.integer("<I"), self.integer("<Q")
        if kind != _STRING:
            self.take(struct.calcsize(_number_form(kind)) * count)
            return
        for _ in range(count):
            self.take(self.integer("<Q"))


def _number_form(kind: int) -> str:
    if kind not in _NUMBERS:
        raise GgufError("This GGUF file is damaged (unknown value type): download the model again.")
    return _NUMBERS[kind]


def _printable(value: Value) -> str | None:
    if not isinstance(value, str):
        return None
    return "".join(character for character in value[:200] if character.isprintable()).strip() or None


def _positive(value: Value) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return None
