"""A vendor that refuses, breaks or says nothing: what our client gets."""

import json
from email.utils import formatdate
from typing import Any

import pytest

from llms.testing import Cut, FakeUpstream, Hang, TestServer, make_app
from llms.testing.app import upstream_config

from .wire import ask, chat, soon

STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


@STREAMED
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 429])
async def test_the_vendors_4xx_is_ours_with_its_own_words(
    server: TestServer, fake_upstream: FakeUpstream, status: int, streamed: bool
) -> None:
    fake_upstream.enqueue_error(status, "as the vendor said")
    answer = await ask(server, chat(stream=streamed))
    assert answer.status == status
    assert "as the vendor said" in answer.message
    assert answer.json["responseStatus"]["message"] == answer.message


@STREAMED
@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
async def test_the_vendors_5xx_is_our_502(
    server: TestServer, fake_upstream: FakeUpstream, status: int, streamed: bool
) -> None:
    fake_upstream.enqueue_error(status, "as the vendor said")
    answer = await ask(server, chat(stream=streamed))
    assert answer.status == 502
    assert "as the vendor said" in answer.message


async def test_a_refused_key_says_whose_key_to_check(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_error(401, "invalid key")
    answer = await ask(server)
    assert answer.message == "Upstream: invalid key (check this provider's API key)"


@STREAMED
async def test_an_error_never_tells_the_key_its_vendor_repeats(
    server: TestServer, fake_upstream: FakeUpstream, streamed: bool
) -> None:
    fake_upstream.enqueue_error(401, "no such key: test-key-0123456789")
    answer = await ask(server, chat(stream=streamed))
    assert answer.message.startswith("Upstream: no such key: ***")
    assert b"test-key-0123456789" not in answer.body


@STREAMED
@pytest.mark.parametrize("given", ["30", "29.2", formatdate(2**31, usegmt=True)])
async def test_retry_after_reaches_our_client_in_whole_seconds(
    server: TestServer, fake_upstream: FakeUpstream, given: str, streamed: bool
) -> None:
    fake_upstream.enqueue_error(429, "slow down", headers={"Retry-After": given})
    answer = await ask(server, chat(stream=streamed))
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 30


async def test_the_vendors_code_and_param_are_kept(server: TestServer, fake_upstream: FakeUpstream) -> None:
    error = {"message": "too long", "type": "t", "code": "context_length_exceeded", "param": "messages"}
    fake_upstream.enqueue(json.dumps({"error": error}).encode(), status=400)
    told = (await ask(server)).json["error"]
    assert (told["code"], told["param"]) == ("context_length_exceeded", "messages")


@STREAMED
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>gateway</html>",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"choices": null}',
        b'{"choices": 5}',
        b"\xff\xfe",
    ],
    ids=repr,
)
async def test_garbage_with_status_200_is_a_502(
    server: TestServer, fake_upstream: FakeUpstream, body: bytes, streamed: bool
) -> None:
    fake_upstream.enqueue(body)
    answer = await ask(server, chat(stream=streamed))
    assert answer.status == 502
    assert answer.json["error"]["type"] == "upstream_error"


@STREAMED
@pytest.mark.parametrize("body", [b"<html>gateway</html>", b"", b"\xff", b"[1]"], ids=repr)
async def test_an_error_page_instead_of_json_keeps_its_status(
    server: TestServer, fake_upstream: FakeUpstream, body: bytes, streamed: bool
) -> None:
    fake_upstream.enqueue(body, status=404, headers={"Content-Type": "text/html"})
    assert (await ask(server, chat(stream=streamed))).status == 404


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"data: {broken\n\n"], id="broken JSON"),
        pytest.param([b"data: 5\n\n"], id="no object"),
        pytest.param([b"\x00\xff garbage"], id="no events"),
        pytest.param([], id="nothing at all"),
        pytest.param([b": only a comment\n\n"], id="only a comment"),
    ],
)
async def test_garbage_for_a_stream_is_a_502(
    server: TestServer, fake_upstream: FakeUpstream, pieces: list[bytes]
) -> None:
    fake_upstream.enqueue(*pieces, headers={"Content-Type": "text/event-stream"})
    assert (await ask(server, chat(stream=True))).status == 502


@STREAMED
async def test_a_redirect_is_not_followed_with_the_key(
    server: TestServer, fake_upstream: FakeUpstream, streamed: bool
) -> None:
    fake_upstream.enqueue(b"", status=302, headers={"Location": f"{fake_upstream.url}/elsewhere"})
    answer = await ask(server, chat(stream=streamed))
    assert answer.status == 502
    assert len(fake_upstream.requests) == 1


@STREAMED
async def test_a_connection_cut_before_the_answer_is_a_502(
    server: TestServer, fake_upstream: FakeUpstream, streamed: bool
) -> None:
    fake_upstream.enqueue(Cut())
    assert (await ask(server, chat(stream=streamed))).status == 502


async def test_an_answer_cut_in_the_middle_is_a_502(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b'{"choices": [', Cut())
    assert (await ask(server)).status == 502


def limited(upstream: FakeUpstream, **limits: Any) -> Any:
    return make_app(config={**upstream_config(upstream), "limits": {"retries": 1, **limits}})


@STREAMED
async def test_a_vendor_that_never_begins_to_answer_is_a_504(fake_upstream: FakeUpstream, streamed: bool) -> None:
    fake_upstream.enqueue(Hang())
    async with limited(fake_upstream, first_byte_timeout=0.05) as server:
        answer = await soon(ask(server, chat(stream=streamed)))
    assert answer.status == 504
    assert "limits.first_byte_timeout" in answer.message


async def test_an_answer_that_never_ends_is_a_504(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b'{"choices": [', Hang())
    async with limited(fake_upstream, client_timeout=0.1, first_byte_timeout=20) as server:
        answer = await soon(ask(server))
    assert answer.status == 504
    assert "limits.client_timeout" in answer.message


@STREAMED
async def test_a_vendor_nobody_can_reach_is_a_502_that_names_the_fix(
    fake_upstream: FakeUpstream, streamed: bool
) -> None:
    config = upstream_config(fake_upstream, api="http://127.0.0.1:1/v1")
    async with make_app(config={**config, "limits": {"retries": 1}}) as server:
        answer = await ask(server, chat(stream=streamed))
    assert answer.status == 502
    assert "`api`" in answer.message
