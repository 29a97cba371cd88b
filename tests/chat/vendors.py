"""Two vendors that offer the same model, and the ways in which one can fail."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llms.kernel.types import Json
from llms.testing import Cut, FakeUpstream, Hang, sse
from llms.testing.upstream import chunk, completion

NOWHERE = "http://127.0.0.1:1/v1"  # nobody listens there
SSE = {"Content-Type": "text/event-stream"}
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Failure:
    """One way to fail: what the vendor does, our client's status if nobody else answers, and what the log says."""

    name: str
    status: int
    why: str
    script: Callable[[FakeUpstream], None] = lambda _: None

    def __str__(self) -> str:
        return self.name


def _error(status: int, **headers: str) -> Callable[[FakeUpstream], None]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda upstream: upstream.enqueue_error(status, "as the vendor said", headers=told)


def _body(*pieces: Any, status: int = 200, headers: Any = None) -> Callable[[FakeUpstream], None]:
    return lambda upstream: upstream.enqueue(*pieces, status=status, headers=headers)


TOO_LONG = json.dumps({"error": {"message": "too long", "code": "context_length_exceeded"}}).encode()
FAILURES = [
    Failure("429", 429, "429 (rate limited", _error(429)),
    Failure("429 with Retry-After", 429, "429 (rate limited", _error(429, Retry_After="60")),
    Failure("500", 502, "500 (server error", _error(500)),
    Failure("503", 502, "503 (unavailable", _error(503)),
    Failure("401", 401, "401 (key refused", _error(401)),
    Failure("402", 402, "402 (no credit", _error(402)),
    Failure("403", 403, "403 (not allowed", _error(403)),
    Failure("404, the model vanished", 404, "404 (not found", _error(404)),
    Failure("400, context too long", 400, "400 (context too long", _body(TOO_LONG, status=400)),
    Failure("HTML with 200", 502, "(unreadable", _body(b"<html>gateway</html>", headers={"Content-Type": "text/html"})),
    Failure("HTML that says it is JSON", 502, "(unreadable", _body(b"<html>gateway</html>")),
    Failure("truncated JSON", 502, "(unreadable", _body(b'{"choices": [{"message": {"content": "Hel')),
    Failure("connection refused", 502, "(unreachable"),
    Failure("cut before the first byte", 502, "(", _body(Cut())),
    Failure("timeout", 504, "(timed out", _body(Hang())),
    Failure("empty body", 502, "(unreadable", _body(b"")),
    Failure("empty choices", 502, "(unreadable", _body(json.dumps({**completion(""), "choices": []}).encode())),
    Failure("no choices", 502, "(unreadable", _body(b'{"id": "x", "object": "chat.completion"}')),
    Failure("wrong content type", 502, "(", _body(b"\x89PNG\r\n", headers={"Content-Type": "image/png"})),
    Failure("error with 200", 502, "(unreadable", _body(b'{"error": {"message": "no luck"}}')),
    Failure("redirect", 502, "302 (unreadable", _body(b"", status=302, headers={"Location": NOWHERE})),
]
STREAM_FAILURES = [
    Failure("first event is an error", 502, "(unreadable", _body(sse({"error": {"message": "no luck"}}), headers=SSE)),
    Failure(
        "error after the role",
        502,
        "(unreadable",
        _body(sse(chunk({"role": "assistant", "content": ""})), sse({"error": {"message": "no luck"}}), headers=SSE),
    ),
    Failure("cut after the role", 502, "(cut off", _body(sse(chunk({"role": "assistant"})), Cut(), headers=SSE)),
    Failure("only [DONE]", 502, "(unreadable", _body(b"data: [DONE]\n\n", headers=SSE)),
    Failure(
        "only empty choices",
        502,
        "(unreadable",
        _body(sse({**chunk({}), "choices": []}), b"data: [DONE]\n\n", headers=SSE),
    ),
    Failure("no event at all", 502, "(cut off", _body(b": hello\n\n", headers=SSE)),
    Failure("broken event", 502, "(unreadable", _body(b"data: {broken\n\n", headers=SSE)),
]


def entry(upstream: FakeUpstream | str, **more: Any) -> Json:
    """The entry of a vendor that offers `fake-model`."""
    return {
        "npm": "@ai-sdk/openai-compatible",
        "api": upstream if isinstance(upstream, str) else upstream.url,
        "api_key": "test-key-0123456789",
        "models": {"fake-model": {"id": "fake-model", "name": "Fake Model"}},
        **more,
    }


def config(**more: Any) -> Json:
    """A configuration in which nobody is asked twice, and nobody waited for."""
    limits = {"retries": 1, "first_byte_timeout": 2.0, **more.pop("limits", {})}
    return {"limits": limits, **more}


def answers(upstream: FakeUpstream, text: str, *, streamed: bool) -> None:
    if streamed:
        upstream.enqueue_stream(*text, prompt_tokens=1, completion_tokens=1)
    else:
        upstream.enqueue_text(text)
