"""How Gemini's streams are cut into events. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llms.api import Decoder, SseDecoder


class EventsOrArray:
    """Cuts a stream into events, whether it is one of Server-Sent Events or one JSON array of objects."""

    def __init__(self) -> None:
        self._head = b""
        self._inner: Decoder | None = None

    def feed(self, data: bytes) -> list[bytes]:
        if self._inner is None:
            self._head += data
            beginning = self._head.lstrip()[:1]
            if not beginning:
                return []
            self._inner = JsonObjects() if beginning in b"[{" else SseDecoder()
            data, self._head = self._head, b""
        return self._inner.feed(data)

    def finish(self) -> list[bytes]:
        return self._inner.finish() if self._inner is not None else []


class JsonObjects:
    """Cuts a JSON array into the objects that stand in it. What has been looked at is not looked at again."""

    _MARKS = re.compile(rb'["{}\\]')

    def __init__(self) -> None:
        self._data = bytearray()
        self._seen = 0
        self._depth = 0
        self._quoted = False

    def feed(self, data: bytes) -> list[bytes]:
        self._data += data
        ends = [*self._ends()]
        found, begin = [], 0
        for end in ends:
            found.append(bytes(self._data[self._data.index(b"{", begin) : end]))
            begin = end
        if begin:
            del self._data[:begin]
            self._seen -= begin
        return found

    def finish(self) -> list[bytes]:
        return []

    def _ends(self) -> Iterator[int]:
        """Where objects end that stand in no other. Only braces count: inside of them, brackets are in pairs."""
        while mark := self._MARKS.search(self._data, self._seen):
            self._seen = mark.end()
            if mark[0] == b"\\":
                self._seen += 1  # whatever it escapes, also where that has not come yet
            elif mark[0] == b'"':
                self._quoted = not self._quoted
            elif not self._quoted:
                self._depth += 1 if mark[0] == b"{" else -1
                if self._depth == 0:
                    yield self._seen
        self._seen = max(self._seen, len(self._data))
