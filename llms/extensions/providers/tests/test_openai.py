"""OpenAI: which chats go to Chat Completions, which to the Responses API, and that both are one provider."""

import json
from typing import Any

import pytest

from llms.api import Chat, ConfigError, ExtensionContext, HttpClient, Limits, ProviderError
from llms.extensions.providers.openai import OpenAiProvider
from llms.extensions.providers.tests.responses_samples import HI, ISSUER, thought_by
from llms.extensions.providers.xai import XaiProvider
from llms.testing import FakeUpstream, make_app, sse

LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
SQL = {"type": "custom", "custom": {"name": "sql"}}
ANSWERED_THERE = {
    "role": "assistant",
    "content": "Hm.",
    "reasoning_content": "Hm.",
    "reasoning_details": [thought_by(ISSUER)],
}
SEARCHED_THERE = {
    "role": "assistant",
    "content": "Hm.",
    "provider_metadata": {"responses": {"issuer": ISSUER, "output": [{"type": "web_search_call", "id": "ws_1"}]}},
}
AT_XAI = {"role": "assistant", "content": "Hm.", "reasoning_details": [thought_by("api.x.ai")]}
AT_OPENROUTER = {"role": "assistant", "content": "Hm.", "reasoning_details": [thought_by(None)]}
SEARCHED_AT_XAI = {
    "role": "assistant",
    "content": "Hm.",
    "provider_metadata": {"responses": {"issuer": "api.x.ai", "output": [{"type": "web_search_call", "id": "ws_1"}]}},
}
ELSEWHERE = {
    "role": "assistant",
    "content": "Hm.",
    "reasoning_content": "Hm.",
    "reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "format": "anthropic-claude-v1"}],
    "provider_metadata": {"anthropic": {}},
}
SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
ANSWER = {"id": "resp_1", "model": "m", "status": "completed", "output": [SAID], "usage": None}
JSON = {"Content-Type": "application/json"}


def made(**entry: Any) -> OpenAiProvider:
    models = {"plum": {"id": "gpt-5-pro", "name": "Plum"}}
    return OpenAiProvider(
        **{"id": "acme", "name": "Acme", "api": "http://127.0.0.1:9/v1", "api_key": "k" * 9, "models": models, **entry}
    )


def chat(*messages: Any, **fields: Any) -> Any:
    return {"model": "gpt-4.1", "messages": [HI, *messages], **fields}


@pytest.mark.parametrize(
    "asked",
    [
        chat(),
        chat(tools=[LOOK, SQL]),
        chat(ELSEWHERE),
        chat(AT_XAI),
        chat(AT_OPENROUTER),
        chat(SEARCHED_AT_XAI),
        chat(reasoning_effort="low", stop=["."], n=2),
        chat(model="gpt-5.4", reasoning_effort="high"),
        chat(model="gpt-5.6", reasoning_effort="none", tools=[LOOK]),
        chat(model="gpt-5.1", tools=[LOOK]),
        chat(model="gpt-4o-search-preview", web_search_options={}),
        chat(model="gpt-audio", audio={"voice": "alloy"}, modalities=["text", "audio"], tools=[{"type": "mcp"}]),
    ],
)
def test_what_chat_completions_can_do_stays_there(asked: Chat) -> None:
    assert not made().needs_responses(asked)


@pytest.mark.parametrize(
    "asked",
    [
        chat(tools=[{"type": "web_search"}]),
        chat(tools=[LOOK, {"type": "code_interpreter", "container": {"type": "auto"}}]),
        chat(tools=[{"type": "function", "name": "look"}]),
        chat(ANSWERED_THERE),
        chat(SEARCHED_THERE),
        chat(previous_response_id="resp_1"),
        chat(conversation="conv_1"),
        chat(reasoning={"effort": "low"}),
        chat(include=["web_search_call.action.sources"]),
        chat(model="plum"),
        chat(model="o1-pro-2025-03-19"),
        chat(model="gpt-5.2-pro"),
        chat(model="gpt-5.1-codex-mini"),
        chat(model="codex-mini-latest"),
        chat(model="o4-mini-deep-research-2025-06-26"),
        chat(model="computer-use-preview"),
        chat(model="gpt-5.4", reasoning_effort="low", tools=[LOOK]),
        chat(model="gpt-5.6-terra", tools=[LOOK]),
    ],
)
def test_what_only_responses_can_do_goes_there(asked: Chat) -> None:
    assert made().needs_responses(asked)


def test_the_issuer_is_the_host_of_the_api_and_nothing_secret() -> None:
    for cls, api, host in (
        (OpenAiProvider, None, "api.openai.com"),
        (XaiProvider, None, "api.x.ai"),
        (OpenAiProvider, "https://me:secret@LLM.example.org:8443/v1", "llm.example.org:8443"),
    ):
        assert cls(id="acme", api=api, api_key="k" * 9).beside().issuer == host


async def test_a_rotated_organisation_does_not_end_a_conversation(fake_upstream: FakeUpstream) -> None:
    """Streamed too, and on the way that a chat takes on its own to the Responses API."""
    provider = made(api=fake_upstream.url)
    provider.http = HttpClient(Limits())
    said = {**ANSWERED_THERE, "reasoning_details": [thought_by(provider.beside().issuer)]}
    fake_upstream.enqueue_error(400, "The encrypted content gAAA could not be verified.")
    end = sse({"type": "response.completed", "response": ANSWER})
    fake_upstream.enqueue(end, headers={"Content-Type": "text/event-stream"})
    texts = [
        choice["delta"].get("content")
        async for events in provider.stream(chat(said))
        for event in events
        for choice in event.chunk["choices"]
    ]
    await provider.http.close()
    assert "Hello" in texts
    first, second = fake_upstream.requests
    assert (first.path, second.path) == ("/v1/responses", "/v1/responses")
    assert [item.get("type") for item in first.body["input"]] == [None, "reasoning", "message"]
    assert [item.get("type") for item in second.body["input"]] == [None, "message"]


@pytest.mark.parametrize(
    ("setting", "asked", "there"),
    [(True, chat(), True), (False, chat(model="o1-pro"), False), (True, chat(audio={"voice": "alloy"}), False)],
)
def test_the_entry_may_decide(setting: bool, asked: Chat, there: bool) -> None:
    assert made(responses=setting).needs_responses(asked) is there


def test_the_entrys_effort_counts_as_the_chats() -> None:
    assert not made(reasoning_effort="none").needs_responses(chat(model="gpt-5.6", tools=[LOOK]))


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match='Set it to true, false or "auto"'):
        made(responses="sometimes")


def test_modalities_are_told_only_with_a_voice() -> None:
    body = made().request_body(chat(modalities=["text"]), stream=False)
    assert "modalities" not in body
    aloud = chat(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"})
    assert made().request_body(aloud, stream=False) == aloud


def test_chat_completions_is_not_shown_reasoning_of_others() -> None:
    body = made().request_body(chat(ELSEWHERE), stream=False)
    assert body["messages"] == [HI, {"role": "assistant", "content": "Hm."}]


def test_a_url_of_another_vendor_is_asked_in_its_way() -> None:
    body = made(api="https://api.openai.com/v1").request_body(chat(max_tokens=9), stream=False)
    assert body["max_completion_tokens"] == 9
    assert made(api="https://api.example.org/v1").request_body(chat(max_tokens=9), stream=False)["max_tokens"] == 9


async def test_both_ways_are_one_provider(fake_upstream: FakeUpstream) -> None:
    """The same headers, models, settings and connection; later changes count for both."""
    http = HttpClient(Limits())
    provider = made(api=fake_upstream.url, temperature=0.5, headers={"X-Team": "a"})
    provider.http = http
    provider.set_models(models={"pear": {"id": "o3-pro", "name": "Pear"}})
    provider.headers["X-More"] = "b"
    fake_upstream.enqueue(json.dumps(ANSWER).encode(), headers=JSON)
    context: Any = {}
    completion = await provider.chat(chat(model="pear"), context)
    await provider.chat(chat())
    await http.close()
    there, here = fake_upstream.requests
    assert (there.path, here.path) == ("/v1/responses", "/v1/chat/completions")
    assert (there.body["model"], there.body["temperature"], here.body["temperature"]) == ("o3-pro", 0.5, 0.5)
    assert there.connection == here.connection
    for name in ("Authorization", "X-Team", "X-More"):
        assert there.headers[name] == here.headers[name]
    assert completion["choices"][0]["message"]["content"] == "Hello"
    assert context["providerResponse"] is completion


async def test_errors_of_both_ways_name_the_provider(fake_upstream: FakeUpstream) -> None:
    http = HttpClient(Limits())
    provider = made(api=fake_upstream.url)
    provider.http = http
    for asked in (chat(), chat(reasoning={})):
        fake_upstream.enqueue_error(400, "no luck")
        with pytest.raises(ProviderError, match="Acme: no luck") as raised:
            await provider.chat(asked)
        assert raised.value.provider == "Acme"
    await http.close()


def test_whether_to_stream_stays_a_setting() -> None:
    provider: Any = made()
    provider.stream = False
    assert (provider.streams, bool(provider.stream)) == (False, False)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chat_goes_where_its_tools_are(fake_upstream: FakeUpstream, *, stream: bool) -> None:
    if stream:
        end = sse({"type": "response.completed", "response": ANSWER})
        fake_upstream.enqueue(end, headers={"Content-Type": "text/event-stream"})
        fake_upstream.enqueue_stream("Hello")
    else:
        fake_upstream.enqueue(json.dumps(ANSWER).encode(), headers=JSON)
        fake_upstream.enqueue_text("Hello")

    def install(ctx: ExtensionContext) -> None:
        ctx.add_provider(OpenAiProvider)

    models = {"m": {"id": "m", "name": "M", "tool_call": True}}
    entry = {"npm": "@ai-sdk/openai", "api": fake_upstream.url, "api_key": "key-0123456789", "models": models}
    async with make_app(install, config={"providers": {"openai": entry}}) as server:
        searched = await server.chat(model="m", stream=stream, tools=[{"type": "web_search"}])
        plain = await server.chat(model="m", stream=stream)
    assert (searched.text, plain.text) == ("Hello", "Hello")
    there, here = fake_upstream.requests
    assert (there.path, there.body["tools"]) == ("/v1/responses", [{"type": "web_search"}])
    assert (here.path, here.body["messages"]) == ("/v1/chat/completions", [HI])
