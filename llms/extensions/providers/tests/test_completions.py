"""OpenAI's Completions: what is sent, what is read, and all of it through a server."""

import json
from typing import Any

import pytest

from llms.api import ExtensionContext, ProviderError, RequestError, StreamAssembler
from llms.extensions.providers.completions import CompletionsProvider
from llms.testing import FakeUpstream, make_app

HI: Any = [{"role": "user", "content": "Once upon"}]
LOGPROBS = {
    "tokens": [" a", " time"],
    "token_logprobs": [None, -0.5],
    "top_logprobs": [None, {" time": -0.5, " hill": -2}],
    "text_offset": [0, 2],
}


def made(**entry: Any) -> CompletionsProvider:
    return CompletionsProvider(**{"id": "acme", "name": "Acme", **entry})


def sent(*messages: Any, stream: bool = False, **fields: Any) -> Any:
    chat: Any = {"model": "base", "messages": [*messages] or HI, **fields}
    return made().request_body(chat, stream=stream)


def answer(*choices: Any) -> Any:
    usage = {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}
    return {"id": "cmpl-1", "object": "text_completion", "model": "base", "choices": [*choices], "usage": usage}


def choice(text: str, index: int = 0, **more: Any) -> Any:
    return {"text": text, "index": index, "finish_reason": "stop", "logprobs": None, **more}


@pytest.mark.parametrize(("env", "is_ready"), [([], True), (["ACME_KEY"], False)])
def test_a_key_is_needed_where_the_entry_names_one(
    monkeypatch: pytest.MonkeyPatch, env: list[str], is_ready: bool
) -> None:
    monkeypatch.delenv("ACME_KEY", raising=False)
    assert made(env=env).test() is is_ready
    assert made(env=env, api_key="key-0123456789").test()


def test_what_the_messages_say_is_the_prompt() -> None:
    parts = [{"type": "text", "text": "upon "}, {"type": "text", "text": "a time"}]
    body = sent({"role": "system", "content": "Once"}, {"role": "user", "content": parts}, {"role": "assistant"})
    assert body == {"model": "base", "prompt": "Once\n\nupon a time"}


def test_fields_pass() -> None:
    same: Any = {"temperature": 0, "n": 2, "stop": ["|"], "seed": 1, "suffix": "end", "echo": True}
    assert sent(**same, max_completion_tokens=7, logprobs=True, top_logprobs=3) == {
        "model": "base",
        "prompt": "Once upon",
        "max_tokens": 7,
        "logprobs": 3,
        **same,
    }
    assert sent(logprobs=True)["logprobs"] == 1
    assert "logprobs" not in sent(logprobs=False)
    assert sent(stream=True)["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    "asked",
    [
        {"tools": [{"type": "function", "function": {"name": "look"}}]},
        {"response_format": {"type": "json_object"}},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y"}}]}]},
        {"messages": [{"role": "assistant", "tool_calls": [{}]}]},
    ],
)
def test_what_a_text_cannot_say_is_refused_where_the_entry_says_so(asked: Any) -> None:
    chat: Any = {"model": "base", "messages": HI, **asked}
    with pytest.raises(RequestError, match="Acme cannot be told"):
        made(unsupported="error").request_body(chat, stream=False)


def test_every_choice_is_a_message() -> None:
    completion: Any = made().completion(answer(choice(" a time"), choice(" a hill", 1, finish_reason="length")))
    assert completion["object"] == "chat.completion"
    assert completion["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": " a time"}, "finish_reason": "stop"},
        {"index": 1, "message": {"role": "assistant", "content": " a hill"}, "finish_reason": "length"},
    ]
    assert completion["usage"]["total_tokens"] == 4


def test_logprobs_are_a_list_of_tokens() -> None:
    completion: Any = made().completion(answer(choice(" a time", logprobs=LOGPROBS)))
    first, second = completion["choices"][0]["logprobs"]["content"]
    assert first == {"token": " a", "logprob": 0.0, "bytes": None, "top_logprobs": []}
    assert (second["token"], second["logprob"]) == (" time", -0.5)
    assert [top["token"] for top in second["top_logprobs"]] == [" time", " hill"]


@pytest.mark.parametrize("body", [b"{}", b'{"choices":[{}]}', b'{"choices":7}'])
def test_an_answer_in_another_form_is_an_error(body: bytes) -> None:
    with pytest.raises(ProviderError, match="Acme answered in a form that cannot be read"):
        made().parse_response(body)


def test_a_stream_is_read() -> None:
    events = (
        answer(choice(" a", finish_reason=None)) | {"usage": None},
        answer(choice(" b", 1, finish_reason="")) | {"usage": None},
        answer(choice(" time", finish_reason="length")) | {"usage": None},
        answer(choice("", 1)) | {"usage": None},
        answer(),
    )
    reader, assembler = made().reader(), StreamAssembler()
    for event in events:
        assembler.feed_all(reader.feed(b"data: " + json.dumps(event).encode() + b"\n\n"))
    assembler.feed_all(reader.feed(b"data: [DONE]\n\n"))
    reader.check()
    completion = assembler.so_far()
    told = [(one["message"]["role"], one["message"]["content"], one["finish_reason"]) for one in completion["choices"]]
    assert told == [("assistant", " a time", "length"), ("assistant", " b", "stop")]
    assert completion["usage"]["total_tokens"] == 4


def install(ctx: ExtensionContext) -> None:
    ctx.add_provider(CompletionsProvider)


async def test_a_text_goes_on_through_a_server(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(json.dumps(answer(choice(" a time"))).encode())
    models = {"base": {"id": "base", "name": "Base"}}
    config = {"providers": {"acme": {"npm": "openai/completions", "api": fake_upstream.url, "models": models}}}
    async with make_app(install, config=config) as server:
        reply = await server.chat("Once upon", model="base")
    assert reply.text == " a time"
    (request,) = fake_upstream.requests
    assert (request.path, request.body) == ("/v1/completions", {"model": "base", "prompt": "Once upon"})
