"""Chats that are not as OpenAI describes them: a clear 400, and whoever can be told is asked instead."""

import json
from pathlib import Path
from typing import Any

import pytest

from llms.testing import FakeUpstream, make_app

PROVIDERS = Path(__file__).parents[1]
DIALECTS = (
    *("@ai-sdk/anthropic", "@ai-sdk/google", "openai/responses", "@ai-sdk/cohere", "ollama/native"),
    *("@ai-sdk/amazon-bedrock", "@ai-sdk/mistral"),
)
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ODD: list[Any] = [
    {"stop": 5},
    {"stop": {"a": 1}},
    {"tools": [5]},
    {"tools": [{"type": "function"}]},
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": 7}}]},
    {"tool_choice": 5},
    {"response_format": {"type": "json_schema", "json_schema": 5}},
    {"reasoning_effort": 5},
    {"thinking": 5},
    {"temperature": "x", "max_tokens": "y"},
    {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": 5}, {"type": 7}]}]},
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": "x"}]},
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [{"function": "x"}]}]},
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a", "reasoning_details": 5}]},
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a", "reasoning_details": [5]}]},
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a", "provider_metadata": 5}]},
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a", "images": 5}]},
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool"}]},
]


def entry(upstream: FakeUpstream, npm: str) -> Any:
    model = {"id": "m", "name": "M", "tool_call": True, "reasoning": True}
    return {"npm": npm, "api": upstream.url, "api_key": "test-key-0123456789", "models": {"m": model}}


@pytest.mark.parametrize("npm", DIALECTS)
async def test_whatever_is_sent_nothing_breaks(npm: str, fake_upstream: FakeUpstream) -> None:
    async with make_app(PROVIDERS, config={"providers": {"acme": entry(fake_upstream, npm)}}) as server:
        for odd in ODD:
            asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **odd}
            reply = await server.post("/v1/chat/completions", asked)
            # 502: it could be told, and the scripted vendor answers in OpenAI's words
            assert reply.status in (200, 400, 502), (odd, reply.body)
            assert "request id" not in str(reply.body), (odd, reply.body)


async def test_who_can_be_told_is_asked_instead(fake_upstream: FakeUpstream) -> None:
    first, second = entry(fake_upstream, "@ai-sdk/anthropic"), entry(fake_upstream, "@ai-sdk/openai-compatible")
    async with make_app(PROVIDERS, config={"providers": {"first": first, "second": second}}) as server:
        reply = await server.chat(model="m", stop=5)
    assert (reply.text, reply.headers["x-llms-provider"]) == ("ok", "second")
    assert [request.path for request in fake_upstream.requests] == ["/v1/chat/completions"]


@pytest.mark.parametrize("npm", ["@ai-sdk/anthropic", "@ai-sdk/google", "@ai-sdk/amazon-bedrock", "@ai-sdk/cohere"])
async def test_a_call_of_a_custom_tool_is_said_as_one_of_a_function(npm: str, fake_upstream: FakeUpstream) -> None:
    call = {"id": "call_1", "type": "custom", "custom": {"name": "run", "input": "1 + 1"}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "2"},
    ]
    async with make_app(PROVIDERS, config={"providers": {"acme": entry(fake_upstream, npm)}}) as server:
        await server.post("/v1/chat/completions", {"model": "m", "messages": messages})
    body = json.dumps(fake_upstream.requests[0].body)
    assert '"run"' in body
    assert "1 + 1" in body
