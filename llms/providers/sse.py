"""Server-Sent Events: bytes in, the data of whole events out. No I/O.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from llms.kernel.errors import ProviderError

MAX_EVENT = 64 * 1024 * 1024  # bytes; a streamed image is some MB of base64


class SseDecoder:
    """Feed it bytes cut anywhere; each event's data comes out once its blank line has arrived.

    Comments, `event:`, `id:` and `retry:` lines are passed over; `\\r\\n` and `\\r` end lines as `\\n` does;
    several `data:` lines of one event are joined with `\\n`.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of an event whose blank line has not come: joined when it has
        self._size = 0
        self._at_start = True
        self._head = b""
        self._ended_in_cr = False

    def feed(self, data: bytes) -> list[bytes]:
        """The data of every event that `data` completes."""
        if b"\r" in data or self._ended_in_cr:
            data = self._unix(data)
        if self._at_start:
            data = self._without_mark(data)
        if self._pieces:
            if not self._is_ended_by(data):
                self._keep(data)
                return []
            data = self._taken() + data
        *blocks, rest = data.split(b"\n\n")
        if rest:
            self._keep(rest)
        events: list[bytes] = []
        for block in blocks:
            if block.startswith(b"data: ") and b"\n" not in block:  # nearly every event of every provider
                events.append(block[6:])
            elif (event := _data(block)) is not None:
                events.append(event)
        return events

    def finish(self) -> list[bytes]:
        """The last event where its blank line never came."""
        event = _data(self._taken())
        return [] if event is None else [event]

    def _is_ended_by(self, data: bytes) -> bool:
        """Whether a blank line comes with `data`, perhaps cut in the middle. What came before has none."""
        return b"\n\n" in data or (data.startswith(b"\n") and self._pieces[-1].endswith(b"\n"))

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)
        if self._size > MAX_EVENT:
            raise ProviderError(f"A streamed event is larger than {MAX_EVENT} bytes. Ask for a smaller answer.")

    def _taken(self) -> bytes:
        """What was kept, which is then forgotten."""
        kept, self._pieces, self._size = b"".join(self._pieces), [], 0
        return kept

    def _unix(self, data: bytes) -> bytes:
        """`data` with every line end as `\\n`. A `\\r\\n` cut in the middle is one line end, not two."""
        if not data:
            return data
        if self._ended_in_cr:
            data = data.removeprefix(b"\n")
        self._ended_in_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _without_mark(self, data: bytes) -> bytes:
        """`data` without the byte order mark a stream may begin with; nothing while that is undecided."""
        self._head += data
        if len(self._head) < 3 and b"\xef\xbb\xbf".startswith(self._head):
            return b""
        self._at_start = False
        return self._head.removeprefix(b"\xef\xbb\xbf")


def _data(block: bytes) -> bytes | None:
    """The data of one event, or None where it has none."""
    lines = [line[5:].removeprefix(b" ") for line in block.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None
