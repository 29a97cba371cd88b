"""A vendor for tests: a real HTTP server on a loopback port that answers as scripted."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Pause:
    """Wait this many seconds before the next piece."""

    seconds: float


@dataclass(frozen=True)
class Gate:
    """Wait until the test calls `opened.set()`."""

    opened: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Cut:
    """Break the connection here."""


@dataclass(frozen=True)
class Hang:
    """Say nothing more until the caller goes away."""


Piece = bytes | Pause | Gate | Cut | Hang


@dataclass
class Script:
    """One answer: a status, headers, and the pieces of its body, each sent by itself."""

    pieces: list[Piece] = field(default_factory=list)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    """A request that reached the vendor. `connection` is the caller's port: one for each connection."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    connection: int


class FakeUpstream:
    """Answers each request with the next script, or with a short completion when none is left.

    `requests` holds what came in; `gone` is set when a caller left before its answer was complete.
    """

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.gone = asyncio.Event()
        self._scripts: deque[Script] = deque()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> "FakeUpstream":
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    # -- what to answer ----------------------------------------------------------------------------------------

    def enqueue(self, *pieces: Piece, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Any answer at all, piece by piece."""
        self._scripts.append(Script(list(pieces), status, headers or {"Content-Type": "application/json"}))

    def enqueue_text(self, text: str, **usage: int) -> None:
        """A whole completion that says `text`."""
        self.enqueue(json.dumps(completion(text, **usage)).encode())

    def enqueue_stream(self, *texts: str | Piece, finish: str = "stop", done: bool = True, **usage: int) -> None:
        """A streamed completion; strings become text deltas, other pieces are sent as they are."""
        pieces: list[Piece] = [sse(chunk({"role": "assistant", "content": ""}))]
        pieces += [sse(chunk({"content": part})) if isinstance(part, str) else part for part in texts]
        pieces.append(sse(chunk({}, finish_reason=finish)))
        if usage:
            pieces.append(sse({**chunk({}), "choices": [], "usage": _usage(usage)}))
        if done:
            pieces.append(b"data: [DONE]\n\n")
        self.enqueue(*pieces, headers={"Content-Type": "text/event-stream"})

    def enqueue_error(self, status: int, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        """An error as OpenAI tells it."""
        body = json.dumps({"error": {"message": message, "type": "x", "code": None}}).encode()
        self.enqueue(body, status=status, headers={"Content-Type": "application/json", **(headers or {})})

    # -- answering ---------------------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw
        connection = request.get_extra_info("peername", ("", 0))[1]
        self.requests.append(Received(request.method, request.path, request.headers.copy(), body, connection))
        script = self._scripts.popleft() if self._scripts else _plain()
        try:
            return await self._play(request, script)
        except (asyncio.CancelledError, ConnectionResetError) as exc:
            self.gone.set()
            raise asyncio.CancelledError from exc  # aiohttp would log the other one as an error

    async def _play(self, request: web.Request, script: Script) -> web.StreamResponse:
        response = web.StreamResponse(status=script.status, headers=script.headers)
        for piece in script.pieces:
            match piece:
                case Pause(seconds):
                    await asyncio.sleep(seconds)
                case Gate(opened):
                    await opened.wait()
                case Hang():
                    await asyncio.Event().wait()
                case Cut():
                    if not response.prepared:
                        await response.prepare(request)
                    await asyncio.sleep(0)
                    assert request.transport is not None
                    request.transport.abort()
                    return response
                case bytes():
                    if not response.prepared:
                        await response.prepare(request)
                    await response.write(piece)
        if not response.prepared:
            await response.prepare(request)
        await response.write_eof()
        return response


def _plain() -> Script:
    return Script([json.dumps(completion("ok")).encode()], 200, {"Content-Type": "application/json"})


def sse(data: Any) -> bytes:
    """`data` as one event."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def completion(text: str, **usage: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "fake-model",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": _usage(usage or {"prompt_tokens": 1, "completion_tokens": 1}),
    }


def chunk(delta: dict[str, Any], *, finish_reason: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "fake-model",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }


def _usage(given: dict[str, int]) -> dict[str, int]:
    return {**given, "total_tokens": given.get("prompt_tokens", 0) + given.get("completion_tokens", 0)}
