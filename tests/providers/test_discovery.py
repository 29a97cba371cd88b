"""Servers on the user's own machine that are asked which models they hold."""

import json
import logging
from typing import Any

import pytest

from llms.providers.discovery import LMStudioProvider, OllamaProvider, OpenAiLocalProvider
from llms.providers.http import HttpClient
from llms.testing import FakeUpstream

from .asking import CHAT, answer, text


@pytest.fixture
def local(http: HttpClient, fake_upstream: FakeUpstream) -> Any:
    """Makes a provider of a class at `fake_upstream`."""

    def make(cls: type[OpenAiLocalProvider], **entry: Any) -> OpenAiLocalProvider:
        provider = cls(**{"id": "local", "api": fake_upstream.url, **entry})
        provider.http = http
        return provider

    return make


MODELS = json.dumps({"object": "list", "data": [{"id": "one"}, {"id": "two"}, {"object": "model"}, None]}).encode()
TAGS = json.dumps({"models": [{"name": "llama:latest"}, {"name": "qwen:7b"}, {"size": 5}, None]}).encode()


@pytest.mark.parametrize("cls", [OpenAiLocalProvider, LMStudioProvider, OllamaProvider])
def test_a_local_server_needs_no_key(cls: type[OpenAiLocalProvider]) -> None:
    assert cls(id="local", api="http://127.0.0.1:9").validate() is None


@pytest.mark.parametrize(
    ("cls", "api"), [(LMStudioProvider, "http://127.0.0.1:1234/v1"), (OllamaProvider, "http://localhost:11434")]
)
def test_where_a_known_server_listens_need_not_be_said(cls: type[OpenAiLocalProvider], api: str) -> None:
    assert cls(id="local").api == api


@pytest.mark.parametrize(
    ("cls", "body", "told"),
    [
        (OpenAiLocalProvider, MODELS, ("/v1/models", ["one", "two"])),
        (LMStudioProvider, MODELS, ("/v1/models", ["one", "two"])),
        (OllamaProvider, TAGS, ("/v1/api/tags", ["llama", "qwen:7b"])),
    ],
)
async def test_the_server_tells_its_models(
    local: Any, fake_upstream: FakeUpstream, cls: Any, body: bytes, told: Any
) -> None:
    fake_upstream.enqueue(body)
    provider = local(cls)
    await provider.load()
    assert (fake_upstream.requests[0].path, list(provider.models)) == told
    assert fake_upstream.requests[0].method == "GET"


async def test_a_model_it_tells_is_taken_for_a_free_one_that_reads_text_and_calls_tools(
    local: Any, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(MODELS)
    provider = local(OpenAiLocalProvider)
    await provider.load()
    assert provider.model_info("ONE") == {
        "id": "one",
        "name": "one",
        "modalities": {"input": ["text"], "output": ["text"]},
        "tool_call": True,
        "cost": {"input": 0, "output": 0},
    }


async def test_with_models_configured_the_server_is_not_asked(local: Any, fake_upstream: FakeUpstream) -> None:
    provider = local(OpenAiLocalProvider, models={"mine": {}})
    await provider.load()
    assert list(provider.models) == ["mine"]
    assert fake_upstream.requests == []


async def test_models_it_tells_are_narrowed_as_configured(local: Any, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(TAGS)
    provider = local(OllamaProvider, exclude_models="qwen")
    await provider.load()
    assert list(provider.models) == ["llama"]


@pytest.mark.parametrize("cls", [OpenAiLocalProvider, OllamaProvider])
@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 500), (b"<html>", 200), (b"[]", 200), (b"{}", 200), (b'{"data": null, "models": null}', 200)],
)
async def test_a_server_that_tells_nothing_of_use_has_no_models(
    local: Any, fake_upstream: FakeUpstream, cls: Any, body: bytes, status: int
) -> None:
    fake_upstream.enqueue(body, status=status)
    provider = local(cls)
    await provider.load()
    assert provider.models == {}


async def test_a_server_that_is_not_there_has_no_models_and_is_no_alarm(
    local: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    provider = local(OpenAiLocalProvider, api="http://127.0.0.1:9/v1")
    await provider.load()
    assert provider.models == {}
    assert [record.levelno for record in caplog.records if record.name == "llms.providers"] == [logging.INFO]


async def test_a_server_that_comes_up_later_is_asked_again(local: Any, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b"", status=503)
    fake_upstream.enqueue(MODELS)
    provider = local(OpenAiLocalProvider)
    await provider.load()
    await provider.load()
    assert list(provider.models) == ["one", "two"]


async def test_ollama_is_chatted_with_through_its_openai_door(local: Any, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello")
    provider = local(OllamaProvider, api=fake_upstream.url.removesuffix("/v1"))
    assert text(await answer(provider, CHAT)) == "Hello"
    assert fake_upstream.requests[0].path == "/v1/chat/completions"
