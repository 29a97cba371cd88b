"""Bedrock's Converse API: who is asked, how, and with which fields; and all of it through a server."""

import json
from pathlib import Path
from typing import Any

import pytest

from llms.api import ConfigError, ExtensionContext, RequestError, StreamAssembler
from llms.extensions.providers.bedrock import BedrockProvider
from llms.extensions.providers.tests.bedrock_samples import (
    ANSWER,
    CALL,
    CLAUDE,
    HI,
    LOOK,
    NOVA,
    REDACTED,
    SIGNED,
    STREAM,
    made,
    sent,
)
from llms.testing import FakeUpstream, make_app


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


# -- the door ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "variables", "region"),
    [
        ({}, {}, "us-east-1"),
        ({"region": "eu-west-1"}, {"AWS_REGION": "us-west-2"}, "eu-west-1"),
        ({}, {"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "eu-north-1"}, "us-west-2"),
        ({}, {"AWS_DEFAULT_REGION": "eu-north-1"}, "eu-north-1"),
        ({"api": "https://bedrock-runtime.ap-south-1.amazonaws.com"}, {"AWS_REGION": "us-west-2"}, "ap-south-1"),
    ],
)
def test_the_region_is_the_one_said_most_closely(
    monkeypatch: pytest.MonkeyPatch, entry: Any, variables: Any, region: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    provider = made(**entry)
    assert (provider.signer.region, provider.api) == (region, f"https://bedrock-runtime.{region}.amazonaws.com")


def test_an_api_that_is_no_url_is_refused() -> None:
    with pytest.raises(ConfigError, match="Provider 'Acme' has an invalid URL"):
        made(api="http://[nowhere")


async def test_the_model_stands_in_the_url_as_one_word() -> None:
    arn = "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/abc"
    url, headers = await made().destination({"model": arn, "messages": []}, b"", stream=True)
    assert url.raw_path == f"/model/{arn.replace(':', '%3A').replace('/', '%2F')}/converse-stream"
    assert headers["Authorization"] == "Bearer key-0123456789"


def test_the_key_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "from the environment")
    assert made(api_key=None).api_key == "from the environment"


def test_the_id_of_an_access_key_is_no_api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    provider = made(api_key="AKIDEXAMPLE")
    assert "Authorization" not in provider.headers
    assert provider.validate() is None


async def test_without_an_api_key_requests_are_signed() -> None:
    keys = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "x"}
    provider = made(api_key=None, **keys, headers={"X-Own": "1"})
    _, headers = await provider.destination({"model": NOVA, "messages": []}, b"{}", stream=False)
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/us-east-1/bedrock/aws4_request" in headers["Authorization"]
    assert headers["X-Own"] == "1"


def test_without_key_and_credentials_it_says_what_is_missing() -> None:
    problem = made(api_key=None).validate()
    assert problem is not None
    assert problem.startswith("Provider 'Acme' requires AWS credentials: set AWS_ACCESS_KEY_ID")
    assert problem.endswith("or set AWS_BEARER_TOKEN_BEDROCK")


# -- fields ------------------------------------------------------------------------------------------------------------


def test_limits_are_the_inference_config() -> None:
    body = sent(max_completion_tokens=9, temperature=0, top_p=0.5, stop="|", inferenceConfig={"topP": 0.7})
    assert body["inferenceConfig"] == {"maxTokens": 9, "temperature": 0, "topP": 0.7, "stopSequences": ["|"]}
    assert sent(max_tokens=7, stop=["a", "b"])["inferenceConfig"] == {"maxTokens": 7, "stopSequences": ["a", "b"]}


def test_nothing_is_said_that_was_not_asked() -> None:
    assert sent(n=1, stop=[], tools=[], temperature=None, store=False) == {
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}]
    }


def test_tools_are_specified_and_bedrocks_own_pass() -> None:
    bare = {"type": "function", "function": {"name": "roll", "strict": True}}
    body = sent(tools=[LOOK, bare, {"systemTool": {"name": "nova_grounding"}}])
    assert body["toolConfig"] == {
        "tools": [
            {"toolSpec": {"name": "look", "description": "Looks.", "inputSchema": {"json": {"type": "object"}}}},
            {
                "toolSpec": {
                    "name": "roll",
                    "strict": True,
                    "inputSchema": {"json": {"type": "object", "properties": {}, "additionalProperties": False}},
                }
            },
            {"systemTool": {"name": "nova_grounding"}},
        ]
    }


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ({"type": "function", "function": {"name": "look"}}, {"tool": {"name": "look"}}),
        ({"any": {}}, {"any": {}}),
    ],
)
def test_a_choice_of_tools_is_said(choice: Any, said: Any) -> None:
    assert sent(tools=[LOOK], tool_choice=choice)["toolConfig"]["toolChoice"] == said


def test_tools_that_may_not_be_called_are_not_told() -> None:
    assert "toolConfig" not in sent(tools=[LOOK], tool_choice="none")


def test_tools_that_were_called_have_to_be_told(caplog: pytest.LogCaptureFixture) -> None:
    history = [
        *HI,
        {"role": "assistant", "content": None, "tool_calls": [CALL, CALL]},
        {"role": "tool", "tool_call_id": "tooluse_1", "content": "blue"},
    ]
    spec = {"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object", "properties": {}}}}}
    assert sent(*history)["toolConfig"] == {"tools": [spec]}
    assert not caplog.messages
    assert "toolChoice" not in sent(*history, tools=[LOOK], tool_choice="none")["toolConfig"]
    assert caplog.messages == ["Acme cannot be told tool_choice: left out of its requests."]


def test_a_schema_for_the_answer_is_the_text_format() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    asked = {
        "type": "json_schema",
        "json_schema": {"name": "A", "description": "An a.", "schema": schema, "strict": True},
    }
    said = sent(response_format=asked)["outputConfig"]["textFormat"]
    told = said["structure"]["jsonSchema"]
    assert (said["type"], told["name"], told["description"]) == ("json_schema", "A", "An a.")
    assert json.loads(told["schema"]) == {**schema, "additionalProperties": False}


def test_claude_is_told_of_bounds_in_words_and_others_of_bounds(caplog: pytest.LogCaptureFixture) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
    asked = {"type": "json_schema", "json_schema": {"name": "A", "schema": schema}}
    strict = {"type": "function", "function": {"name": "f", "strict": True, "parameters": schema}}
    closed = {
        "type": "object",
        "properties": {"a": {"type": "integer", "description": "minimum: 1"}},
        "additionalProperties": False,
    }
    for model, said in ((CLAUDE, closed), (NOVA, schema)):
        body = sent(response_format=asked, tools=[strict], model=model)
        assert json.loads(body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]) == said
        assert body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"] == said
    assert "response_format.minimum" in caplog.text
    assert "tools.parameters.minimum" in caplog.text


def test_bedrocks_own_fields_pass() -> None:
    own: dict[str, Any] = {
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"},
        "performanceConfig": {"latency": "optimized"},
        "serviceTier": {"type": "flex"},
        "promptVariables": {"a": {"text": "b"}},
        "requestMetadata": {"team": "x"},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "additionalModelRequestFields": {"top_k": 5},
    }
    body = sent(**own)
    assert {name: body[name] for name in own} == own


def test_a_service_tier_is_said_in_either_words() -> None:
    assert sent(service_tier="priority")["serviceTier"] == {"type": "priority"}
    assert "serviceTier" not in sent(service_tier="auto")


def test_fields_of_claudes_maker_go_along() -> None:
    thinking = {"type": "enabled", "budget_tokens": 2000}
    assert sent(thinking=thinking, temperature=1)["additionalModelRequestFields"] == {"thinking": thinking}
    assert sent(top_k=5)["additionalModelRequestFields"] == {"top_k": 5}


def test_the_newer_claudes_take_fewer_samplings() -> None:
    assert sent(temperature=0.5, top_p=0.5)["inferenceConfig"] == {"temperature": 0.5}
    assert "inferenceConfig" not in sent(model="us.anthropic.claude-opus-4-8", temperature=0.5)


@pytest.mark.parametrize(
    "field",
    [
        {"seed": 1},
        {"n": 2},
        {"logprobs": True},
        {"parallel_tool_calls": False},
        {"response_format": {"type": "json_object"}},
        {"service_tier": "scale"},
        {"modalities": ["text", "audio"]},
        {"tools": [{"type": "web_search"}]},
        {"prompt_cache_key": "x"},
    ],
)
def test_what_converse_cannot_say_is_left_out_or_refused(field: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert sent(**field).keys() == {"messages"}
    assert len(caplog.messages) == 1
    with pytest.raises(RequestError, match=next(iter(field))):
        sent(provider=made(unsupported="error"), **field)


@pytest.mark.parametrize(
    ("model", "effort", "fields"),
    [
        (CLAUDE, "high", {"thinking": {"type": "enabled", "budget_tokens": 16384}}),
        (
            "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
            "minimal",
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        ),
        (
            "us.anthropic.claude-opus-4-6-v1",
            "medium",
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
        ),
        (
            "us.anthropic.claude-opus-4-8",
            "xhigh",
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "xhigh"}},
        ),
        (NOVA, "low", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        ("openai.gpt-oss-120b-1:0", "minimal", {"reasoning_effort": "low"}),
        ("qwen.qwen3-32b-v1:0", "high", {"reasoning_config": "high"}),
        (CLAUDE, "none", None),
        ("anthropic.claude-3-haiku-20240307-v1:0", "high", None),
        ("us.amazon.nova-lite-v1:0", "high", None),
        ("us.meta.llama3-3-70b-instruct-v1:0", "high", None),
        (CLAUDE, "utmost", None),
    ],
)
def test_each_family_is_told_to_reason_in_its_own_way(model: str, effort: str, fields: Any) -> None:
    assert sent(model=model, reasoning_effort=effort).get("additionalModelRequestFields") == fields


def test_a_thinking_budget_leaves_room_for_the_answer() -> None:
    def budget(most: int) -> Any:
        fields = sent(reasoning_effort="high", max_tokens=most).get("additionalModelRequestFields")
        return fields and fields["thinking"]["budget_tokens"]

    assert [budget(most) for most in (1024, 1100, 5000, 64000)] == [None, None, 4000, 16384]


def test_what_claude_refuses_while_it_thinks_is_left_out() -> None:
    body = sent(reasoning_effort="low", temperature=0.5, top_p=0.5, top_k=3, stop="|")
    assert body["inferenceConfig"] == {"stopSequences": ["|"]}
    assert body["additionalModelRequestFields"].keys() == {"thinking"}
    forced = sent(reasoning_effort="low", temperature=0.5, tools=[LOOK], tool_choice="required")
    assert "additionalModelRequestFields" not in forced
    assert forced["inferenceConfig"] == {"temperature": 0.5}


def test_claude_does_not_think_on_without_what_it_has_thought() -> None:
    def fields(**more: Any) -> Any:
        asked = {"role": "assistant", "content": None, "tool_calls": [CALL], **more}
        told = {"role": "tool", "tool_call_id": "tooluse_1", "content": "blue"}
        return sent(*HI, asked, told, reasoning_effort="low").get("additionalModelRequestFields")

    assert fields() is None
    assert fields(reasoning_details=[SIGNED]) == {"thinking": {"type": "enabled", "budget_tokens": 2048}}


@pytest.mark.parametrize(
    "details",
    [
        "x",
        [{"type": "reasoning.encrypted", "data": "g", "format": "google-gemini-v1"}],
        [{"type": "reasoning.encrypted", "data": "r", "format": "openai-responses-v1", "id": "rs_1"}],
    ],
)
def test_claude_does_not_think_on_with_what_another_has_thought(details: Any) -> None:
    loop: list[Any] = [
        *HI,
        {"role": "assistant", "content": "t", "tool_calls": [CALL], "reasoning_details": details},
        {"role": "tool", "tool_call_id": "tooluse_1", "content": "blue"},
    ]
    asked: Any = {"reasoning_effort": "medium", "max_tokens": 20000, "tools": [LOOK]}
    assert "additionalModelRequestFields" not in sent(*loop, **asked)
    loop[1]["reasoning_details"] = [SIGNED]
    assert sent(*loop, **asked)["additionalModelRequestFields"]["thinking"]["type"] == "enabled"


def test_nova_takes_no_limits_at_high_effort() -> None:
    body = sent(model=NOVA, reasoning_effort="high", temperature=0.5, max_tokens=9, top_p=0.5, stop="|")
    assert body["inferenceConfig"] == {"stopSequences": ["|"]}


def test_a_request_is_what_amazons_own_description_allows() -> None:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.validate import ParamValidator

    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}}
    body = sent(
        {"role": "system", "content": "Be brief.", "cache_control": {"type": "ephemeral"}},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, file]},
        {"role": "assistant", "content": "Hm.", "tool_calls": [CALL], "reasoning_details": [SIGNED, REDACTED]},
        {"role": "tool", "tool_call_id": "tooluse_1", "content": "blue", "is_error": True},
        tools=[LOOK],
        tool_choice="auto",
        max_tokens=9000,
        reasoning_effort="low",
        service_tier="flex",
        response_format={"type": "json_schema", "json_schema": {"name": "A", "schema": {"type": "object"}}},
    )
    described = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))
    shape = described.operation_model("Converse").input_shape
    assert len(body) == 7
    assert ParamValidator().validate({"modelId": CLAUDE, **body}, shape).generate_report() == ""


# -- through a server --------------------------------------------------------------------------------------------------


def install(ctx: ExtensionContext) -> None:
    ctx.add_provider(BedrockProvider)


def config(upstream: FakeUpstream, **entry: Any) -> Any:
    own = {"npm": "@ai-sdk/amazon-bedrock", "api": upstream.url, "api_key": "key-0123456789"}
    return {"providers": {"acme": {**own, "models": {CLAUDE: {"id": CLAUDE, "name": "Claude"}}, **entry}}}


def whole(*content: Any, reason: str) -> bytes:
    answer = {"output": {"message": {"role": "assistant", "content": list(content)}}, "stopReason": reason}
    return json.dumps({**answer, "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}}).encode()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_loop_keeps_its_reasoning(fake_upstream: FakeUpstream, stream: bool) -> None:
    if stream:
        fake_upstream.enqueue(*STREAM, headers={"Content-Type": "application/vnd.amazon.eventstream"})
    else:
        fake_upstream.enqueue(whole(*ANSWER, reason="tool_use"))
    fake_upstream.enqueue(whole({"text": "Blue."}, reason="end_turn"))
    async with make_app(install, config=config(fake_upstream)) as server:
        asked: Any = {"model": CLAUDE, "tools": [LOOK], "reasoning_effort": "low"}
        message = await first_message(server, {**asked, "messages": HI, "stream": stream})
        told = {"role": "tool", "tool_call_id": "tooluse_1", "content": "blue"}
        reply = await server.post("/v1/chat/completions", {**asked, "messages": [*HI, message, told]})
    assert reply.body["choices"][0]["message"]["content"] == "Blue."
    first, second = fake_upstream.requests
    assert first.path == f"/v1/model/{CLAUDE}/converse{'-stream' if stream else ''}"
    assert second.body["messages"][1]["content"][:2] == ANSWER[:2]
    assert second.body["additionalModelRequestFields"]["thinking"]["budget_tokens"] == 2048


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


async def test_bedrocks_errors_have_their_status_and_code(fake_upstream: FakeUpstream) -> None:
    headers = {"x-amzn-errortype": "ValidationException:http://internal.amazon.com/coral/", "Content-Type": "x/json"}
    fake_upstream.enqueue(b'{"message":"The provided model identifier is invalid."}', status=400, headers=headers)
    async with make_app(install, config=config(fake_upstream)) as server:
        reply = await server.post("/v1/chat/completions", {"model": CLAUDE, "messages": HI})
    assert reply.status == 400
    assert reply.body["error"]["code"] == "ValidationException"
    assert "The provided model identifier is invalid." in reply.body["error"]["message"]


async def test_requests_arrive_signed(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(whole({"text": "Blue."}, reason="end_turn"))
    keys = {"api_key": None, "access_key_id": "AKIDEXAMPLE", "secret_access_key": "x", "session_token": "t"}
    async with make_app(install, config=config(fake_upstream, **keys)) as server:
        reply = await server.post("/v1/chat/completions", {"model": CLAUDE, "messages": HI})
    assert reply.status == 200
    told = fake_upstream.requests[0].headers
    assert told["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert told["X-Amz-Security-Token"] == "t"
