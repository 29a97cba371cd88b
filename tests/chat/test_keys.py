"""A vendor with several keys, seen from both ends of the server."""

import logging
from typing import Any

import pytest

from llms.testing import FakeUpstream, make_app

from .clock import Clock
from .recorder import BOTH
from .vendors import answers, config, entry

KEYS = ["first-key-0123456789", "second-key-0123456789", "third-key-0123456789"]


def served(upstream: FakeUpstream, *keys: str, **more: Any) -> Any:
    providers = {"acme": entry(upstream, api_key=None, api_keys=[*keys] or KEYS)}
    return make_app(config=config(providers=providers, **more))


def used(upstream: FakeUpstream) -> list[str]:
    """Which keys came with the requests, in order."""
    names = {f"Bearer {key}": key.partition("-")[0] for key in KEYS}
    return [names[request.headers["Authorization"]] for request in upstream.requests]


async def test_keys_are_used_in_turn(fake_upstream: FakeUpstream) -> None:
    async with served(fake_upstream) as server:
        for _ in range(4):
            await server.chat()
    assert used(fake_upstream) == ["first", "second", "third", "first"]


@BOTH
@pytest.mark.parametrize("status", [401, 403, 429])
async def test_where_one_key_is_refused_the_next_one_is_used(
    fake_upstream: FakeUpstream, status: int, streamed: bool
) -> None:
    fake_upstream.enqueue_error(status, "no")
    answers(fake_upstream, "Hello", streamed=streamed)
    async with served(fake_upstream) as server:
        reply = await server.chat(stream=streamed)
    assert (reply.text, used(fake_upstream)) == ("Hello", ["first", "second"])
    assert (reply.headers["x-llms-provider"], reply.headers["x-llms-attempts"]) == ("acme", "2")


async def test_where_the_vendor_itself_fails_no_other_key_is_tried(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_error(500, "no")
    async with served(fake_upstream) as server:
        assert (await server.chat()).status == 502
    assert used(fake_upstream) == ["first"]


async def test_a_refused_key_is_left_out_until_its_time_is_over(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_error(401, "no")
    async with served(fake_upstream, *KEYS[:2], routing={"key_cooldown": 50}) as server:
        clock = server.app.pipeline.routing.cooldowns.clock = Clock()
        for _ in range(3):
            await server.chat()
        assert used(fake_upstream) == ["first", "second", "second", "second"]
        clock.passes(50)
        await server.chat()
        await server.chat()
    assert "first" in used(fake_upstream)[4:]


async def test_a_rate_limited_key_is_left_out_for_as_long_as_the_vendor_says(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_error(429, "no", headers={"Retry-After": "90"})
    async with served(fake_upstream, *KEYS[:2]) as server:
        clock = server.app.pipeline.routing.cooldowns.clock = Clock()
        await server.chat()
        clock.passes(89)
        await server.chat()
        await server.chat()
        assert used(fake_upstream)[1:] == ["second"] * 3
        clock.passes(1)
        await server.chat()
        await server.chat()
    assert "first" in used(fake_upstream)[4:]


async def test_a_provider_that_is_not_asked_keeps_the_turn_of_its_key(fake_upstream: FakeUpstream) -> None:
    async with FakeUpstream() as other:
        providers = {
            "acme": entry(fake_upstream, api_key=None, api_keys=KEYS[:2]),
            "other": entry(other),
        }
        async with make_app(config=config(providers=providers, routing={"strategy": "round-robin"})) as server:
            for _ in range(8):
                await server.chat()
    assert used(fake_upstream) == ["first", "second", "first", "second"]


async def test_several_keys_may_stand_in_one_variable(fake_upstream: FakeUpstream) -> None:
    providers = {"acme": entry(fake_upstream, api_key="$ACME_KEYS")}
    environ = {"ACME_KEYS": ",".join(KEYS)}
    async with make_app(config=config(providers=providers), environ=environ) as server:
        for _ in range(3):
            await server.chat()
    assert used(fake_upstream) == ["first", "second", "third"]


async def test_the_log_tells_keys_by_their_number(
    fake_upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake_upstream.enqueue_error(401, "no")
    async with served(fake_upstream) as server:
        await server.chat()
    assert any("acme key 1 401 (key refused" in line and line.endswith("-> acme key 2 ok") for line in caplog.messages)
    assert not any(key in caplog.text for key in KEYS)


@pytest.mark.parametrize("path", ["/providers", "/models", "/config", "/status", "/v1/models"])
async def test_no_page_tells_a_key(fake_upstream: FakeUpstream, path: str) -> None:
    async with served(fake_upstream) as server, server.http.get(server.url + path) as response:
        told = await response.text()
    assert not any(key in told for key in KEYS)


async def test_the_models_are_listed_once(fake_upstream: FakeUpstream) -> None:
    async with served(fake_upstream) as server:
        assert len((await server.get("/models")).body) == 1
        assert len((await server.get("/providers")).body) == 1
