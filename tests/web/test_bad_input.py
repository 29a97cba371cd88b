"""Requests that cannot be answered: each gets a status, a sentence with the fix, and both error forms."""

import asyncio
import gzip
import io
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from llms.kernel.types import Json
from llms.testing import TestServer, make_app

from .wire import Answer, ask, chat, fetch, parse_head, send, soon

MB = 2**20
JSON_TYPE = {"Content-Type": "application/json"}


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    """Answers from a provider in the process, whose model reads text only."""
    async with make_app() as server:
        yield server


def post(body: bytes, *headers: str) -> bytes:
    lines = ["POST /v1/chat/completions HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


# -- bodies that are no JSON object ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"model": ', id="cut"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b'"text"', id="a string"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{'model': 'x'}", id="Python's quotes"),
        pytest.param(b'{"model": "x",}', id="a comma too many"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
        pytest.param(json.dumps(chat()).encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"model": "fake-model", "messages": [{"role": "user", "content": "\xff"}]}', id="no UTF-8"),
        pytest.param(
            b'{"model": "fake-model", "messages": [{"role": "user", "content": "\\ud800"}]}', id="half a pair"
        ),
        pytest.param(b'{"model": "fake-model", "seed": 1e999}', id="a number out of range"),
    ],
)
async def test_a_body_that_is_no_json_object_is_400(server: TestServer, body: bytes) -> None:
    answer = await ask(server, body)
    assert answer.status == 400
    assert answer.message.startswith(("The body is not valid JSON: ", "The body must be a JSON object"))


@pytest.mark.parametrize("depth", [*range(880, 1010, 10), 100_000])
async def test_json_nested_too_deeply_is_400_wherever_the_depth_is_met(server: TestServer, depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    answer = await ask(server, json.dumps(chat()).encode()[:-1] + b', "deep": ' + nested + b"}")
    assert answer.status in (200, 400)
    assert answer.status == 200 or "nested too deeply" in answer.message


async def test_json_nested_far_too_deeply_is_refused(server: TestServer) -> None:
    assert (await ask(server, b'{"a":' * 100_000)).status == 400


# -- fields of the wrong type ------------------------------------------------------------------------------------

USER = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"model": None}, "model", "Model not specified"),
        ({"model": ""}, "model", "Model not specified"),
        ({"model": 5}, "model", "must be a string"),
        ({"model": ["fake-model"]}, "model", "must be a string"),
        ({"messages": None}, "messages", "must be a list"),
        ({"messages": "Hi"}, "messages", "must be a list"),
        ({"messages": {"0": USER}}, "messages", "must be a list"),
        ({"messages": []}, "messages", "at least one"),
        ({"messages": ["Hi"]}, "messages", "`messages[0]` must be an object"),
        ({"messages": [USER, None]}, "messages", "`messages[1]` must be an object"),
        ({"messages": [{"content": "Hi"}]}, "messages", "`messages[0].role`"),
        ({"messages": [{"role": 5, "content": "Hi"}]}, "messages", "`messages[0].role`"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages", "`messages[0].content`"),
        ({"messages": [{"role": "user", "content": {"text": "Hi"}}]}, "messages", "`messages[0].content`"),
        ({"messages": [{"role": "user", "content": [5]}]}, "messages", "`messages[0].content`"),
        ({"messages": [{"role": "user", "content": [None]}]}, "messages", "`messages[0].content`"),
        ({"messages": [{"role": "user", "content": [["Hi"]]}]}, "messages", "`messages[0].content`"),
        ({"stream": "yes"}, "stream", "true or false"),
        ({"stream": 1}, "stream", "true or false"),
        ({"stream_options": 5}, "stream_options", "must be an object"),
        ({"stream": True, "stream_options": ["include_usage"]}, "stream_options", "must be an object"),
        ({"metadata": "note"}, "metadata", "must be an object"),
        ({"metadata": []}, "metadata", "must be an object"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_field_of_the_wrong_type_is_400_and_named(
    server: TestServer, fields: Json, param: str, said: str, streamed: bool
) -> None:
    answer = await ask(server, {**chat(stream=streamed), **fields})
    assert answer.status == 400
    assert answer.json["error"]["param"] == param
    assert said in answer.message
    assert server.provider.history == []


async def test_a_request_without_a_model_says_how_to_find_one(server: TestServer) -> None:
    request = chat()
    del request["model"]
    answer = await ask(server, request)
    assert answer.status == 400
    assert "llms ls" in answer.message


@pytest.mark.parametrize(
    "part",
    [
        {"type": 5},
        {},
        {"type": "image_url"},
        {"type": "image_url", "image_url": 5},
        {"type": "image_url", "image_url": {"url": 5}},
        {"type": "image_url", "image_url": {"url": "/etc/passwd"}},
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
        {"type": "input_audio", "input_audio": {"data": []}},
        {"type": "file", "file": {"file_data": "../secret"}},
        {"type": "text"},
        {"type": "text", "text": 5},
    ],
    ids=json.dumps,
)
async def test_no_content_part_whatever_its_form_breaks_the_server(server: TestServer, part: Any) -> None:
    answer = await ask(server, chat() | {"messages": [{"role": "user", "content": [part]}]})
    assert answer.status in (200, 400)


async def test_an_error_has_openais_form_and_ours(server: TestServer) -> None:
    answer = await ask(server, chat(model=5))
    assert answer.json == {
        "error": {
            "message": "`model` must be a string.",
            "type": "invalid_request_error",
            "code": None,
            "param": "model",
        },
        "responseStatus": {"errorCode": "Error", "message": "`model` must be a string."},
    }


# -- models nobody has -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_unknown_model_is_404_with_the_nearest_names(server: TestServer, streamed: bool) -> None:
    answer = await ask(server, chat(model="fake-modle", stream=streamed))
    assert answer.status == 404
    assert "Did you mean fake-model?" in answer.message
    assert answer.json["error"]["code"] == "model_not_found"
    assert answer.json["error"]["param"] == "model"
    assert answer.json["responseStatus"]["errorCode"] == "NotFound"


async def test_without_any_provider_the_error_says_how_to_get_one(server: TestServer) -> None:
    server.app.registry.live.clear()
    answer = await ask(server)
    assert answer.status == 404
    assert "Set an API key, or run `llms local install`." in answer.message


# -- bodies too large --------------------------------------------------------------------------------------------


async def upload(server: TestServer, head: bytes, piece: bytes, count: int) -> Answer:
    """The answer that comes while or after `piece` is sent `count` times."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.server.port)

    async def feed() -> None:
        for _ in range(count):
            writer.write(piece)
            await writer.drain()

    writer.write(head)
    feeding = asyncio.create_task(feed())
    try:
        status, headers = parse_head(await soon(reader.readuntil(b"\r\n\r\n")))
        body = await soon(reader.readexactly(int(headers["content-length"])))
        await soon(feeding)
        return Answer(status, headers, body)
    finally:
        feeding.cancel()
        writer.close()


async def test_a_body_of_50_mb_is_413_and_its_sender_can_read_that(server: TestServer) -> None:
    answer = await upload(server, post(b"", f"Content-Length: {50 * MB}"), bytes(MB), 50)
    assert answer.status == 413
    assert answer.json["error"]["code"] == "request_too_large"
    assert "limits.client_max_size" in answer.message


async def test_a_common_client_gets_the_413_too(server: TestServer) -> None:
    body = io.BytesIO(bytes(50 * MB))
    async with server.http.post(f"{server.url}/v1/chat/completions", data=body, headers=JSON_TYPE) as response:
        assert response.status == 413
        assert (await response.json())["error"]["code"] == "request_too_large"


async def test_a_chunked_body_over_the_limit_is_413() -> None:
    async with make_app(config={"limits": {"client_max_size": 1000}}) as server:
        chunk = b"3e8\r\n" + bytes(1000) + b"\r\n"
        answer = await upload(server, post(b"", "Transfer-Encoding: chunked"), chunk, 3)
    assert answer.status == 413


async def test_a_small_body_that_unpacks_to_a_large_one_is_413() -> None:
    async with make_app(config={"limits": {"client_max_size": 100_000}}) as server:
        bomb = gzip.compress(bytes(MB))
        answer = await ask(server, bomb, headers={"Content-Encoding": "gzip", **JSON_TYPE})
    assert answer.status == 413


async def test_a_body_just_within_the_limit_is_taken() -> None:
    body = json.dumps(chat("x" * 1000)).encode()
    async with make_app(config={"limits": {"client_max_size": len(body)}}) as server:
        assert (await ask(server, body)).status == 200


async def test_the_connection_can_be_used_after_a_413() -> None:
    async with make_app(config={"limits": {"client_max_size": 1000}}) as server:
        assert (await ask(server, bytes(2000))).status == 413
        assert (await ask(server)).status == 200


async def test_a_compressed_body_is_read(server: TestServer) -> None:
    body = zlib.compress(json.dumps(chat("Hi")).encode())
    answer = await ask(server, body, headers={"Content-Encoding": "deflate", **JSON_TYPE})
    assert answer.status == 200


async def test_a_body_that_is_not_compressed_as_it_says_is_400(server: TestServer) -> None:
    answer = await ask(server, b"not gzip", headers={"Content-Encoding": "gzip", **JSON_TYPE})
    assert answer.status == 400
    assert "Content-Encoding" in answer.message


# -- addresses and methods ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1", "/v1/", "/v1/chat", "/nothing"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_unknown_address_is_a_404_in_json(server: TestServer, method: str, path: str) -> None:
    answer = await fetch(server, method, path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"
    assert path in answer.message


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", {"POST"}),
        ("PUT", "/v1/chat/completions", {"POST"}),
        ("OPTIONS", "/v1/chat/completions", {"POST"}),
        ("DELETE", "/v1/models", {"GET", "HEAD"}),
        ("PATCH", "/v1/models/fake-model", {"GET", "HEAD"}),
    ],
)
async def test_a_wrong_method_is_a_405_in_json_that_names_the_right_ones(
    server: TestServer, method: str, path: str, allowed: set[str]
) -> None:
    answer = await fetch(server, method, path)
    assert answer.status == 405
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == allowed
    assert all(name in answer.message for name in allowed)
    assert answer.json["responseStatus"]["errorCode"] == "MethodNotAllowed"


async def test_head_answers_as_get_does_without_a_body(server: TestServer) -> None:
    got, head = await fetch(server, "GET", "/health"), await fetch(server, "HEAD", "/health")
    assert head.status == 200
    assert head.body == b""
    assert head.headers["content-length"] == got.headers["content-length"]


async def test_head_where_only_post_is_known_is_405_without_a_body(server: TestServer) -> None:
    answer = await send(server, b"HEAD /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


async def test_no_page_of_another_site_is_ever_allowed_by_cors(server: TestServer) -> None:
    request = b"OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
    answer = await send(server, request + b"Access-Control-Request-Method: POST\r\n\r\n")
    assert answer.status == 403
    assert not any(name.startswith("access-control-") for name in answer.headers)


# -- what a caller may not write into our log --------------------------------------------------------------------


async def test_a_caller_cannot_write_lines_of_its_own_into_the_log(
    server: TestServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "llms.web"):
        await send(server, b"GET /x%0AERROR:%20forged HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert caplog.messages
    assert not any("\n" in message for message in caplog.messages)


async def test_the_server_goes_on_after_every_kind_of_bad_request(server: TestServer) -> None:
    for body in (b"", b"[]", b"\xff", b"{" * 5000):
        await ask(server, body)
    assert (await ask(server)).status == 200
