"""Streams of JSON documents, one on each line (https://github.com/ndjson/ndjson-spec). No I/O."""

from __future__ import annotations

from llms.api import ProviderError

_LONGEST_LINE = 64 * 1024 * 1024  # bytes


class JsonLines:
    """Cuts a stream into its lines. Bytes may come in any pieces; the last line may lack its end."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        head, end, rest = data.rpartition(b"\n")
        lines = (b"".join((*self._pieces, head))).split(b"\n") if end else []
        if end:
            self._pieces, self._size = [], 0
        self._pieces.append(rest)
        self._size += len(rest)
        if self._size > _LONGEST_LINE:
            raise ProviderError(f"A streamed line is longer than {_LONGEST_LINE} bytes. Ask for a smaller answer.")
        return lines

    def finish(self) -> list[bytes]:
        return [b"".join(self._pieces)]
