"""FakeUpstream: a vendor that answers exactly as scripted."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from llms.testing import Cut, FakeUpstream, Gate, Hang, Pause, sse

PATIENCE = 20.0


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def post(http: aiohttp.ClientSession, upstream: FakeUpstream, body: Any = None) -> tuple[int, bytes]:
    async with http.post(f"{upstream.url}/chat/completions", json=body) as response:
        return response.status, await response.read()


async def test_with_nothing_scripted_it_answers_ok(http: aiohttp.ClientSession, fake_upstream: FakeUpstream) -> None:
    status, body = await post(http, fake_upstream)
    assert status == 200
    assert json.loads(body)["choices"][0]["message"]["content"] == "ok"


async def test_scripts_are_played_in_order(http: aiohttp.ClientSession, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b"one")
    fake_upstream.enqueue(b"two", status=418, headers={"X-Kind": "teapot"})
    assert await post(http, fake_upstream) == (200, b"one")
    assert await post(http, fake_upstream) == (418, b"two")


async def test_a_request_is_kept_with_all_it_had(http: aiohttp.ClientSession, fake_upstream: FakeUpstream) -> None:
    await http.post(f"{fake_upstream.url}/models?x=1", json={"a": 1}, headers={"X-Mine": "yes"})
    [received] = fake_upstream.requests
    assert (received.method, received.path, received.body) == ("POST", "/v1/models", {"a": 1})
    assert received.headers["X-Mine"] == "yes"


async def test_a_body_that_is_no_json_is_kept_as_bytes(
    http: aiohttp.ClientSession, fake_upstream: FakeUpstream
) -> None:
    await http.post(fake_upstream.url, data=b"\xff")
    await http.get(fake_upstream.url)
    assert [received.body for received in fake_upstream.requests] == [b"\xff", None]


async def test_requests_over_one_connection_say_so(http: aiohttp.ClientSession, fake_upstream: FakeUpstream) -> None:
    await post(http, fake_upstream)
    await post(http, fake_upstream)
    async with aiohttp.ClientSession() as another:
        await post(another, fake_upstream)
    first, second, third = (received.connection for received in fake_upstream.requests)
    assert first == second != third


async def test_a_usual_error_has_openais_form(http: aiohttp.ClientSession, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_error(429, "slow down", headers={"Retry-After": "7"})
    async with http.post(fake_upstream.url) as response:
        assert response.headers["Retry-After"] == "7"
        assert (response.status, (await response.json())["error"]["message"]) == (429, "slow down")


async def test_a_stream_has_role_texts_finish_usage_and_done(
    http: aiohttp.ClientSession, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_stream("Hel", "lo", finish="length", prompt_tokens=1, completion_tokens=2)
    _, body = await post(http, fake_upstream)
    *events, done = [part.removeprefix("data: ") for part in body.decode().strip().split("\n\n")]
    role, hel, lo, finish, usage = map(json.loads, events)
    assert role["choices"][0]["delta"]["role"] == "assistant"
    assert [hel["choices"][0]["delta"], lo["choices"][0]["delta"]] == [{"content": "Hel"}, {"content": "lo"}]
    assert finish["choices"][0]["finish_reason"] == "length"
    assert usage["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert done == "[DONE]"


async def test_a_stream_may_lack_done_and_usage(http: aiohttp.ClientSession, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello", done=False)
    _, body = await post(http, fake_upstream)
    assert b"[DONE]" not in body
    assert b"usage" not in body


# -- pieces ------------------------------------------------------------------------------------------------------


async def test_each_piece_is_sent_by_itself(http: aiohttp.ClientSession, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue(b"one", gate, b"two")
    async with http.post(fake_upstream.url) as response:
        assert await response.content.readany() == b"one"
        gate.opened.set()
        assert await response.content.readany() == b"two"


async def test_after_a_pause_the_rest_comes(http: aiohttp.ClientSession, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b"one", Pause(0.01), b"two")
    assert await post(http, fake_upstream) == (200, b"onetwo")


async def test_a_gate_in_front_holds_back_the_head_too(
    http: aiohttp.ClientSession, fake_upstream: FakeUpstream
) -> None:
    gate = Gate()
    fake_upstream.enqueue(gate, b"late", status=503)
    asking = asyncio.create_task(post(http, fake_upstream))
    while not fake_upstream.requests:  # noqa: ASYNC110 - bounded by the answer below
        await asyncio.sleep(0.001)
    assert not asking.done()
    gate.opened.set()
    assert await asyncio.wait_for(asking, PATIENCE) == (503, b"late")


async def test_two_gates_are_opened_each_by_itself() -> None:
    one, two = Gate(), Gate()
    one.opened.set()
    assert not two.opened.is_set()


async def test_a_cut_breaks_the_answer(http: aiohttp.ClientSession, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b"half", Cut())
    with pytest.raises(aiohttp.ClientError):
        await post(http, fake_upstream)


async def test_a_cut_leaves_the_vendor_ready_for_the_next_request(
    http: aiohttp.ClientSession, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(Cut())
    with pytest.raises(aiohttp.ClientError):
        await post(http, fake_upstream)
    assert (await post(http, fake_upstream))[0] == 200


async def test_a_hang_lasts_until_the_caller_goes_and_that_is_noted(
    http: aiohttp.ClientSession, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(b"half", Hang())
    async with http.post(fake_upstream.url) as response:
        assert await response.content.readany() == b"half"
        assert not fake_upstream.gone.is_set()
        response.close()
    await asyncio.wait_for(fake_upstream.gone.wait(), PATIENCE)


async def test_a_caller_that_stays_is_not_noted_as_gone(
    http: aiohttp.ClientSession, fake_upstream: FakeUpstream
) -> None:
    await post(http, fake_upstream)
    assert not fake_upstream.gone.is_set()


async def test_a_vendor_with_a_hanging_caller_can_be_left() -> None:
    async with FakeUpstream() as upstream, aiohttp.ClientSession() as http:
        upstream.enqueue(Hang())
        asking = asyncio.create_task(post(http, upstream))
        while not upstream.requests:  # noqa: ASYNC110 - bounded by the answer below
            await asyncio.sleep(0.001)
    with pytest.raises((aiohttp.ClientError, asyncio.CancelledError)):
        await asyncio.wait_for(asking, PATIENCE)


def test_sse_writes_one_event() -> None:
    assert sse({"a": "é"}) == b'data: {"a": "\\u00e9"}\n\n'
