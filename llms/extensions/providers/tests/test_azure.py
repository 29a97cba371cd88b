"""OpenAI's models on Azure: where they are asked, with which key, and in which words."""

import json
from pathlib import Path
from typing import Any

import pytest

from llms.extensions.providers.azure import AzureProvider
from llms.testing import FakeUpstream, make_app

PROVIDERS = Path(__file__).parents[1]


async def ask(upstream: FakeUpstream, **entry: Any) -> None:
    given = {"npm": "@ai-sdk/azure", "api": upstream.url, "api_key": "test-key-0123456789", "models": {"m": {}}}
    async with make_app(PROVIDERS, config={"providers": {"acme": {**given, **entry}}}) as server:
        reply = await server.chat(model="m")
    assert reply.status == 200


def body(chat: Any, **entry: Any) -> Any:
    given = {"id": "acme", "api": "https://acme.openai.azure.com/openai", "api_key": "test-key-0123456789"}
    asked: Any = {"model": "m", "messages": [], **chat}
    return json.loads(AzureProvider(**given, **entry).build_request(asked, stream=False))


async def test_azure_is_asked_with_its_own_header(fake_upstream: FakeUpstream) -> None:
    await ask(fake_upstream)
    request = fake_upstream.requests[-1]
    assert (request.path, request.headers["api-key"]) == ("/openai/v1/chat/completions", "test-key-0123456789")
    assert "Authorization" not in request.headers


async def test_azure_with_a_dated_version_is_asked_at_the_deployment(fake_upstream: FakeUpstream) -> None:
    await ask(fake_upstream, api_version="2024-10-21")
    assert fake_upstream.requests[-1].path == "/openai/deployments/m/chat/completions"


async def test_azure_takes_its_resource_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_RESOURCE_NAME", "my-resource")
    monkeypatch.setenv("AZURE_API_KEY", "azure-key-0123456789")
    environ = {"AZURE_RESOURCE_NAME": "my-resource", "AZURE_API_KEY": "azure-key-0123456789"}
    azure = {"npm": "@ai-sdk/azure", "env": ["AZURE_RESOURCE_NAME", "AZURE_API_KEY"], "models": {"m": {}}}
    async with make_app(PROVIDERS, config={"providers": {"azure": azure}}, environ=environ) as server:
        provider = server.app.registry.live["azure"]
    assert provider.chat_url == "https://my-resource.openai.azure.com/openai/v1/chat/completions"
    assert provider.headers["api-key"] == "azure-key-0123456789"


async def test_azure_without_a_resource_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_RESOURCE_NAME", raising=False)
    azure = {"npm": "@ai-sdk/azure", "api_key": "azure-key-0123456789", "models": {"m": {}}}
    async with make_app(PROVIDERS, config={"providers": {"azure": azure}}) as server:
        reply = await server.post("/providers/azure", {"enable": True})
    assert reply.body["feedback"] == "Provider 'Azure' requires AZURE_RESOURCE_NAME, or `resource` in its entry"


@pytest.mark.parametrize("entry", [{}, {"api_version": "v1"}, {"api_version": "2024-10-21"}])
def test_a_model_that_reasons_is_told_its_limit_in_the_word_it_knows(entry: Any) -> None:
    assert body({"max_tokens": 9}, **entry)["max_completion_tokens"] == 9
    assert "max_tokens" not in body({"max_tokens": 9}, **entry)


def test_a_version_from_before_that_word_is_told_the_older_one() -> None:
    said = body({"max_completion_tokens": 9}, api_version="2024-02-01")
    assert said == {"model": "m", "messages": [], "max_tokens": 9}


def test_a_long_id_of_a_tool_call_is_shortened() -> None:
    id = f"chatcmpl-tool-{'0' * 32}"
    said = body({"messages": [{"role": "tool", "tool_call_id": id, "content": "42"}]})["messages"]
    assert len(said[0]["tool_call_id"]) <= 40
