"""A stream's bytes turned into events, and what is known of its end. No I/O."""

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from llms.kernel.errors import ProviderError, StreamCut
from llms.providers.events import StreamEvent
from llms.providers.sse import SseDecoder

Parse = Callable[[bytes], StreamEvent | Iterable[StreamEvent]]


class Decoder(Protocol):
    """Cuts a stream's bytes, given in any pieces, into the data of its events."""

    def feed(self, data: bytes) -> list[bytes]: ...
    def finish(self) -> list[bytes]: ...


class EventReader:
    """Feed it bytes cut anywhere; `parse` makes an event, or several, of each event's data.

    `over` once nothing more can follow: `[DONE]` came, or an error did. What came before an error is given out first,
    however the bytes were cut; `check` then raises it.
    """

    def __init__(self, parse: Parse, *, provider: str, decoder: Decoder | None = None) -> None:
        self._parse = parse
        self._provider = provider
        self._decoder = decoder or SseDecoder()
        self._begun: set[int] = set()  # choices by index
        self._ended: set[int] = set()
        self._done = False
        self._error: ProviderError | None = None

    @property
    def over(self) -> bool:
        return self._done or self._error is not None

    def feed(self, data: bytes) -> list[StreamEvent]:
        """The events that `data` completes."""
        return self._events(self._decoder.feed(data))

    def finish(self) -> list[StreamEvent]:
        """The last event where its blank line never came. A piece of one is no event."""
        return self._events(filter(_is_whole, self._decoder.finish()))

    def check(self) -> None:
        """Raises the error that came, or StreamCut where neither `[DONE]` did nor every choice said why it ended."""
        if self._error is not None:
            raise self._error
        if not self._done and not (self._ended and self._begun <= self._ended):
            raise StreamCut(
                f"{self._provider} ended its stream before the answer was complete. Try again.",
                provider=self._provider,
            )

    def _events(self, datas: Iterable[bytes]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for data in datas:
            if self.over:
                break
            if data.startswith(b"[DONE]"):
                self._done = True
            elif data.strip():
                self._take(data, events)
        return events

    def _take(self, data: bytes, events: list[StreamEvent]) -> None:
        try:
            parsed = self._parse(data)
        except ProviderError as error:
            self._error = error
            return
        for event in (parsed,) if isinstance(parsed, StreamEvent) else parsed:
            events.append(event)
            if not event.plain:
                self._note(event)

    def _note(self, event: StreamEvent) -> None:
        for choice in event.chunk.get("choices") or ():
            (self._ended if choice.get("finish_reason") else self._begun).add(choice.get("index") or 0)


def _is_whole(data: bytes) -> bool:
    if data.startswith(b"[DONE]"):
        return True
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
