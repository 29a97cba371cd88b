"""What vendors that speak OpenAI's dialect are sent, through a server that is configured for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from llms.testing import FakeUpstream, make_app

PROVIDERS = Path(__file__).parents[1]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}


def entry(upstream: FakeUpstream, npm: str, **fields: Any) -> Any:
    models = {"m": {"id": "m", "name": "M"}}
    return {"npm": npm, "api": upstream.url, "api_key": "test-key-0123456789", "models": models, **fields}


async def sent(upstream: FakeUpstream, npm: str, *, own: Any = None, **fields: Any) -> Any:
    """What `npm` is sent for a chat with these fields, or the error the caller gets."""
    chat = {"messages": [{"role": "user", "content": "Hi"}], **fields}
    async with make_app(PROVIDERS, config={"providers": {"acme": entry(upstream, npm, **(own or {}))}}) as server:
        reply = await server.post("/v1/chat/completions", {"model": "m", **chat})
    return upstream.requests[-1].body if reply.status == 200 else reply.body["error"]


async def test_groq_is_not_sent_what_it_refuses(fake_upstream: FakeUpstream) -> None:
    messages = [{"role": "user", "content": "Hi", "name": "ann"}]
    body = await sent(fake_upstream, "@ai-sdk/groq", messages=messages, logit_bias={"1": 2}, n=1, temperature=0)
    assert body == {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0}


async def test_what_is_left_out_is_told_once(fake_upstream: FakeUpstream, caplog: pytest.LogCaptureFixture) -> None:
    async with make_app(PROVIDERS, config={"providers": {"acme": entry(fake_upstream, "@ai-sdk/groq")}}) as server:
        for _ in range(3):
            await server.chat(model="m", logprobs=True, n=1)
    told = [line for line in caplog.messages if "left out" in line]
    assert told == ["Acme cannot be told logprobs: left out of its requests."]


async def test_what_would_be_left_out_can_be_refused_instead(fake_upstream: FakeUpstream) -> None:
    error = await sent(fake_upstream, "@ai-sdk/groq", own={"unsupported": "error"}, logprobs=True)
    assert error["param"] == "logprobs"
    assert error["message"].startswith("Acme cannot be told `logprobs`.")
    assert fake_upstream.requests == []


async def test_a_value_that_asks_for_nothing_is_refused_by_nobody(fake_upstream: FakeUpstream) -> None:
    body = await sent(fake_upstream, "@ai-sdk/groq", own={"unsupported": "error"}, n=1, logit_bias=None)
    assert body.keys() == {"model", "messages"}


async def test_mistral_hears_its_own_names(fake_upstream: FakeUpstream) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    body = await sent(
        fake_upstream, "@ai-sdk/mistral", tools=tools, tool_choice="required", seed=7, max_completion_tokens=9, user="a"
    )
    assert (body["tool_choice"], body["random_seed"], body["max_tokens"]) == ("any", 7, 9)
    assert body.keys() == {"model", "messages", "tools", "tool_choice", "random_seed", "max_tokens"}


async def test_mistral_gets_tool_call_ids_of_nine_letters(fake_upstream: FakeUpstream) -> None:
    call = {"id": "call_0123456789", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    kept = {"id": "abcDEF123", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call, kept]},
        {"role": "tool", "tool_call_id": "call_0123456789", "content": "a"},
        {"role": "tool", "tool_call_id": "abcDEF123", "content": "b"},
    ]
    said = (await sent(fake_upstream, "@ai-sdk/mistral", messages=messages))["messages"]
    ids = [each["id"] for each in said[1]["tool_calls"]]
    assert [message["tool_call_id"] for message in said[2:]] == ids
    assert ids[1] == "abcDEF123"
    assert len(ids[0]) == 9
    assert ids[0].isalnum()


async def test_mistral_reads_files_as_documents(fake_upstream: FakeUpstream) -> None:
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}
    messages = [{"role": "user", "content": [file, {"type": "text", "text": "What?"}]}]
    body = await sent(fake_upstream, "codestral", messages=messages)
    assert body["messages"][0]["content"] == [
        {
            "type": "document_url",
            "document_url": "data:application/pdf;base64,JVBERi0=",
            "document_name": "a.pdf",
        },
        {"type": "text", "text": "What?"},
    ]


async def test_cerebras_gets_a_list_of_texts_as_one(fake_upstream: FakeUpstream) -> None:
    content = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    messages = [{"role": "developer", "content": "Be brief"}, {"role": "user", "content": content}]
    body = await sent(fake_upstream, "@ai-sdk/cerebras", messages=messages)
    assert body["messages"] == [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hello"}]


async def test_a_list_with_a_picture_stays_a_list(fake_upstream: FakeUpstream) -> None:
    messages = [{"role": "user", "content": [PICTURE, {"type": "text", "text": "What?"}]}]
    body = await sent(fake_upstream, "@ai-sdk/cerebras", messages=messages)
    assert [part["type"] for part in body["messages"][0]["content"]] == ["image_url", "text"]


@pytest.mark.parametrize(
    ("data", "uri"),
    [
        ("UklGRgAAAABXQVZF", "data:audio/wav;base64,UklGRgAAAABXQVZF"),
        ("data:audio/wav;base64,UklGRgAAAABXQVZF", "data:audio/wav;base64,UklGRgAAAABXQVZF"),
    ],
)
async def test_alibaba_hears_audio_as_a_data_uri(fake_upstream: FakeUpstream, data: str, uri: str) -> None:
    part = {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
    body = await sent(fake_upstream, "@ai-sdk/alibaba", messages=[{"role": "user", "content": [part]}])
    assert body["messages"][0]["content"][0]["input_audio"]["data"] == uri


@pytest.mark.parametrize("npm", ["@openrouter/ai-sdk-provider", "@ai-sdk/gateway"])
async def test_a_vendor_that_wants_its_reasoning_back_gets_it(fake_upstream: FakeUpstream, npm: str) -> None:
    details = [{"type": "reasoning.encrypted", "data": "secret", "id": "r1", "format": "openai-responses-v1"}]
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello", "reasoning_details": details, "reasoning_content": "hm"},
        {"role": "user", "content": "And?"},
    ]
    said = (await sent(fake_upstream, npm, messages=messages))["messages"][1]
    assert said["reasoning_details"] == details


async def test_a_vendor_is_known_by_its_host_too() -> None:
    provider = {"api": "https://api.deepseek.com/v1", "api_key": "test-key-0123456789", "models": {"m": {}}}
    async with make_app(PROVIDERS, config={"providers": {"mine": provider}}) as server:
        body = json.loads(
            server.app.registry.live["mine"].build_request(
                {"model": "m", "messages": [], "max_completion_tokens": 5}, stream=False
            )
        )
    assert body == {"model": "m", "messages": [], "max_tokens": 5}


async def test_a_name_that_only_ends_like_a_host_is_not_it() -> None:
    provider = {"api": "https://notapi.deepseek.com/v1", "api_key": "test-key-0123456789", "models": {"m": {}}}
    async with make_app(PROVIDERS, config={"providers": {"mine": provider}}) as server:
        assert server.app.registry.live["mine"].row.name == "any compatible URL"
