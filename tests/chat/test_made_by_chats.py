"""Images and audio, asked for over HTTP and kept in the cache."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from llms.extensions.providers.generators.catalog import GENERATORS
from llms.testing import FakeUpstream, TestServer, make_app, sse
from llms.testing.app import upstream_config

from .test_made import PNG, URI

PRICES = {"cost": {"type": "request", "output": 0.04}}
PAINTER = {"modalities": {"input": ["text"], "output": ["image"]}, **PRICES}


def generators(ctx: Any) -> None:
    for cls in GENERATORS:
        ctx.add_provider(cls)


@pytest.fixture
async def server(fake_upstream: FakeUpstream) -> AsyncIterator[TestServer]:
    models = {"painter": PAINTER, "talker": {}, "whisper-1": {}}
    modalities = {"image": {"npm": "openai/image"}, "transcription": {"npm": "openai/transcriptions"}}
    config = upstream_config(fake_upstream, models=models, modalities=modalities)
    async with make_app(generators, config=config) as server:
        yield server


def painted(upstream: FakeUpstream) -> None:
    upstream.enqueue(json.dumps({"data": [{"b64_json": base64.b64encode(PNG).decode()}]}).encode())


async def file_of(server: TestServer, message: Any) -> bytes:
    async with server.http.get(server.url + message["images"][0]["image_url"]["url"]) as response:
        assert response.content_type == "image/png"
        return await response.read()


async def test_an_image_is_a_url_that_anybody_may_open(server: TestServer, fake_upstream: FakeUpstream) -> None:
    painted(fake_upstream)
    reply = await server.chat("A cat", model="painter", modalities=["image", "text"])
    message = reply.body["choices"][0]["message"]
    assert await file_of(server, message) == PNG
    assert (reply.text, reply.body["cost"]) == ("Here is what you asked for.", 0.04)


async def test_a_model_that_only_paints_need_not_be_told_so(server: TestServer, fake_upstream: FakeUpstream) -> None:
    painted(fake_upstream)
    reply = await server.chat("A cat", model="painter", stream=True)
    deltas = [choice["delta"] for chunk in reply.chunks for choice in chunk["choices"]]
    (images,) = [delta["images"] for delta in deltas if "images" in delta]
    assert await file_of(server, {"images": images}) == PNG
    assert "base64" not in reply.body
    assert fake_upstream.requests[0].path == "/v1/images/generations"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chat_models_image_is_kept_as_well(
    server: TestServer, fake_upstream: FakeUpstream, stream: bool
) -> None:
    images = [{"type": "image_url", "image_url": {"url": URI}}]
    if stream:
        fake_upstream.enqueue_stream("Me", sse({"choices": [{"index": 0, "delta": {"images": images}}]}), "ow")
    else:
        message = {"role": "assistant", "content": "Meow", "images": images}
        fake_upstream.enqueue(json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode())
    reply = await server.chat("A cat", model="talker", stream=stream)
    assert reply.text == "Meow"
    assert "base64" not in json.dumps(reply.chunks or reply.body)
    assert "/~cache/" in json.dumps(reply.chunks or reply.body)


async def test_what_is_said_is_written_down(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b'{"text": "Meow"}')
    sound = {"type": "input_audio", "input_audio": {"data": base64.b64encode(b"ID3\x04").decode(), "format": "mp3"}}
    reply = await server.chat(model="whisper-1", messages=[{"role": "user", "content": [sound]}])
    assert reply.text == "Meow"
    assert fake_upstream.requests[0].path == "/v1/audio/transcriptions"
