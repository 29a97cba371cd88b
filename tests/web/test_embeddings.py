"""POST /v1/embeddings."""

import json
from typing import Any

import pytest

from llms.testing import FakeUpstream, make_app

VECTOR = {"object": "embedding", "index": 0, "embedding": [0.5, 1.0]}
ANSWER = {"object": "list", "data": [VECTOR], "model": "small", "usage": {"prompt_tokens": 3, "total_tokens": 3}}
REQUEST: Any = {"model": "small", "input": "Hi"}


def config(*upstreams: FakeUpstream) -> Any:
    models = {"small": {"id": "small", "name": "Small"}}
    providers = {
        f"vendor{i}": {
            "npm": "@ai-sdk/openai-compatible",
            "api": upstream.url,
            "api_key": "key-0123456789",
            "models": models,
        }
        for i, upstream in enumerate(upstreams)
    }
    return {"providers": providers}


async def test_the_provider_of_the_model_answers(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(json.dumps(ANSWER).encode())
    async with make_app(config=config(fake_upstream)) as server:
        reply = await server.post("/v1/embeddings", {**REQUEST, "dimensions": 2})
    assert (reply.status, reply.body) == (200, ANSWER)
    assert reply.headers["x-llms-provider"] == "vendor0"
    assert fake_upstream.requests[0].body == {"model": "small", "input": "Hi", "dimensions": 2}


async def test_another_provider_is_asked_where_the_first_fails(fake_upstream: FakeUpstream) -> None:
    async with FakeUpstream() as other:
        fake_upstream.enqueue(b"{}", status=500)
        other.enqueue(json.dumps(ANSWER).encode())
        async with make_app(config=config(fake_upstream, other)) as server:
            reply = await server.post("/v1/embeddings", REQUEST)
    assert reply.status == 200
    assert (reply.headers["x-llms-provider"], reply.headers["x-llms-attempts"]) == ("vendor1", "2")


async def test_a_vendors_no_has_its_status(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b'{"error":{"message":"dimensions too many"}}', status=400)
    async with make_app(config=config(fake_upstream)) as server:
        reply = await server.post("/v1/embeddings", REQUEST)
    assert reply.status == 400
    assert "dimensions too many" in reply.body["error"]["message"]


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 7}, "model"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": [[]]}, "input"),
        ({"input": ["a", 1]}, "input"),
        ({"input": {"text": "a"}}, "input"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": True}, "dimensions"),
        ({"dimensions": "9"}, "dimensions"),
    ],
)
async def test_a_request_that_is_none_is_refused(fake_upstream: FakeUpstream, wrong: Any, param: str) -> None:
    async with make_app(config=config(fake_upstream)) as server:
        reply = await server.post("/v1/embeddings", {**REQUEST, **wrong})
    assert (reply.status, reply.body["error"]["param"]) == (400, param)
    assert fake_upstream.requests == []


async def test_a_model_that_nobody_offers_is_not_found(fake_upstream: FakeUpstream) -> None:
    async with make_app(config=config(fake_upstream)) as server:
        reply = await server.post("/v1/embeddings", {**REQUEST, "model": "large"})
    assert reply.status == 404


async def test_a_provider_that_makes_none_is_told() -> None:
    async with make_app() as server:
        reply = await server.post("/v1/embeddings", {**REQUEST, "model": "fake-model"})
    assert reply.status == 400
    assert "makes no embeddings" in reply.body["error"]["message"]


@pytest.mark.parametrize("given", [["a", "b"], [1, 2], [[1, 2], [3]]])
async def test_lists_of_texts_and_of_tokens_pass(fake_upstream: FakeUpstream, given: Any) -> None:
    data = [VECTOR, VECTOR] if isinstance(given[0], str) else [VECTOR]
    fake_upstream.enqueue(json.dumps({**ANSWER, "data": data}).encode())
    async with make_app(config=config(fake_upstream)) as server:
        reply = await server.post("/v1/embeddings", {**REQUEST, "input": given})
    assert reply.status == 200
    assert fake_upstream.requests[0].body["input"] == given


async def test_what_is_meant_for_us_is_not_sent_to_a_vendor(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(json.dumps(ANSWER).encode())
    async with make_app(config=config(fake_upstream)) as server:
        await server.post("/v1/embeddings", {**REQUEST, "provider": "vendor0", "metadata": {"strategy": "priority"}})
    assert fake_upstream.requests[0].body == REQUEST


async def test_a_vendors_own_field_of_the_same_name_is_sent(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(json.dumps(ANSWER).encode())
    request = {**REQUEST, "provider": {"order": ["fast"]}}  # OpenRouter's
    async with make_app(config=config(fake_upstream)) as server:
        await server.post("/v1/embeddings", request)
    assert fake_upstream.requests[0].body == request


async def test_the_provider_that_is_named_is_asked_first(fake_upstream: FakeUpstream) -> None:
    async with FakeUpstream() as other:
        other.enqueue(json.dumps(ANSWER).encode())
        async with make_app(config=config(fake_upstream, other)) as server:
            reply = await server.post("/v1/embeddings", {**REQUEST, "provider": "vendor1"})
    assert reply.headers["x-llms-provider"] == "vendor1"
    assert fake_upstream.requests == []


async def test_the_strategy_of_the_request_counts(fake_upstream: FakeUpstream) -> None:
    async with FakeUpstream() as other:
        for upstream in (fake_upstream, other):
            upstream.enqueue(json.dumps(ANSWER).encode())
        async with make_app(config=config(fake_upstream, other)) as server:
            request = {**REQUEST, "metadata": {"strategy": "round-robin"}}
            replies = [await server.post("/v1/embeddings", request) for _ in range(2)]
    assert [reply.headers["x-llms-provider"] for reply in replies] == ["vendor0", "vendor1"]


@pytest.mark.parametrize("strategy", ["best", 5])
async def test_a_strategy_that_does_not_exist_is_refused(fake_upstream: FakeUpstream, strategy: Any) -> None:
    async with make_app(config=config(fake_upstream)) as server:
        reply = await server.post("/v1/embeddings", {**REQUEST, "metadata": {"strategy": strategy}})
    assert (reply.status, reply.body["error"]["param"]) == (400, "metadata.strategy")
