"""What vendors list of their models, in the words of the catalogue."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from llms.api import HttpClient, Limits, OpenAiCompatible
from llms.extensions.providers.listing import listed, models_in
from llms.testing import FakeUpstream

ANTHROPICS = {
    "id": "claude-x",
    "display_name": "Claude X",
    "max_input_tokens": 1000,
    "max_tokens": 100,
    "capabilities": {
        "image_input": {"supported": True},
        "pdf_input": {"supported": True},
        "structured_outputs": {"supported": False},
        "thinking": {"supported": True},
    },
}
GOOGLES = {
    "name": "models/gemini-x",
    "displayName": "Gemini X",
    "inputTokenLimit": 1000,
    "outputTokenLimit": 100,
    "supportedGenerationMethods": ["generateContent"],
    "thinking": True,
}
MISTRALS = {
    "id": "mistral-x",
    "name": "Mistral X",
    "capabilities": {"completion_chat": True, "function_calling": False, "vision": True, "audio": True},
    "max_context_length": 1000,
}
OPENROUTERS = {
    "id": "acme/x",
    "name": "Acme: X",
    "context_length": 1000,
    "architecture": {"input_modalities": ["text", "file"], "output_modalities": ["text", "image"]},
    "pricing": {"prompt": "0.00000005", "completion": "-1", "input_cache_read": "0.0000003", "web_search": "1"},
    "supported_parameters": ["tools", "reasoning"],
    "top_provider": {"max_completion_tokens": 100},
}
HUGGINGFACES = {
    "id": "acme/y",
    "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
    "providers": [
        {"status": "gone", "supports_tools": True},
        {"status": "live", "context_length": 1000, "pricing": {"input": 0.3, "output": 1.2}},
    ],
}


@pytest.mark.parametrize(
    ("told", "model"),
    [
        ({"id": "plain", "object": "model"}, {"id": "plain", "name": "plain", "tool_call": True}),
        (
            ANTHROPICS,
            {
                "id": "claude-x",
                "name": "Claude X",
                "tool_call": True,
                "reasoning": True,
                "structured_output": False,
                "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
                "limit": {"context": 1000, "output": 100},
            },
        ),
        (
            {"id": "claude-0", "display_name": "Claude 0"},
            {"id": "claude-0", "name": "Claude 0", "tool_call": True},
        ),
        (
            GOOGLES,
            {
                "id": "gemini-x",
                "name": "Gemini X",
                "tool_call": True,
                "reasoning": True,
                "limit": {"context": 1000, "output": 100},
            },
        ),
        (
            {"name": "models/veo", "supportedGenerationMethods": ["predict"]},
            {"id": "veo", "name": "veo", "tool_call": False},
        ),
        (
            MISTRALS,
            {
                "id": "mistral-x",
                "name": "Mistral X",
                "tool_call": False,
                "modalities": {"input": ["text", "image", "audio"], "output": ["text"]},
                "limit": {"context": 1000},
            },
        ),
        (
            OPENROUTERS,
            {
                "id": "acme/x",
                "name": "Acme: X",
                "tool_call": True,
                "reasoning": True,
                "structured_output": False,
                "modalities": {"input": ["text", "pdf"], "output": ["text", "image"]},
                "limit": {"context": 1000, "output": 100},
                "cost": {"input": 0.05, "cache_read": 0.3},
            },
        ),
        (
            HUGGINGFACES,
            {
                "id": "acme/y",
                "name": "acme/y",
                "tool_call": False,
                "structured_output": False,
                "modalities": {"input": ["text"], "output": ["text"]},
                "limit": {"context": 1000},
                "cost": {"input": 0.3, "output": 1.2},
            },
        ),
    ],
)
def test_a_model_is_told_as_the_catalogue_does(told: Any, model: Any) -> None:
    assert models_in({"data": [told]}) == [model]


def test_a_list_may_be_bare_or_have_a_name_and_hold_what_is_no_model() -> None:
    plain = {"id": "x"}
    for answer in ([plain], {"models": [plain, None, {}, "y"]}, {"object": "list", "data": [plain]}):
        assert [model["id"] for model in models_in(answer)] == ["x"]
    assert models_in({}) == []


@pytest.mark.parametrize(
    "told",
    [
        {"display_name": 7, "capabilities": ["vision"]},
        {"pricing": {"prompt": "free"}},
        {"pricing": {"input": 1}},
        {"providers": [7]},
        {"capabilities": ["completion_chat"]},
        {"capabilities": 7},
        {"supportedGenerationMethods": None},
    ],
)
def test_of_a_model_told_in_another_form_the_name_is_known(told: Any) -> None:
    assert models_in([{"id": "x", **told}]) == [{"id": "x", "name": "x", "tool_call": True}]


@pytest.fixture
async def provider(fake_upstream: FakeUpstream) -> AsyncIterator[OpenAiCompatible]:
    made = OpenAiCompatible(id="acme", api=fake_upstream.url, api_key="key-0123456789")
    made.http = HttpClient(Limits(client_timeout=5))
    yield made
    await made.http.close()


async def test_models_are_asked_for_with_the_key_and_the_first_of_two_counts(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    twice = [{"id": "x", "display_name": "First"}, {"id": "y"}, {"id": "x", "display_name": "Second"}]
    fake_upstream.enqueue(json.dumps({"data": twice}).encode())
    assert [model["name"] for model in (await listed(provider)).values()] == ["First", "y"]
    (request,) = fake_upstream.requests
    assert (request.path, request.headers["Authorization"]) == ("/v1/models", "Bearer key-0123456789")


@pytest.mark.parametrize(("status", "body"), [(401, b"{}"), (200, b"<html>"), (200, b'{"error":{"message":"no"}}')])
async def test_a_vendor_that_does_not_answer_lists_none(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, status: int, body: bytes
) -> None:
    fake_upstream.enqueue(body, status=status)
    assert await listed(provider) == {}
