"""A streamed answer as OpenAI clients expect it: events, comments while nothing comes, an end or an error."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress

from aiohttp import web

from llms.kernel.errors import LlmsError
from llms.kernel.secrets import Secrets
from llms.kernel.types import Chunk
from llms.providers.events import DONE, KEEP_ALIVE, StreamEvent, encode_data
from llms.web.errors import error_body

_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}


class AnswerStream:
    """Writes one answer to one client.

    The headers leave with the first event, so that an error before it still has a status of its own, and `headers`
    can tell who answers; a provider that stays silent for `keep_alive` seconds makes them leave earlier, without those,
    with a comment that keeps the connection open.
    """

    def __init__(
        self,
        request: web.Request,
        *,
        include_usage: bool,
        keep_alive: float,
        headers: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.response = web.StreamResponse(headers=_HEADERS)
        self._headers = headers
        request[ANSWER] = self
        self._request = request
        self._include_usage = include_usage
        self._usage: Chunk | None = None
        self._keep_alive = keep_alive
        self._loop = asyncio.get_running_loop()
        self._last_write = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._comments: set[asyncio.Task[None]] = set()

    async def relay(self, batches: AsyncIterator[list[StreamEvent]]) -> web.StreamResponse:
        """Writes every event, then the end. Raises what `batches` raises: what has begun then ends with `fail`."""
        self._look_after(self._keep_alive)
        try:
            async for events in batches:
                if data := b"".join([self._encode(event) for event in events]):
                    if not self.response.prepared:
                        self.response.headers.update(self._headers())
                    await self._write(data)
            await self._write(self._end())
        finally:
            self._stop_looking()
        await self.response.write_eof()
        del self._request[ANSWER]  # so that request and answer let go of each other without the collector
        return self.response

    async def fail(self, error: LlmsError, secrets: Secrets) -> web.StreamResponse:
        """Ends an answer that has begun with `error` as its last event."""
        with suppress(ConnectionResetError):  # the client may be gone by now
            await self._write(encode_data(error_body(error, secrets)))
            await self.response.write_eof()
        return self.response

    def _encode(self, event: StreamEvent) -> bytes:
        """The event's bytes; its usage is kept for the end, where a client that asked for it looks."""
        if event.plain or not event.chunk.get("usage"):
            return event.encode()
        self._usage = event.chunk
        if not event.chunk.get("choices"):
            return b""
        return encode_data({key: value for key, value in event.chunk.items() if key != "usage"})

    def _end(self) -> bytes:
        if self._usage is None or not self._include_usage:
            return DONE
        return encode_data({**self._usage, "choices": []}) + DONE

    async def _write(self, data: bytes) -> None:
        if not self.response.prepared:
            await self.response.prepare(self._request)
        self._last_write = self._loop.time()
        await self.response.write(data)

    def _tick(self) -> None:
        """Sends a comment if nothing was sent for a while, and looks again when that could next be so."""
        silent = self._loop.time() - self._last_write
        if silent >= self._keep_alive:
            task = self._loop.create_task(self._comment())
            self._comments.add(task)
            task.add_done_callback(self._comments.discard)
            silent = 0.0
        self._look_after(self._keep_alive - silent)

    def _look_after(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._tick)

    def _stop_looking(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for comment in self._comments:
            comment.cancel()

    async def _comment(self) -> None:
        with suppress(ConnectionResetError):  # the client is gone; the handler is being cancelled
            await self._write(KEEP_ALIVE)


ANSWER = web.RequestKey("answer", AnswerStream)  # of the request whose answer is streamed
