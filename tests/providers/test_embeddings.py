"""Embeddings as OpenAI asks for and answers them, at vendors that copy it."""

import base64
import json
import struct
from typing import Any

import pytest

from llms.kernel.errors import ProviderError, RequestError
from llms.providers.embeddings import Embedded, EmbeddingDialect, embedding_tokens
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.testing import FakeUpstream


@pytest.fixture
def provider(http: HttpClient, fake_upstream: FakeUpstream) -> OpenAiCompatible:
    models: Any = {"small": {"id": "vendors-small", "name": "Small"}}
    made = OpenAiCompatible(id="acme", name="Acme", api=fake_upstream.url, api_key="key-0123456789", models=models)
    made.http = http
    return made


def answer(*vectors: Any, **usage: Any) -> bytes:
    data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    return json.dumps({"object": "list", "data": data, "model": "vendors-small", "usage": usage}).encode()


async def test_a_request_goes_on_as_it_is(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(answer([0.5, 1], prompt_tokens=3, total_tokens=3))
    told = await provider.embed({"model": "small", "input": [1, 2], "dimensions": 2, "user": "u", "own": None})
    assert told == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 1]}],
        "model": "vendors-small",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }
    (request,) = fake_upstream.requests
    assert (request.path, request.headers["Authorization"]) == ("/v1/embeddings", "Bearer key-0123456789")
    assert request.body == {"model": "vendors-small", "input": [1, 2], "dimensions": 2, "user": "u"}


async def test_vectors_come_in_order_whatever_theirs(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    data = [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]
    fake_upstream.enqueue(json.dumps({"data": data, "usage": {"total_tokens": 4}}).encode())
    told = await provider.embed({"model": "small", "input": ["a", "b"]})
    assert [one["embedding"] for one in told["data"]] == [[1], [2]]
    assert told["usage"] == {"prompt_tokens": 4, "total_tokens": 4}


@pytest.mark.parametrize("vector", [[0.5, -1.0], base64.b64encode(struct.pack("<2f", 0.5, -1)).decode()])
async def test_base64_is_given_also_where_the_vendor_gives_numbers(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, vector: Any
) -> None:
    fake_upstream.enqueue(answer(vector))
    told = await provider.embed({"model": "small", "input": "a", "encoding_format": "base64"})
    assert struct.unpack("<2f", base64.b64decode(told["data"][0]["embedding"])) == (0.5, -1.0)


async def test_a_vendors_no_is_told(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b'{"error":{"message":"no such model","code":"model_not_found"}}', status=404)
    with pytest.raises(ProviderError, match="Acme: no such model") as caught:
        await provider.embed({"model": "small", "input": "a"})
    assert (caught.value.upstream_status, caught.value.code) == (404, "model_not_found")


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"{}", b'{"data":[{}]}', b'{"data":7}', b'{"error":{"message":"out of luck"}}', answer([1], [2])],
)
async def test_an_answer_that_is_none_is_an_error(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, body: bytes
) -> None:
    fake_upstream.enqueue(body)
    with pytest.raises(ProviderError, match="Acme"):
        await provider.embed({"model": "small", "input": ["a"]})


@pytest.mark.parametrize("vector", [["a"], [1e300], 7])
async def test_a_vector_that_cannot_be_packed_is_an_error(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, vector: Any
) -> None:
    fake_upstream.enqueue(answer(vector))
    with pytest.raises(ProviderError, match="Acme answered without embeddings"):
        await provider.embed({"model": "small", "input": "a", "encoding_format": "base64"})


SHORT = EmbeddingDialect(
    url="{api}/{model}",
    body=lambda request: {"texts": request["input"]},
    read=lambda answer: Embedded(answer["vectors"], embedding_tokens(answer.get("count"))),
    most=2,
    own=frozenset({"purpose"}),
)


async def test_many_texts_are_sent_in_batches(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    provider.embedding_dialect = lambda model: SHORT  # type: ignore[method-assign]
    fake_upstream.enqueue(b'{"vectors":[[1],[2]],"count":5}')
    fake_upstream.enqueue(b'{"vectors":[[3]],"count":2}')
    told = await provider.embed({"model": "small", "input": ["a", "b", "c"]})
    assert [request.body for request in fake_upstream.requests] == [{"texts": ["a", "b"]}, {"texts": ["c"]}]
    assert [(one["index"], one["embedding"]) for one in told["data"]] == [(0, [1]), (1, [2]), (2, [3])]
    assert told["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    assert told["model"] == "vendors-small"


async def test_tokens_are_refused_where_only_texts_are_taken(provider: OpenAiCompatible) -> None:
    provider.embedding_dialect = lambda model: SHORT  # type: ignore[method-assign]
    with pytest.raises(RequestError, match="Acme embeds texts, not tokens"):
        await provider.embed({"model": "small", "input": [1, 2]})


async def test_what_cannot_be_said_is_left_out_and_told(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    provider.embedding_dialect = lambda model: SHORT  # type: ignore[method-assign]
    fake_upstream.enqueue(b'{"vectors":[[1]]}')
    told = await provider.embed({"model": "small", "input": "a", "user": "u", "purpose": "x"})
    assert told["usage"] == {}
    assert "Acme cannot be told user" in caplog.text
