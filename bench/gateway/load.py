"""The load generator: one process, a fixed number of exchanges on loopback, then it ends by itself.

It is told what to do by one JSON argument and talks with its parent line by line: it writes `ready`, `open`
or its outcome, and goes on when it is sent an empty line.
"""

import asyncio
import statistics
import sys
from time import perf_counter
from typing import cast

import msgspec
import uvloop

from bench.gateway.message import Message
from bench.gateway.mock import WORD

_HEADERS = """\
POST /v1/chat/completions HTTP/1.1\r
Host: 127.0.0.1:{port}\r
Accept: application/json\r
Content-Type: application/json\r
User-Agent: OpenAI/Python 2.8.0\r
X-Stainless-Lang: python\r
X-Stainless-Package-Version: 2.8.0\r
X-Stainless-Retry-Count: 0\r
Authorization: Bearer sk-benchmark\r
Content-Length: {length}\r
\r
"""
_PROSE = 'She said: "Measure it, then say it."\nA naïve reader — café or not — wants the ratio, 2 × at most.\n'
_OPENED_AT_ONCE = 64


class LoadError(Exception):
    """The server under load did not answer as an OpenAI server does; the message shows what it did."""


class Spec(msgspec.Struct, frozen=True):
    """What to send, and how much of it."""

    port: int
    connections: int
    requests: int
    warmup: int
    prompt_bytes: int
    stream: bool
    chunks: int
    hold: bool
    """Keep every stream open until told to go on, instead of reading it to its end."""
    seconds: float
    """Gives up after so long, whatever happens."""


class Outcome(msgspec.Struct, frozen=True):
    """What the measured part was like from outside. A stream's latency ends with its first byte."""

    seconds: float
    p50: float
    p99: float
    reads: int


def chat_request(spec: Spec) -> bytes:
    prompt = (_PROSE * (spec.prompt_bytes // len(_PROSE) + 1))[: spec.prompt_bytes]
    messages = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": prompt}]
    chat: dict[str, object] = {"messages": messages, "model": "mock-model"}
    body = msgspec.json.encode(chat | {"stream": True} if spec.stream else chat)
    return _HEADERS.format(port=spec.port, length=len(body)).encode() + body


class Run:
    """So many exchanges, shared out among connections; `done` ends with the last one or the first error."""

    def __init__(self, spec: Spec, requests: int) -> None:
        self.spec = spec
        self.request = chat_request(spec)
        self.latencies: list[float] = []
        self.reads = 0
        self.done = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._unsent = requests

    def take(self) -> bool:
        """True when one more request is to be sent."""
        self._unsent -= 1
        return self._unsent >= 0

    def record(self, latency: float) -> None:
        self.latencies.append(latency)
        if len(self.latencies) == self._requests and not self.done.done():
            self.done.set_result(None)

    def fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError(reason))

    def check(self, reply: Message) -> None:
        body = reply.body()
        if self.spec.stream:
            good = body.count(WORD.encode()) == self.spec.chunks and b"data: [DONE]" in body
        else:
            good = WORD.encode() in body
        if not good or b" 200 " not in reply.start_line:
            self.fail(f"bad reply: {reply.start_line!r} … {body[-400:]!r}")


class Connection(asyncio.Protocol):
    """One keep-alive connection: sends the run's request, reads the reply, and again while there is more."""

    _run: Run
    _reply: Message | None = None
    _sent_at = 0.0
    _first_byte_after = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._reply is not None:
            self._run.fail(f"the server closed a connection it owed a reply on ({exc})")

    def start(self, run: Run) -> None:
        self._run = run
        self._reply = None
        if run.take():
            self._reply = Message()
            self._first_byte_after = 0.0
            self._sent_at = perf_counter()
            self._transport.write(run.request)

    def close(self) -> None:
        self._reply = None
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._reply is None:
            return
        run, reply = self._run, self._reply
        run.reads += 1
        complete = reply.feed(data)
        if reply.has_body and not self._first_byte_after:
            self._first_byte_after = perf_counter() - self._sent_at
            if run.spec.hold:
                run.record(self._first_byte_after)
        if complete:
            self._completed(run, reply)

    def _completed(self, run: Run, reply: Message) -> None:
        run.check(reply)
        if run.spec.hold:
            run.fail("a stream that was to be held has ended")
            return
        run.record(self._first_byte_after if run.spec.stream else perf_counter() - self._sent_at)
        self.start(run)


async def connect(port: int, count: int) -> list[Connection]:
    """So many open connections, made in groups that no accept queue overflows from."""
    loop = asyncio.get_running_loop()
    connections: list[Connection] = []
    while len(connections) < count:
        group = min(_OPENED_AT_ONCE, count - len(connections))
        opened = await asyncio.gather(*(loop.create_connection(Connection, "127.0.0.1", port) for _ in range(group)))
        connections += [connection for _, connection in opened]
    return connections


async def exchange(connections: list[Connection], run: Run) -> Outcome:
    """The outcome of the whole run. Held streams stay open; else every reply has been read."""
    started = perf_counter()
    for connection in connections:
        connection.start(run)
    await run.done
    seconds = perf_counter() - started
    percentiles = statistics.quantiles(run.latencies, n=100, method="inclusive")
    return Outcome(seconds=seconds, p50=percentiles[49], p99=percentiles[98], reads=run.reads)


async def take_turns(line: str) -> None:
    """Say where we are, then wait to be told to go on; a parent that is gone ends us."""
    print(line, flush=True)
    if not await asyncio.to_thread(sys.stdin.readline):
        raise LoadError("nobody is listening any more")


async def main(spec: Spec) -> None:
    async with asyncio.timeout(spec.seconds):
        reading = msgspec.structs.replace(spec, hold=False)
        connections = await connect(spec.port, min(spec.connections, _OPENED_AT_ONCE))
        await exchange(connections, Run(reading, spec.warmup))
        await take_turns("ready")
        connections += await connect(spec.port, spec.connections - len(connections))
        outcome = await exchange(connections, Run(spec, spec.requests))
        if spec.hold:
            await take_turns("open")
        for connection in connections:
            connection.close()
        await take_turns(msgspec.json.encode(outcome).decode())


if __name__ == "__main__":
    try:
        uvloop.run(main(msgspec.json.decode(sys.argv[1], type=Spec)))
    except TimeoutError:
        sys.exit("not done in time; make the scenario smaller or the server faster")
    except (LoadError, OSError) as error:
        sys.exit(str(error))
