"""Anthropic's dialect: who is asked, with which fields, and all of it through a server."""

import json
from typing import Any

import pytest

from llms.api import ExtensionContext, RequestError, StreamAssembler
from llms.extensions.providers.anthropic import AnthropicProvider, VertexAnthropicProvider
from llms.extensions.providers.tests.anthropic_samples import (
    CALL,
    ENCRYPTED,
    HI,
    LOOK,
    MARK,
    MODEL,
    REDACTED,
    SIGNED,
    THOUGHT,
    USE,
    events,
    made,
    sent,
    sse,
    whole,
)
from llms.testing import FakeUpstream, make_app

TOOL = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}
SHAPE = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SHAPE}}
NEW, NEWEST, OLD = "claude-opus-4-7", "claude-opus-5-5", "claude-3-5-sonnet-20241022"


@pytest.fixture(autouse=True)
def no_google(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", "/nowhere")
    for name in (
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_VERTEX_PROJECT",
        "GOOGLE_CLOUD_LOCATION",
        "GOOGLE_VERTEX_LOCATION",
    ):
        monkeypatch.delenv(name, raising=False)


def refused(**chat: Any) -> str | None:
    """The field that a provider which leaves nothing out refuses."""
    with pytest.raises(RequestError, match="Acme cannot be told") as raised:
        sent(by=made(unsupported="error"), **chat)
    return raised.value.param


# -- who is asked ----------------------------------------------------------------------------------------------


def test_anthropic_is_asked_with_its_own_headers() -> None:
    provider = made()
    assert provider.chat_url == "https://api.anthropic.com/v1/messages"
    assert provider.headers == {
        "Content-Type": "application/json",
        "x-api-key": "key-0123456789",
        "anthropic-version": "2023-06-01",
    }


def test_headers_of_the_entry_win() -> None:
    own = {"Authorization": "Bearer mine", "Anthropic-Version": "2099-01-01"}
    assert made(headers=own).headers == {"Content-Type": "application/json", **own}
    assert made(headers={"X-Api-Key": "mine"}).headers["X-Api-Key"] == "mine"


async def betas(*, own: Any = None, **chat: Any) -> Any:
    asked: Any = {"model": MODEL, "messages": [HI], **chat}
    _, headers = await made(headers=own or {}).destination(asked, b"", stream=False)
    return headers.get("anthropic-beta")


@pytest.mark.parametrize(
    ("chat", "beta"),
    [
        ({}, None),
        ({"tools": [LOOK]}, None),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, None),
        ({"tools": [{"type": "computer_20250124", "name": "computer"}]}, "computer-use-2025-01-24"),
        ({"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}, "web-fetch-2025-09-10"),
        ({"mcp_servers": [{"type": "url"}]}, "mcp-client-2025-04-04"),
        (
            {"mcp_servers": [{"type": "url"}], "tools": [{"type": "mcp_toolset"}]},
            "mcp-client-2025-11-20",
        ),
        ({"context_management": {"edits": [{"type": "compact_20260112"}]}}, "compact-2026-01-12"),
        (
            {"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}},
            "context-management-2025-06-27",
        ),
        ({"container": {"skills": [{}]}}, "skills-2025-10-02"),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
            "files-api-2025-04-14",
        ),
        ({"betas": ["a", "b", "a"]}, "a,b"),
    ],
)
async def test_a_beta_is_switched_on_where_it_is_needed(chat: Any, beta: Any) -> None:
    assert await betas(**chat) == beta


async def test_betas_of_the_entry_and_of_the_chat_are_put_together() -> None:
    assert await betas(own={"anthropic-beta": "a, b"}, betas=["b", "c"]) == "a,b,c"
    assert "betas" not in sent(betas=["c"])


# -- fields ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "model", "limit"),
    [
        ({}, {}, 4096),
        ({}, {"limit": {"output": 64000}}, 64000),
        ({"max_tokens": 5}, {"limit": {"output": 64000}}, 5),
        ({"max_tokens": 5, "max_completion_tokens": 6}, {}, 6),
    ],
)
def test_an_answer_always_has_a_limit(asked: Any, model: Any, limit: int) -> None:
    provider = made(models={MODEL: {"id": MODEL, "name": MODEL, **model}})
    assert sent(by=provider, **asked)["max_tokens"] == limit


FIELDS: list[tuple[Any, Any]] = [
    ({"temperature": 0.5}, {"temperature": 0.5}),
    ({"top_p": 0.5, "top_k": 3}, {"top_p": 0.5, "top_k": 3}),
    ({"stop": "END"}, {"stop_sequences": ["END"]}),
    ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
    ({"user": "u"}, {"metadata": {"user_id": "u"}}),
    ({"safety_identifier": "u"}, {"metadata": {"user_id": "u"}}),
    ({"service_tier": "auto"}, {"service_tier": "auto"}),
    ({"service_tier": "default"}, {"service_tier": "standard_only"}),
    ({"tools": [LOOK]}, {"tools": [TOOL]}),
    ({"tools": [LOOK], "tool_choice": "auto"}, {"tools": [TOOL], "tool_choice": {"type": "auto"}}),
    ({"tools": [LOOK], "tool_choice": "none"}, {"tools": [TOOL], "tool_choice": {"type": "none"}}),
    ({"tools": [LOOK], "tool_choice": "required"}, {"tools": [TOOL], "tool_choice": {"type": "any"}}),
    (
        {"tools": [LOOK], "tool_choice": {"type": "function", "function": {"name": "look"}}},
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "look"}},
    ),
    (
        {"tools": [LOOK], "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
        {"tools": [TOOL], "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
    ),
    (
        {"tools": [LOOK], "parallel_tool_calls": False},
        {"tools": [TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    ),
    (
        {"tools": [LOOK], "parallel_tool_calls": False, "tool_choice": "none"},
        {"tools": [TOOL], "tool_choice": {"type": "none"}},
    ),
    ({"tools": [LOOK], "parallel_tool_calls": True}, {"tools": [TOOL]}),
    ({"tool_choice": "auto", "tools": []}, {}),
    ({"response_format": SCHEMA}, {"output_config": {"format": {"type": "json_schema", "schema": SHAPE}}}),
    ({"response_format": {"type": "text"}}, {}),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
    ),
    ({"cache_control": MARK, "container": "c"}, {"cache_control": MARK, "container": "c"}),
    ({"mcp_servers": [{"name": "a"}]}, {"mcp_servers": [{"name": "a"}]}),
    ({"context_management": {"edits": []}}, {"context_management": {"edits": []}}),
    ({"metadata": {"threadId": 1}, "provider": "acme", "stream_options": {}}, {}),
    ({"n": 1, "logprobs": False, "presence_penalty": 0, "seed": None, "store": False, "modalities": ["text"]}, {}),
]


@pytest.mark.parametrize(("asked", "said"), FIELDS)
def test_what_is_asked_is_said_in_its_words(asked: Any, said: Any) -> None:
    body = sent(by=made(unsupported="error"), **asked)
    for name in ("model", "max_tokens", "messages"):
        del body[name]
    assert body == said


def test_a_stream_is_asked_for() -> None:
    assert sent(stream=True)["stream"] is True


def test_a_tool_keeps_what_only_anthropic_knows() -> None:
    given = {**LOOK, "cache_control": MARK, "defer_loading": True}
    function = {"name": "hear", "strict": True}
    server = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    assert sent(tools=[given, {"type": "function", "function": function}, server])["tools"] == [
        {**TOOL, "cache_control": MARK, "defer_loading": True},
        {"name": "hear", "strict": True, "input_schema": {"type": "object", "additionalProperties": False}},
        server,
    ]


LEFT_OUT: list[tuple[Any, str]] = [
    ({"seed": 1}, "seed"),
    ({"n": 2}, "n"),
    ({"logprobs": True}, "logprobs"),
    ({"frequency_penalty": 0.5}, "frequency_penalty"),
    ({"modalities": ["text", "audio"]}, "modalities"),
    ({"service_tier": "flex"}, "service_tier"),
    ({"stop": [" ", "a"]}, "stop at blanks"),
    ({"response_format": {"type": "json_object"}}, "response_format"),
    ({"response_format": SCHEMA, "model": OLD}, "response_format"),
    ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools of type custom"),
    ({"tools": [LOOK], "tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}, "tool_choice"),
    ({"tools": [LOOK], "tool_choice": "required", "model": NEWEST}, "tool_choice"),
    ({"tools": [{**LOOK, "function": {**LOOK["function"], "strict": True}}], "model": OLD}, "tools.strict"),  # type: ignore[dict-item]
    ({"temperature": 1.5}, "temperature above 1"),
    ({"temperature": 0.5, "top_p": 0.5}, "top_p"),
    ({"temperature": 0.5, "model": NEW}, "temperature"),
    ({"top_k": 5, "thinking": {"type": "adaptive"}}, "top_k"),
    ({"reasoning_effort": "high", "model": OLD}, "reasoning_effort"),
    ({"reasoning_effort": "high", "max_tokens": 1000}, "reasoning_effort"),
    ({"reasoning_effort": "high", "tools": [LOOK], "tool_choice": "required"}, "reasoning_effort"),
]


@pytest.mark.parametrize(("asked", "name"), LEFT_OUT)
def test_what_it_cannot_be_told_is_refused_where_nothing_may_be_left_out(asked: Any, name: str) -> None:
    assert refused(**asked) == name


@pytest.mark.parametrize(("asked", "name"), LEFT_OUT)
def test_what_it_cannot_be_told_is_left_out_and_logged(asked: Any, name: str, caplog: pytest.LogCaptureFixture) -> None:
    body = sent(**asked)
    assert caplog.messages == [f"Acme cannot be told {name}: left out of its requests."]
    if name in body:
        assert body[name] != asked[name]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"temperature": 1.5}, {"temperature": 1}),
        ({"temperature": 1, "top_p": 0.5}, {"top_p": 0.5}),
        ({"temperature": 0.5, "top_p": 1}, {"temperature": 0.5}),
        ({"temperature": 0.5, "top_p": 0.5}, {"temperature": 0.5}),
        ({"temperature": 0.5, "top_p": 0.5, "model": OLD}, {"temperature": 0.5, "top_p": 0.5}),
        ({"temperature": 1, "model": NEW}, {"temperature": 1}),
        ({"temperature": 0.2, "reasoning_effort": "low"}, {}),
    ],
)
def test_sampling_is_said_as_far_as_it_can_be(asked: Any, said: Any) -> None:
    body = sent(max_tokens=9000, **asked)
    assert {name: body[name] for name in ("temperature", "top_p") if name in body} == said


# -- thinking --------------------------------------------------------------------------------------------------

SHOWN = {"type": "adaptive", "display": "summarized"}
EFFORTS: list[tuple[str, str, Any]] = [
    ("claude-3-7-sonnet-20250219", "low", {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
    ("claude-sonnet-4-20250514", "medium", {"thinking": {"type": "enabled", "budget_tokens": 8192}}),
    ("claude-sonnet-4-5", "xhigh", {"thinking": {"type": "enabled", "budget_tokens": 16000}}),
    ("claude-haiku-4-5@20251001", "none", {}),
    ("MiniMax-M3", "minimal", {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
    ("claude-sonnet-4-6", "minimal", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
    ("claude-opus-4-6", "xhigh", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}),
    ("claude-opus-4-6", "none", {}),
    ("anthropic/claude-opus-4.7", "xhigh", {"thinking": SHOWN, "output_config": {"effort": "xhigh"}}),
    ("claude-sonnet-5", "high", {"thinking": SHOWN, "output_config": {"effort": "high"}}),
    ("claude-sonnet-5", "none", {"thinking": {"type": "disabled"}}),
    ("claude-sonnet-5-5", "none", {"thinking": {"type": "between_tools"}}),
    ("claude-fable-5-1@default", "none", {"output_config": {"effort": "low"}}),
]


@pytest.mark.parametrize(("model", "effort", "said"), EFFORTS)
def test_effort_is_said_as_each_generation_takes_it(model: str, effort: str, said: Any) -> None:
    body = sent(model=model, reasoning_effort=effort, max_tokens=20000)
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == said


@pytest.mark.parametrize(("enabled", "kind"), [(True, "enabled"), (False, None)])
def test_the_setting_enable_thinking_is_an_effort_too(enabled: bool, kind: Any) -> None:
    assert sent(enable_thinking=enabled, max_tokens=9000).get("thinking", {}).get("type") == kind


def test_a_model_that_does_not_reason_is_not_told_to() -> None:
    model = {"id": "other", "name": "Other", "reasoning": False}
    assert "thinking" not in sent(
        by=made(models={"other": model}), model="other", reasoning_effort="high", max_tokens=9000
    )


def test_effort_and_shape_stand_side_by_side() -> None:
    config = sent(model=NEW, reasoning_effort="low", response_format=SCHEMA)["output_config"]
    assert config == {"effort": "low", "format": {"type": "json_schema", "schema": SHAPE}}


def test_the_callers_own_words_for_thinking_come_first() -> None:
    own = {"type": "enabled", "budget_tokens": 3000}
    assert sent(thinking=own, reasoning_effort="low")["thinking"] == own
    assert sent(model=NEW, output_config={"effort": "max"}, reasoning_effort="low")["output_config"] == {
        "effort": "max"
    }


def test_who_is_forced_to_call_a_tool_does_not_think() -> None:
    body = sent(model="claude-sonnet-4-6", tools=[LOOK], tool_choice="required", reasoning_effort="low")
    assert "thinking" not in body
    assert body["output_config"] == {"effort": "low"}


@pytest.mark.parametrize(("details", "thinks"), [([SIGNED], True), ([], False)])
def test_who_did_not_think_before_a_call_does_not_after_it(details: Any, thinks: bool) -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_details": details}
    result = {"role": "tool", "tool_call_id": "toolu_1", "content": "blue"}
    assert ("thinking" in sent(HI, call, result, reasoning_effort="low", max_tokens=9000)) is thinks
    assert "thinking" in sent(HI, call, result, HI | {"role": "assistant"}, HI, reasoning_effort="low", max_tokens=9000)


# -- what it wants to see again --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("container", "own", "said"),
    [
        ({"id": "c1", "expires_at": "x"}, {}, "c1"),
        ({"id": "c1"}, {"container": "c2"}, "c2"),
        ("c1", {}, None),
        ({}, {}, None),
    ],
)
def test_code_that_called_a_tool_goes_on_where_it_ran(container: Any, own: Any, said: Any) -> None:
    kept = {"anthropic": {"container": container}}
    call = {"role": "assistant", "content": None, "tool_calls": [CALL], "provider_metadata": kept}
    result = {"role": "tool", "tool_call_id": "toolu_1", "content": "blue"}
    assert sent(HI, call, result, **own).get("container") == said
    assert "container" not in sent(HI, call, result, HI)


# -- Google ----------------------------------------------------------------------------------------------------


def at_google(**entry: Any) -> VertexAnthropicProvider:
    return VertexAnthropicProvider(**{"id": "acme", "name": "Acme", "api_key": "token-0123456789", **entry})


async def url_of(provider: VertexAnthropicProvider, *, stream: bool = False) -> str:
    url, _ = await provider.destination({"model": "claude-sonnet-4@20250514", "messages": []}, b"", stream=stream)
    return str(url)


@pytest.mark.parametrize(
    ("entry", "variables", "url"),
    [
        (
            {"project": "p", "location": "us-east5"},
            {"GOOGLE_CLOUD_PROJECT": "q"},
            "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5",
        ),
        (
            {},
            {"GOOGLE_VERTEX_PROJECT": "p", "GOOGLE_VERTEX_LOCATION": "eu"},
            "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu",
        ),
        ({"project": "p"}, {}, "https://aiplatform.googleapis.com/v1/projects/p/locations/global"),
        ({"project": "p", "api": "https://proxy/v1/"}, {}, "https://proxy/v1/projects/p/locations/global"),
        ({"api": "https://proxy/v1/projects/p/locations/l"}, {}, "https://proxy/v1/projects/p/locations/l"),
    ],
)
async def test_google_is_asked_where_the_project_is(
    monkeypatch: pytest.MonkeyPatch, entry: Any, variables: Any, url: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    provider = at_google(**entry)
    assert provider.validate() is None
    model = f"{url}/publishers/anthropic/models/claude-sonnet-4@20250514"
    assert await url_of(provider) == f"{model}:rawPredict"
    assert await url_of(provider, stream=True) == f"{model}:streamRawPredict"


def test_google_is_told_the_version_in_the_body_and_the_model_in_the_url() -> None:
    provider = at_google(project="p")
    body = sent(by=provider)
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in body
    assert provider.headers == {"Content-Type": "application/json", "Authorization": "Bearer token-0123456789"}


def test_without_a_project_google_cannot_be_asked() -> None:
    assert at_google().validate() == "Provider 'Acme' requires a project. Set `project`, or GOOGLE_CLOUD_PROJECT."


async def test_a_token_of_googles_is_sent_as_it_is() -> None:
    provider = at_google(project="p", api_key="ya29.token")
    assert provider.validate() is None
    _, headers = await provider.destination({"model": "m", "messages": []}, b"", stream=False)
    assert headers["Authorization"] == "Bearer ya29.token"


@pytest.mark.parametrize("key", ["p", "us-east5", "{}", None])
def test_what_is_no_key_is_not_sent_as_one(key: str | None) -> None:
    provider = at_google(project="p", location="us-east5", api_key=key)
    assert "Authorization" not in provider.headers
    assert "Google credentials" in str(provider.validate())


# -- through a server ------------------------------------------------------------------------------------------


def install(ctx: ExtensionContext) -> None:
    ctx.add_provider(AnthropicProvider)


def config(upstream: FakeUpstream, **entry: Any) -> Any:
    own = {"npm": "@ai-sdk/anthropic", "api": upstream.url, "api_key": "key-0123456789"}
    return {"providers": {"acme": {**own, "models": {MODEL: {"id": MODEL, "name": "Claude"}}, **entry}}}


async def first_message(server: Any, chat: Any) -> Any:
    """The assistant's message, put together as a client does."""
    if not chat["stream"]:
        return (await server.post("/v1/chat/completions", chat)).body["choices"][0]["message"]
    assembler = StreamAssembler()
    async with server.http.post(f"{server.url}/v1/chat/completions", json=chat) as response:
        lines = (await response.text()).splitlines()
    for line in lines:
        if line.startswith("data: {"):
            assembler.feed(json.loads(line[6:]))
    return assembler.message()


SIMPLE = [THOUGHT, REDACTED, {"type": "text", "text": "Let me see."}, USE]
SEARCHING = [
    THOUGHT,
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "sky"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
    {**THOUGHT, "signature": "sig2"},
    USE,
]


@pytest.mark.parametrize("blocks", [SIMPLE, SEARCHING])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_loop_keeps_its_thoughts(fake_upstream: FakeUpstream, stream: bool, blocks: Any) -> None:
    if stream:
        fake_upstream.enqueue(sse(events(*blocks, reason="tool_use")), headers={"Content-Type": "text/event-stream"})
    else:
        fake_upstream.enqueue(json.dumps(whole(*blocks, reason="tool_use")).encode())
    fake_upstream.enqueue(json.dumps(whole({"type": "text", "text": "Blue."})).encode())
    async with make_app(install, config=config(fake_upstream)) as server:
        asked: Any = {"model": MODEL, "tools": [LOOK], "reasoning_effort": "low", "max_tokens": 9000}
        message = await first_message(server, {**asked, "messages": [HI], "stream": stream})
        told = {"role": "tool", "tool_call_id": "toolu_1", "content": "blue"}
        reply = await server.post("/v1/chat/completions", {**asked, "messages": [HI, message, told]})
    assert reply.text == "Blue."
    first, second = fake_upstream.requests
    assert (first.path, first.headers["x-api-key"]) == ("/v1/messages", "key-0123456789")
    assert second.body["messages"][1]["content"] == blocks
    assert second.body["thinking"] == {"type": "enabled", "budget_tokens": 2048}


async def test_the_servers_own_tool_loop_keeps_them_too(fake_upstream: FakeUpstream) -> None:
    def with_tool(ctx: ExtensionContext) -> None:
        def look(at: str) -> str:
            """Looks."""
            return f"The {at} is blue."

        ctx.add_provider(AnthropicProvider)
        ctx.register_tool(look)

    fake_upstream.enqueue(json.dumps(whole(*SEARCHING, reason="tool_use")).encode())
    fake_upstream.enqueue(json.dumps(whole({"type": "text", "text": "Blue."})).encode())
    async with make_app(with_tool, config=config(fake_upstream)) as server:
        reply = await server.chat(model=MODEL, reasoning_effort="low", max_tokens=9000, metadata={"tools": "all"})
    assert reply.text == "Blue."
    _, answered, result = fake_upstream.requests[1].body["messages"]
    assert answered["content"] == SEARCHING
    assert result["content"] == [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "The sky is blue."}]


@pytest.mark.parametrize(("status", "kind"), [(400, "invalid_request_error"), (429, "rate_limit_error")])
async def test_its_errors_have_their_status_and_words(fake_upstream: FakeUpstream, status: int, kind: str) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "no luck"}, "request_id": "req_1"}
    for _ in range(3):
        fake_upstream.enqueue(
            json.dumps(body).encode(), status=status, headers={"Content-Type": "application/json", "retry-after": "0"}
        )
    async with make_app(install, config=config(fake_upstream)) as server:
        reply = await server.chat(model=MODEL)
    assert reply.status == status
    assert "no luck" in reply.body["error"]["message"]


async def test_redacted_thoughts_reach_the_caller(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(json.dumps(whole(*SIMPLE, reason="tool_use")).encode())
    async with make_app(install, config=config(fake_upstream)) as server:
        reply = await server.chat(model=MODEL, tools=[LOOK])
    assert reply.body["choices"][0]["message"]["reasoning_details"] == [SIGNED, ENCRYPTED]
