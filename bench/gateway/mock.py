"""The scripted OpenAI upstream, on bare asyncio protocols: `python -m bench.gateway.mock PORT`.

`PUT /script` says how the next chats are answered; a chat is streamed when it asks for it; every GET is a
health check.
"""

import asyncio
import random
import sys
from collections.abc import Iterator
from typing import cast

import msgspec
import uvloop

from bench.gateway.message import Message

WORD = " token"
"""Stands once in every streamed chunk, so the load generator can count what arrived."""

_JSON_HEAD = "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_ABOUT = {"id": "chatcmpl-mock", "created": 1750000000, "model": "mock-model"}
_USAGE = {"prompt_tokens": 200, "completion_tokens": 100, "total_tokens": 300}


class Script(msgspec.Struct, frozen=True):
    """How a streamed chat is answered: so many chunks, about so many seconds between two of them.

    The pauses vary by half, as those of real models do: streams in step would be cheaper to relay than others.
    """

    chunks: int = 5
    pause: float = 0.0


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Chat(msgspec.Struct):
    stream: bool = False
    stream_options: _StreamOptions | None = None


def _json_reply(value: object, status: str = "200 OK") -> bytes:
    body = msgspec.json.encode(value)
    return _JSON_HEAD.format(status=status, length=len(body)).encode() + body


def _whole_reply() -> bytes:
    """A chat completion of about 1 KB."""
    message = {"role": "assistant", "content": WORD * 115}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return _json_reply({**_ABOUT, "object": "chat.completion", "choices": [choice], "usage": _USAGE})


def _event(**fields: object) -> bytes:
    """One server-sent event in an HTTP chunk of its own, as real upstreams send them."""
    chunk = {**_ABOUT, "object": "chat.completion.chunk", **fields}
    return _framed(b"data: " + msgspec.json.encode(chunk) + b"\n\n")


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _delta(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _event(choices=[choice])


def _stream_reply(chunks: int, *, with_usage: bool) -> list[bytes]:
    """The writes of one streamed reply; the head leaves with the first chunk, the end with the last."""
    first = _STREAM_HEAD + _delta({"role": "assistant", "content": WORD})
    rest = [_delta({"content": WORD})] * (chunks - 1)
    usage = _event(choices=[], usage=_USAGE) if with_usage else b""
    end = _delta({}, "stop") + usage + _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"
    return [first, *rest, end]


class Upstream:
    """What all connections share: the script in force, its prepared replies, the chats answered under it."""

    def __init__(self) -> None:
        self.whole = _whole_reply()
        self.play(Script())

    def play(self, script: Script) -> None:
        self.script = script
        self.chats = 0
        self._random = random.Random(script.chunks)  # the same pauses for every subject
        self._streams = {asked: _stream_reply(script.chunks, with_usage=asked) for asked in (False, True)}

    def next_pause(self) -> float:
        return self.script.pause * self._random.uniform(0.5, 1.5)

    def stream(self, *, with_usage: bool) -> Iterator[bytes]:
        writes = self._streams[with_usage]
        return iter(writes if self.script.pause else [b"".join(writes)])


class Exchange(asyncio.Protocol):
    """One connection: request in, scripted reply out, again and again."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._request = Message()
        self._next_write: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next_write:
            self._next_write.cancel()

    def data_received(self, data: bytes) -> None:
        if self._request.feed(data):
            request, self._request = self._request, Message()
            self._answer(request)

    def _answer(self, request: Message) -> None:
        method = request.start_line.split(b" ", 1)[0]
        if method == b"POST":
            self._answer_chat(request.body())
        elif method == b"PUT":
            self._upstream.play(msgspec.json.decode(request.body(), type=Script))
            self._transport.write(_json_reply({"status": "ok"}))
        else:
            self._transport.write(_json_reply({"status": "ok", "chats": self._upstream.chats}))

    def _answer_chat(self, body: bytes) -> None:
        try:
            chat = msgspec.json.decode(body, type=_Chat)
        except msgspec.DecodeError as error:
            self._transport.write(_json_reply({"error": {"message": str(error)}}, "400 Bad Request"))
            return
        self._upstream.chats += 1
        if chat.stream:
            options = chat.stream_options
            self._write_on(self._upstream.stream(with_usage=bool(options and options.include_usage)))
        else:
            self._transport.write(self._upstream.whole)

    def _write_on(self, writes: Iterator[bytes]) -> None:
        data = next(writes, None)
        if data is None:
            return
        self._transport.write(data)
        loop = asyncio.get_running_loop()
        self._next_write = loop.call_later(self._upstream.next_pause(), self._write_on, writes)


async def serve(port: int) -> None:
    upstream = Upstream()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Exchange(upstream), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
