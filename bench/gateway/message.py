"""HTTP/1.1 framing for both ends of the benchmark: bytes in, one message out, no I/O."""

import re

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class Message:
    """One request or reply, collected from whatever pieces the network delivers.

    Nobody pipelines here, so the message ends where the bytes end; no trailers either.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._body_at = 0
        self._length: int | None = 0

    def feed(self, data: bytes) -> bool:
        """True once the message is complete."""
        self._data += data
        if not self._body_at and not self._read_head():
            return False
        if self._length is None:
            return self._data.endswith(_LAST_CHUNK)
        return len(self._data) >= self._body_at + self._length

    def _read_head(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return False
        self._body_at = end + 4
        head = self._data[: end + 2]
        length = _LENGTH.search(head)
        chunked = _CHUNKED.search(head)
        self._length = None if chunked else int(length[1]) if length else 0
        return True

    @property
    def has_body(self) -> bool:
        """True once the first byte after the head is here."""
        return 0 < self._body_at < len(self._data)

    @property
    def start_line(self) -> bytes:
        return bytes(self._data[: self._data.find(b"\r\n")])

    def body(self) -> bytes:
        """The body without its framing; only meaningful once complete."""
        if self._length is not None:
            return bytes(self._data[self._body_at :])
        return b"".join(self._chunks())

    def _chunks(self) -> list[bytes]:
        chunks: list[bytes] = []
        at = self._body_at
        while True:
            line_end = self._data.index(b"\r\n", at)
            size = int(self._data[at:line_end], 16)
            if size == 0:
                return chunks
            at = line_end + 2 + size + 2
            chunks.append(bytes(self._data[line_end + 2 : at - 2]))
