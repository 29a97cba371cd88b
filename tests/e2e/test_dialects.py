"""The plain OpenAI SDK asks about an image and a PDF, with a tool in between, whatever dialect the vendor speaks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

import llms.extensions.providers
from llms.testing import FakeUpstream, make_app

from .vendors import ANSWER, ANTHROPIC, GEMINI, PDF, PNG, RESPONSES, SIGNATURE, THOUGHT, Vendor

PROVIDERS = Path(llms.extensions.providers.__file__).parent
QUESTION: Any = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this, and what is the code?"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
        ],
    }
]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks a word up.",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
    },
}
every_vendor = pytest.mark.parametrize(
    "vendor", [ANTHROPIC, GEMINI, RESPONSES], ids=["anthropic", "gemini", "responses"]
)


def look_up(word: str) -> str:
    """Looks a word up."""
    return f"{word}: 42"


def install(ctx: Any) -> None:
    ctx.register_tool(look_up)


@asynccontextmanager
async def client(vendor: Vendor, upstream: FakeUpstream) -> AsyncIterator[AsyncOpenAI]:
    """The SDK, asking a server of ours whose only provider is `vendor`."""
    sees = {"input": ["text", "image", "pdf"], "output": ["text"]}
    model = {"id": "m", "name": "M", "tool_call": True, "reasoning": True, "modalities": sees}
    entry = {"npm": vendor.npm, "api": upstream.url, "api_key": "test-key-0123456789", "models": {"m": model}}
    async with (
        make_app(PROVIDERS, install, config={"providers": {"vendor": entry}}) as server,
        AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as sdk,
    ):
        yield sdk


def check(vendor: Vendor, upstream: FakeUpstream) -> None:
    first, second = (request.body for request in upstream.requests)
    assert vendor.saw(first) == (True, True)
    said = vendor.remembers(second)
    expected = [THOUGHT, SIGNATURE, "look_up", {"word": "code"}, "code: 42"]
    assert said == expected[-len(said) :]  # Gemini is told its signature, which has the thought in it


@every_vendor
async def test_a_tool_of_the_server_runs_between(vendor: Vendor, fake_upstream: FakeUpstream) -> None:
    for answer in vendor.whole():
        fake_upstream.enqueue(answer)
    async with client(vendor, fake_upstream) as sdk:
        completion = await sdk.chat.completions.create(model="m", messages=QUESTION, metadata={"tools": "all"})
    check(vendor, fake_upstream)
    assert completion.choices[0].message.content == ANSWER
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (20, 10)


@every_vendor
async def test_a_tool_of_the_server_runs_between_streamed(vendor: Vendor, fake_upstream: FakeUpstream) -> None:
    for events in vendor.streamed():
        fake_upstream.enqueue(*events, headers={"Content-Type": "text/event-stream"})
    text, thought, ends = "", "", []
    async with client(vendor, fake_upstream) as sdk:
        stream = await sdk.chat.completions.create(model="m", messages=QUESTION, metadata={"tools": "all"}, stream=True)
        async for chunk in stream:
            for choice in chunk.choices:
                text += choice.delta.content or ""
                thought += (choice.delta.model_extra or {}).get("reasoning_content") or ""
                ends += [choice.finish_reason] if choice.finish_reason else []
    check(vendor, fake_upstream)
    assert (text, thought, ends) == (ANSWER, THOUGHT, ["stop"])


@every_vendor
async def test_a_tool_of_the_client_runs_between(vendor: Vendor, fake_upstream: FakeUpstream) -> None:
    for answer in vendor.whole():
        fake_upstream.enqueue(answer)
    async with client(vendor, fake_upstream) as sdk:
        asked = await sdk.chat.completions.create(model="m", messages=QUESTION, tools=[TOOL])
        message = asked.choices[0].message
        assert asked.choices[0].finish_reason == "tool_calls"
        assert message.tool_calls is not None
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "code: 42"}
        more: Any = [*QUESTION, message.model_dump(exclude_none=True), result]
        completion = await sdk.chat.completions.create(model="m", messages=more, tools=[TOOL])
    check(vendor, fake_upstream)
    assert completion.choices[0].message.content == ANSWER


@every_vendor
async def test_a_tool_of_the_client_runs_between_streamed(vendor: Vendor, fake_upstream: FakeUpstream) -> None:
    for events in vendor.streamed():
        fake_upstream.enqueue(*events, headers={"Content-Type": "text/event-stream"})
    async with client(vendor, fake_upstream) as sdk:
        async with sdk.chat.completions.stream(model="m", messages=QUESTION, tools=[TOOL]) as stream:
            asked = await stream.get_final_completion()
        message = asked.choices[0].message
        assert asked.choices[0].finish_reason == "tool_calls"
        assert message.tool_calls is not None
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "code: 42"}
        more: Any = [*QUESTION, message.model_dump(exclude_none=True), result]
        async with sdk.chat.completions.stream(model="m", messages=more, tools=[TOOL]) as stream:
            completion = await stream.get_final_completion()
    check(vendor, fake_upstream)
    assert completion.choices[0].message.content == ANSWER
