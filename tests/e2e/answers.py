"""A server with one vendor of any dialect, and what a client hears of it, whole or streamed."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from llms.testing import FakeUpstream, TestServer, make_app

from .dialects import DIALECTS, JSON, Dialect
from .test_dialects import PROVIDERS

KEY = "test-key-0123456789"
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
TRIES = 3  # Gemini's streams break off so often that it is asked so many times
PATIENCE = 60.0  # seconds; only a test that fails waits so long


@dataclass
class Heard:
    """`calls` are of id, name and arguments, put together by their `index` as clients do. `chunks` are a stream's."""

    status: int
    body: bytes
    error: str = ""
    text: str = ""
    calls: list[Any] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    usages: list[Any] = field(default_factory=list)
    chunks: list[Any] = field(default_factory=list)
    is_done: bool = False


class Bugs(logging.Handler):
    """What was logged with a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.found.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


def dialects(*, but: tuple[Dialect, ...] = ()) -> pytest.MarkDecorator:
    """A test for each dialect."""
    chosen = {name: dialect for name, dialect in DIALECTS.items() if dialect not in but}
    return pytest.mark.parametrize("dialect", chosen.values(), ids=chosen)


def whole_and_streamed() -> pytest.MarkDecorator:
    """As `dialects`, each with its answers whole and streamed."""
    kinds = {"whole": False, "streamed": True}
    pairs = {f"{name}-{kind}": (dialect, kinds[kind]) for name, dialect in DIALECTS.items() for kind in kinds}
    return pytest.mark.parametrize(("dialect", "streamed"), pairs.values(), ids=pairs)


@asynccontextmanager
async def serving(dialect: Dialect, upstream: FakeUpstream, **entry: Any) -> AsyncIterator[TestServer]:
    """A server whose only provider speaks `dialect`, and is asked once. Fails where a bug is logged."""
    seen = {"input": ["text", "image"], "output": ["text"]}
    model = {"id": "m", "name": "M", "tool_call": True, "modalities": seen}
    given = {"npm": dialect.npm, "api": upstream.url, "api_key": KEY, "models": {"m": model}, **entry}
    bugs = Bugs()
    logging.getLogger("llms").addHandler(bugs)
    try:
        async with make_app(PROVIDERS, config={"providers": {"vendor": given}, "limits": {"retries": 1}}) as server:
            yield server
    finally:
        logging.getLogger("llms").removeHandler(bugs)
    assert bugs.found == []


async def heard(dialect: Dialect, upstream: FakeUpstream, *pieces: Any, streamed: bool, **answer: Any) -> Heard:
    """What a client hears of a vendor that answers so. Then another chat with it succeeds."""
    answer.setdefault("headers", dialect.headers if streamed else JSON)
    async with serving(dialect, upstream) as server:
        for _ in range(TRIES):
            upstream.enqueue(*pieces, **answer)
        said = await ask(server, stream=streamed)
        for _ in range(TRIES - len(upstream.requests)):
            async with server.http.get(upstream.url):  # what was not asked for is not left for the next
                pass
        upstream.enqueue(json.dumps(dialect.text("fine")).encode())
        assert (await ask(server)).text == "fine"
    return said


async def heard_whole(dialect: Dialect, upstream: FakeUpstream, answer: Any) -> Heard:
    return await heard(dialect, upstream, json.dumps(answer).encode(), streamed=False)


async def heard_events(dialect: Dialect, upstream: FakeUpstream, *events: Any) -> Heard:
    return await heard(dialect, upstream, *dialect.framed(*events), streamed=True)


# -- reading -----------------------------------------------------------------------------------------------------


async def ask(server: TestServer, messages: Any = None, **fields: Any) -> Heard:
    body = {"model": "m", "messages": messages or [{"role": "user", "content": "Hi"}], **fields}
    async with asyncio.timeout(PATIENCE), server.http.post(f"{server.url}/v1/chat/completions", json=body) as response:
        raw = await response.read()
        heard = Heard(response.status, raw)
        if response.content_type == "text/event-stream":
            _read_events(heard)
        else:
            _read_whole(heard, json.loads(raw))
    return heard


def _read_whole(heard: Heard, answer: Any) -> None:
    if "error" in answer:
        heard.error = answer["error"]["message"]
        return
    (choice,) = answer["choices"]
    message = choice["message"]
    heard.text = message.get("content") or ""
    heard.ends = [choice["finish_reason"]]
    heard.usages = [answer["usage"]] if answer.get("usage") else []
    for call in message.get("tool_calls") or ():
        heard.calls.append([call["id"], call["function"]["name"], call["function"]["arguments"]])


def _read_events(heard: Heard) -> None:
    calls: dict[Any, list[Any]] = {}
    for block in heard.body.decode().split("\n\n"):
        if block == "data: [DONE]":
            heard.is_done = True
        elif block.startswith("data: "):
            heard.chunks.append(json.loads(block[6:]))
    for chunk in heard.chunks:
        heard.error = chunk.get("error", {}).get("message", "")
        heard.usages += [chunk["usage"]] if chunk.get("usage") else []
        for choice in chunk.get("choices") or ():
            heard.text += choice["delta"].get("content") or ""
            heard.ends += [choice["finish_reason"]] if choice.get("finish_reason") else []
            for piece in choice["delta"].get("tool_calls") or ():
                _add(calls.setdefault(piece["index"], [None, None, []]), piece)
    heard.calls = [[id, name, "".join(pieces)] for id, name, pieces in calls.values()]


def _add(call: list[Any], piece: Any) -> None:
    function = piece.get("function") or {}
    call[0] = piece.get("id") or call[0]
    call[1] = function.get("name") or call[1]
    call[2].append(function.get("arguments") or "")
