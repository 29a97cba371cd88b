"""Gemini on Vertex AI: who is asked, in which project, and with which credentials."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from llms.api import ExtensionContext
from llms.extensions.providers.gemini import VertexProvider
from llms.extensions.providers.tests.gemini_samples import HI, OLD, answer, encoded, sent
from llms.testing import FakeUpstream, make_app

CHAT: Any = {"model": OLD, "messages": HI}


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GOOGLE_VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT", "GOOGLE_VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))


def made(**entry: Any) -> VertexProvider:
    return VertexProvider(**{"id": "acme", "project": "p1", "access_token": "ya29.abc", **entry})


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ({}, "https://aiplatform.googleapis.com/v1beta1/projects/p1/locations/global/"),
        (
            {"location": "us-east5"},
            "https://us-east5-aiplatform.googleapis.com/v1beta1/projects/p1/locations/us-east5/",
        ),
        ({"location": "eu"}, "https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/p1/locations/eu/"),
        ({"api": "https://example.com/v1"}, "https://example.com/v1/projects/p1/locations/global/"),
        ({"api": "https://e.example/v1/projects/a/locations/b/"}, "https://e.example/v1/projects/a/locations/b/"),
    ],
)
async def test_it_is_asked_in_a_project_and_a_place(entry: Any, url: str) -> None:
    found, headers = await made(**entry).destination(CHAT, b"", stream=True)
    assert str(found) == f"{url}publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert headers["Authorization"] == "Bearer ya29.abc"
    assert "x-goog-api-key" not in headers


async def test_with_an_api_key_alone_it_is_express_mode() -> None:
    provider = made(project=None, access_token=None, api_key="AIza-key")
    url, headers = await provider.destination(CHAT, b"", stream=False)
    assert provider.validate() is None
    assert str(url) == (
        "https://aiplatform.googleapis.com/v1beta1/publishers/google/models/gemini-2.5-flash:generateContent"
    )
    assert headers == {"Content-Type": "application/json", "x-goog-api-key": "AIza-key"}


def test_what_the_catalogue_calls_its_variables_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_VERTEX_PROJECT", "p9")
    names = ["GOOGLE_VERTEX_PROJECT", "GOOGLE_VERTEX_LOCATION", "GOOGLE_APPLICATION_CREDENTIALS"]
    provider = VertexProvider(id="acme", env=names)
    assert not provider.is_express
    assert provider.api.endswith("/projects/p9/locations/global")
    assert "requires Google credentials" in str(provider.validate())


async def test_a_header_of_the_entry_goes_before_a_token() -> None:
    _, headers = await made(headers={"authorization": "Bearer own"}).destination(CHAT, b"", stream=False)
    assert [value for name, value in headers.items() if name.lower() == "authorization"] == ["Bearer own"]


def test_without_a_project_it_says_so() -> None:
    assert made().validate() is None
    assert made(project=None).validate() == (
        "Provider 'Acme' requires `project` in its entry, or GOOGLE_VERTEX_PROJECT"
    )


def test_models_of_other_makers_are_not_offered() -> None:
    ids = [OLD, "claude-opus-5@default", "zai-org/glm-5-maas", "endpoints/123"]
    provider = made(models={id: {"id": id, "name": id} for id in ids})
    assert list(provider.models) == [OLD, "endpoints/123"]
    assert provider.provider_model("gemini-9-ultra") is None


def test_a_service_tier_is_told_of_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert "serviceTier" not in sent(provider=made(), service_tier="flex")
    assert "service_tier" in caplog.text


def install(ctx: ExtensionContext) -> None:
    ctx.add_provider(VertexProvider)


async def test_it_answers_through_a_server(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(encoded(answer({"text": "Hello"})), headers={"Content-Type": "text/event-stream"})
    fake_upstream.enqueue(json.dumps(answer({"text": "again"})).encode())
    own = {"npm": "@ai-sdk/google-vertex", "api": fake_upstream.url, "project": "p1", "access_token": "ya29.abc"}
    config = {"providers": {"acme": {**own, "models": {OLD: {"id": OLD, "name": "Gemini"}}}}}
    async with make_app(install, config=config) as server:
        streamed = await server.chat("Hi", model=OLD, stream=True)
        whole = await server.chat("Hi", model=OLD)
    assert (streamed.text, whole.text) == ("Hello", "again")
    root = "/v1/projects/p1/locations/global/publishers/google/models/gemini-2.5-flash"
    assert [request.path for request in fake_upstream.requests] == [
        f"{root}:streamGenerateContent",
        f"{root}:generateContent",
    ]
