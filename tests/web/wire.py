"""HTTP as bytes: what no client library would send, and answers exactly as they came."""

import asyncio
import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from llms.kernel.types import Json
from llms.testing import TestServer

T = TypeVar("T")
PATIENCE = 20.0  # seconds; only a test that fails waits so long
DONE = "data: [DONE]\n\n"
KEEP_ALIVE = ": keep-alive\n\n"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The sentence an OpenAI client shows for an error."""
        return str(self.json["error"]["message"])


@dataclass(frozen=True)
class Streamed:
    """A streamed answer, as text and as the JSON of its events."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def blocks(self) -> list[str]:
        """What stands between blank lines: events and comments."""
        assert self.text.endswith("\n\n")
        return self.text.removesuffix("\n\n").split("\n\n")

    @property
    def events(self) -> list[Json]:
        """Every event but the closing `[DONE]`."""
        datas = [block.removeprefix("data: ") for block in self.blocks if block.startswith("data: ")]
        return [json.loads(data) for data in datas if data != "[DONE]"]

    @property
    def deltas(self) -> list[Json]:
        return [choice["delta"] for event in self.events for choice in event.get("choices", ())]


async def soon(awaitable: Awaitable[T]) -> T:
    """What `awaitable` gives. Fails where a broken program would wait for ever."""
    return await asyncio.wait_for(awaitable, PATIENCE)


def chat(text: str = "Hi", **fields: Any) -> Json:
    """A request for a completion."""
    return {"model": "fake-model", "messages": [{"role": "user", "content": text}], **fields}


async def ask(server: TestServer, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer to a chat request with this JSON, or these bytes, as its body."""
    data = body if isinstance(body, bytes) else json.dumps(chat() if body is None else body).encode()
    return await fetch(server, "POST", "/v1/chat/completions", data=data, headers=headers)


async def fetch(
    server: TestServer,
    method: str,
    path: str,
    *,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    headers = {**({"Content-Type": "application/json"} if data is not None else {}), **(headers or {})}
    async with server.http.request(method, server.url + path, data=data, headers=headers) as response:
        return Answer(response.status, _lowered(response.headers), await response.read())


async def stream(server: TestServer, **fields: Any) -> Streamed:
    """The whole of a streamed answer."""
    async with open_stream(server, **fields) as response:
        return Streamed(response.status, _lowered(response.headers), await response.text())


def open_stream(server: TestServer, **fields: Any) -> Any:
    """A streamed answer to read bit by bit, inside `async with`."""
    return server.http.post(f"{server.url}/v1/chat/completions", json=chat(stream=True, **fields))


async def read_until(response: aiohttp.ClientResponse, mark: str) -> str:
    """What has come of a streamed answer once `mark` is in it."""
    found = ""
    async with asyncio.timeout(PATIENCE):
        while mark not in found:
            part = await response.content.readany()
            assert part, f"The stream ended without {mark!r}: {found!r}"
            found += part.decode()
    return found


async def send(server: TestServer, request: bytes) -> Answer:
    """The answer to exactly these bytes, read until the server has nothing more to say."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.server.port)
    try:
        writer.write(request)
        head = await soon(reader.readuntil(b"\r\n\r\n"))
        status, headers = parse_head(head)
        length = 0 if request.startswith(b"HEAD") else int(headers.get("content-length", "0"))
        return Answer(status, headers, await soon(reader.readexactly(length)))
    finally:
        writer.close()


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


def get(target: str, *, host: str = "127.0.0.1", **headers: str) -> bytes:
    """A GET for exactly this target, which no client would tidy on the way."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
