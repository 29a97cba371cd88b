"""Ollama's own chat API: what is sent, what is read, which models it has, and all of it through a server."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from llms.api import ExtensionContext, HttpClient, Limits, ProviderError, RequestError, StreamAssembler
from llms.extensions.providers.ollama import OllamaGenerateProvider, OllamaNativeProvider
from llms.testing import FakeUpstream, make_app

HI: Any = [{"role": "user", "content": "Hi"}]
LOOK: Any = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
CALL: Any = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at":"sky"}'}}
ENDS: Any = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 9,
    "eval_duration": 5,
    "prompt_eval_count": 3,
    "eval_count": 4,
}
THINKS: Any = {"role": "assistant", "content": "", "thinking": "Hm."}
CALLS: Any = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"function": {"name": "look", "arguments": {"at": "sky"}}}],
}


def made(**entry: Any) -> OllamaNativeProvider:
    return OllamaNativeProvider(**{"id": "acme", "name": "Acme", **entry})


def sent(*messages: Any, provider: OllamaNativeProvider | None = None, model: str = "qwen3", **fields: Any) -> Any:
    chat: Any = {"model": model, "messages": [*messages] or HI, **fields}
    return (provider or made()).request_body(chat, stream=False)


def told(message: Any, **more: Any) -> Any:
    return {"model": "qwen3", "created_at": "2026-01-01T00:00:00Z", "message": message, "done": False, **more}


def lines(*events: Any) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def read(data: bytes, size: int = 1) -> Any:
    """The answer that a stream tells, given in pieces."""
    reader, assembler = made().reader(), StreamAssembler()
    for i in range(0, len(data), size):
        assembler.feed_all(reader.feed(data[i : i + size]))
    assembler.feed_all(reader.finish())
    reader.check()
    return assembler.so_far()


# -- fields ------------------------------------------------------------------------------------------------------------


def test_ollama_needs_no_key_and_is_asked_at_its_own_door() -> None:
    provider = made()
    assert provider.validate() is None
    assert provider.chat_url == "http://localhost:11434/api/chat"
    assert made(api_key="key-0123456789").headers["Authorization"] == "Bearer key-0123456789"


def test_nothing_is_said_that_was_not_asked() -> None:
    assert sent(n=1, tools=[], temperature=None, store=False) == {"model": "qwen3", "messages": HI, "stream": False}


def test_limits_are_options() -> None:
    body = sent(max_tokens=7, temperature=0, top_p=0.5, top_k=9, seed=1, stop="|", presence_penalty=1)
    assert body["options"] == {
        "num_predict": 7,
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 9,
        "seed": 1,
        "presence_penalty": 1,
        "stop": ["|"],
    }
    assert sent(max_completion_tokens=8, stop=["a", "b"])["options"] == {"num_predict": 8, "stop": ["a", "b"]}


def test_options_of_the_entry_hold_where_the_chat_does_not_say_otherwise() -> None:
    provider = made(options={"num_ctx": 8192, "temperature": 1, "top_k": 3}, keep_alive="1h")
    body = sent(provider=provider, temperature=0, options={"top_k": 4})
    assert body["options"] == {"num_ctx": 8192, "temperature": 0, "top_k": 4}
    assert body["keep_alive"] == "1h"
    assert sent(provider=provider, keep_alive=0)["keep_alive"] == 0


def test_ollamas_own_fields_pass() -> None:
    own: Any = {"think": "high", "format": {"type": "object"}, "keep_alive": "5m", "logprobs": True, "top_logprobs": 2}
    assert sent(**own, reasoning_effort="low") == {"model": "qwen3", "messages": HI, "stream": False, **own}


@pytest.mark.parametrize(
    ("model", "asked", "think"),
    [
        ("qwen3", {"reasoning_effort": "none"}, False),
        ("qwen3", {"reasoning_effort": "low"}, True),
        ("qwen3", {"enable_thinking": True}, True),
        ("qwen3", {"enable_thinking": False}, False),
        ("gpt-oss:20b", {"reasoning_effort": "minimal"}, "low"),
        ("gpt-oss:20b", {"reasoning_effort": "medium"}, "medium"),
        ("gpt-oss:20b", {"reasoning_effort": "xhigh"}, "high"),
    ],
)
def test_effort_is_thinking(model: str, asked: Any, think: Any) -> None:
    assert sent(model=model, **asked)["think"] == think


def test_a_model_that_cannot_think_is_not_told_to() -> None:
    provider = made(models={"llama": {"id": "llama", "name": "L", "reasoning": False}})
    assert "think" not in sent(provider=provider, model="llama", reasoning_effort="low")


@pytest.mark.parametrize(
    ("asked", "format"),
    [
        ({"type": "json_object"}, "json"),
        ({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}, {"type": "object"}),
    ],
)
def test_a_format_is_json_or_a_schema(asked: Any, format: Any) -> None:
    assert sent(response_format=asked)["format"] == format
    assert "format" not in sent(response_format={"type": "text"})


def test_tools_are_told_unless_none_may_be_called() -> None:
    assert sent(tools=[LOOK], tool_choice="auto")["tools"] == [LOOK]
    assert "tools" not in sent(tools=[LOOK], tool_choice="none")


@pytest.mark.parametrize(
    "asked",
    [
        {"tools": [LOOK], "tool_choice": "required"},
        {"tools": [{"type": "web_search"}]},
        {"user": "u"},
        {"n": 2},
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "SUQz"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]},
    ],
)
def test_what_ollama_cannot_be_told_is_refused_where_the_entry_says_so(asked: Any) -> None:
    chat: Any = {"model": "qwen3", "messages": HI, **asked}
    with pytest.raises(RequestError, match="Acme cannot be told"):
        made(unsupported="error").request_body(chat, stream=False)
    assert made().request_body(chat, stream=False)["messages"][0]["content"] in ("Hi", "")


# -- messages ----------------------------------------------------------------------------------------------------------


def test_texts_are_one_text_and_images_stand_beside_it() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": "Look: "}, image, {"type": "text", "text": "what?"}]
    assert sent({"role": "user", "content": content})["messages"] == [
        {"role": "user", "content": "Look: what?", "images": ["AAAA"]}
    ]


@pytest.mark.parametrize(
    ("chat", "name"),
    [
        ({"messages": [{"role": "user", "content": "Hi", "name": "Ann"}]}, "messages.name"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {}}]}]}, "cache_"),
        ({"tools": [{**LOOK, "cache_control": {"type": "ephemeral"}}]}, "cache_control"),
    ],
)
def test_fields_that_ollama_has_no_words_for_are_told(chat: Any, name: str) -> None:
    asked: Any = {"model": "qwen3", "messages": HI, **chat}
    with pytest.raises(RequestError, match=name):
        made(unsupported="error").request_body(asked, stream=False)


@pytest.mark.parametrize("said", [{"refusal": "No."}, {"content": [{"type": "refusal", "refusal": "No."}]}])
def test_a_refusal_is_text(said: Any) -> None:
    assert sent(*HI, {"role": "assistant", **said})["messages"][1]["content"] == "No."


def test_a_developer_is_the_system() -> None:
    assert sent({"role": "developer", "content": "Be kind."})["messages"] == [{"role": "system", "content": "Be kind."}]


def test_a_tool_loop_is_said_with_objects_and_names() -> None:
    earlier = {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "blue"}]}
    assert sent(*HI, earlier, result)["messages"][1:] == [
        {
            "role": "assistant",
            "content": "",
            "thinking": "Hm.",
            "tool_calls": [{"id": "call_1", "function": {"name": "look", "arguments": {"at": "sky"}}}],
        },
        {"role": "tool", "content": "blue", "tool_name": "look", "tool_call_id": "call_1"},
    ]


def test_calls_without_ids_and_arguments_that_are_not_json_are_said() -> None:
    call = {"function": {"name": "look", "arguments": "sky"}}
    result = {"role": "tool", "content": "blue", "name": "look"}
    _, second, third = sent(*HI, {"role": "assistant", "tool_calls": [call]}, result)["messages"]
    assert second["tool_calls"] == [{"function": {"name": "look", "arguments": {"arguments": "sky"}}}]
    assert third == {"role": "tool", "content": "blue", "tool_name": "look"}


# -- answers -----------------------------------------------------------------------------------------------------------


def test_an_answer_is_read() -> None:
    message = {"role": "assistant", "content": "Blue.", "thinking": "Hm."}
    tokens = [{"token": "Blue", "logprob": -0.1}]
    completion: Any = made().completion(told(message, **ENDS, logprobs=tokens))
    assert completion["model"] == "qwen3"
    assert completion["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Blue.", "reasoning_content": "Hm."},
            "finish_reason": "stop",
            "logprobs": {"content": tokens},
        }
    ]
    assert completion["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert (completion["total_duration"], completion["eval_duration"]) == (9, 5)


@pytest.mark.parametrize(("told_reason", "reason"), [("stop", "stop"), ("length", "length"), (None, "stop")])
def test_why_it_ended_is_told(told_reason: Any, reason: str) -> None:
    completion: Any = made().completion(told({"content": "Hi"}, **{**ENDS, "done_reason": told_reason}))
    assert completion["choices"][0]["finish_reason"] == reason


def test_calls_get_ids_where_ollama_gives_none() -> None:
    completion: Any = made().completion(told(CALLS, **ENDS))
    choice = completion["choices"][0]
    (call,) = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert call["id"].startswith("call_")
    assert call["function"] == {"name": "look", "arguments": '{"at":"sky"}'}


@pytest.mark.parametrize("body", [b'{"done":true}', b'{"message":{"tool_calls":[{}]},"done":true}'])
def test_an_answer_in_another_form_is_an_error(body: bytes) -> None:
    with pytest.raises(ProviderError, match="Acme answered in a form that cannot be read"):
        made().parse_response(body)


# -- streams -----------------------------------------------------------------------------------------------------------

PIECE = told({"role": "assistant", "content": "Grün"}, logprobs=[{"token": "Grün", "logprob": -1}])
STREAM = (told(THINKS), PIECE, told(CALLS), told(CALLS), told({"content": ""}, **ENDS))


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_stream_is_read_however_it_is_cut(size: int) -> None:
    completion = read(lines(*STREAM), size)
    choice = completion["choices"][0]
    message = choice["message"]
    assert (message["content"], message["reasoning_content"], choice["finish_reason"]) == ("Grün", "Hm.", "tool_calls")
    first, second = message["tool_calls"]
    assert first["function"] == second["function"] == {"name": "look", "arguments": '{"at":"sky"}'}
    assert first["id"] != second["id"]
    assert choice["logprobs"]["content"] == [{"token": "Grün", "logprob": -1}]
    assert completion["usage"]["total_tokens"] == 7
    assert completion["eval_duration"] == 5


def test_the_last_line_may_lack_its_end() -> None:
    assert read(lines(PIECE, told({}, **ENDS))[:-1])["choices"][0]["finish_reason"] == "stop"


def test_a_stream_that_is_not_done_was_cut() -> None:
    with pytest.raises(ProviderError, match="ended its stream before the answer was complete"):
        read(lines(PIECE))


def test_an_error_in_a_line_is_raised_after_what_came_before() -> None:
    reader = made().reader()
    (first, second) = reader.feed(lines(PIECE, {"error": "model runner has unexpectedly stopped"}))
    assert second.chunk["choices"][0]["delta"]["content"] == "Grün"
    assert first.chunk["choices"][0]["delta"]["role"] == "assistant"
    with pytest.raises(ProviderError, match="Acme: model runner has unexpectedly stopped"):
        reader.check()


# -- which models ------------------------------------------------------------------------------------------------------

TAGS = json.dumps({"models": [{"name": "qwen3:latest"}, {"name": "llama2:7b"}]}).encode()
SEES = {"capabilities": ["completion", "vision", "thinking"], "model_info": {"qwen3.context_length": 40960}}


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(Limits(client_timeout=5))
    yield client
    await client.close()


async def loaded(http: HttpClient, upstream: FakeUpstream, **entry: Any) -> OllamaNativeProvider:
    provider = made(api=upstream.url, **entry)
    provider.http = http
    await provider.load()
    return provider


async def test_it_tells_its_models_and_what_they_can_do(http: HttpClient, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(TAGS)
    fake_upstream.enqueue(json.dumps(SEES).encode())
    fake_upstream.enqueue(b'{"error":"not found"}', status=404)
    provider = await loaded(http, fake_upstream)
    assert provider.models == {
        "qwen3": {
            "id": "qwen3",
            "name": "qwen3",
            "modalities": {"input": ["text", "image"], "output": ["text"]},
            "tool_call": False,
            "reasoning": True,
            "cost": {"input": 0, "output": 0},
            "limit": {"context": 40960},
        },
        "llama2:7b": {
            "id": "llama2:7b",
            "name": "llama2:7b",
            "modalities": {"input": ["text"], "output": ["text"]},
            "tool_call": True,
            "cost": {"input": 0, "output": 0},
        },
    }
    asked = [(request.method, request.path, request.body) for request in fake_upstream.requests]
    assert asked[0][:2] == ("GET", "/v1/api/tags")
    assert asked[1:] == [
        ("POST", "/v1/api/show", {"model": "qwen3"}),
        ("POST", "/v1/api/show", {"model": "llama2:7b"}),
    ]


async def test_one_that_does_not_answer_has_no_models(http: HttpClient, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b"<html>", status=502)
    assert (await loaded(http, fake_upstream)).models == {}


async def test_models_of_the_entry_are_not_asked_for(http: HttpClient, fake_upstream: FakeUpstream) -> None:
    assert [*(await loaded(http, fake_upstream, models={"mine": {}})).models] == ["mine"]
    assert fake_upstream.requests == []


# -- going on with a text ----------------------------------------------------------------------------------------------


def goes_on(*messages: Any, **fields: Any) -> Any:
    chat: Any = {"model": "base", "messages": [*messages], **fields}
    return OllamaGenerateProvider(id="acme", name="Acme").request_body(chat, stream=False)


def test_messages_are_one_text_but_for_those_of_the_system() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    body = goes_on(
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "One"}, image]},
        {"role": "assistant", "content": "Two"},
        temperature=0,
        raw=True,
        suffix="end",
    )
    assert body == {
        "model": "base",
        "stream": False,
        "prompt": "One\n\nTwo",
        "system": "Be kind.",
        "images": ["AAAA"],
        "options": {"temperature": 0},
        "raw": True,
        "suffix": "end",
    }


def test_a_text_is_told_of_no_tools(caplog: pytest.LogCaptureFixture) -> None:
    body = goes_on(*HI, {"role": "assistant", "tool_calls": [CALL]}, tools=[LOOK])
    assert body == {"model": "base", "stream": False, "prompt": "Hi"}
    assert "Acme cannot be told tools" in caplog.text
    assert "Acme cannot be told messages.tool_calls" in caplog.text


def test_what_follows_a_text_is_read() -> None:
    provider = OllamaGenerateProvider(id="acme", name="Acme")
    whole: Any = provider.completion({"model": "base", "response": " there", "thinking": "Hm.", **ENDS, "context": [1]})
    assert whole["choices"][0]["message"] == {"role": "assistant", "content": " there", "reasoning_content": "Hm."}
    reader, assembler = provider.reader(), StreamAssembler()
    assembler.feed_all(reader.feed(lines({"response": " th"}, {"response": "ere"}, {"response": "", **ENDS})))
    reader.check()
    choice = assembler.so_far()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == (" there", "stop")
    assert provider.chat_url == "http://localhost:11434/api/generate"


# -- through a server --------------------------------------------------------------------------------------------------


def install(ctx: ExtensionContext) -> None:
    ctx.add_provider(OllamaNativeProvider)


def config(upstream: FakeUpstream) -> Any:
    models = {"qwen3": {"id": "qwen3", "name": "Qwen 3"}}
    return {"providers": {"acme": {"npm": "ollama/native", "api": upstream.url, "models": models}}}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_loop_keeps_its_thoughts(fake_upstream: FakeUpstream, stream: bool) -> None:
    if stream:
        events = (told(THINKS), told(CALLS), told({"content": ""}, **ENDS))
        fake_upstream.enqueue(lines(*events), headers={"Content-Type": "application/x-ndjson"})
    else:
        fake_upstream.enqueue(lines(told({**THINKS, **CALLS}, **ENDS)))
    fake_upstream.enqueue(lines(told({"role": "assistant", "content": "Blue."}, **ENDS)))
    async with make_app(install, config=config(fake_upstream)) as server:
        reply = await server.chat(model="qwen3", tools=[LOOK], stream=stream)
        assembler = StreamAssembler()
        for chunk in reply.chunks:
            assembler.feed(chunk)  # type: ignore[arg-type]
        message: Any = assembler.message() if stream else reply.body["choices"][0]["message"]
        result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "blue"}
        asked = {"model": "qwen3", "tools": [LOOK], "messages": [*HI, message, result]}
        reply = await server.post("/v1/chat/completions", asked)
    assert reply.body["choices"][0]["message"]["content"] == "Blue."
    first, second = fake_upstream.requests
    assert first.path == "/v1/api/chat"
    assert "Authorization" not in first.headers
    _, answered, tool = second.body["messages"]
    assert answered["thinking"] == "Hm."
    assert answered["tool_calls"][0]["function"] == {"name": "look", "arguments": {"at": "sky"}}
    assert (tool["tool_name"], tool["content"]) == ("look", "blue")


async def test_ollamas_errors_are_told(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b'{"error":"model \\"qwen3\\" not found, try pulling it first"}', status=404)
    async with make_app(install, config=config(fake_upstream)) as server:
        reply = await server.chat(model="qwen3")
    assert "try pulling it first" in reply.body["error"]["message"]
