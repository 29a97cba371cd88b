"""Bedrock's InvokeModel API: each maker's own words, sent and read."""

import base64
import json
from typing import Any

import pytest

from llms.api import ExtensionContext, ProviderError, StreamAssembler
from llms.extensions.providers.bedrock_invoke import BedrockInvokeProvider
from llms.extensions.providers.tests.bedrock_samples import CLAUDE, HI, LOOK, NOVA, exception, frame
from llms.testing import FakeUpstream, make_app

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Ho"},
    {"role": "user", "content": [{"type": "text", "text": "And?"}]},
]
LIMITS: Any = {"max_tokens": 9, "temperature": 0.5, "top_p": 0.7, "stop": "|"}


def made(**entry: Any) -> BedrockInvokeProvider:
    return BedrockInvokeProvider(**{"id": "acme", "api_key": "key-0123456789", **entry})


def sent(model: str, messages: Any = HI, **chat: Any) -> Any:
    asked: Any = {"model": model, "messages": messages, **chat}
    return json.loads(made().build_request(asked, stream=True))


def whole(answer: Any) -> Any:
    return made().parse_response(json.dumps(answer).encode())


def streamed(*events: Any) -> Any:
    """The completion that a stream of these events is, each as a maker says it."""
    reader, assembler = made().reader(), StreamAssembler()
    said = [{"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abc"} for event in events]
    assembler.feed_all(reader.feed(b"".join(frame("chunk", one) for one in said)))
    reader.check()
    return assembler.so_far()


def told(completion: Any) -> tuple[Any, Any, Any]:
    """Text, finish reason and counts of the first answer."""
    (choice, *_), usage = completion["choices"], completion.get("usage")
    counts = usage and (usage["prompt_tokens"], usage["completion_tokens"])
    return choice["message"]["content"], choice["finish_reason"], counts


async def test_the_url_says_model_and_whether_to_stream() -> None:
    asked: Any = {"model": NOVA, "messages": HI}
    urls = [(await made().destination(asked, b"", stream=stream))[0].raw_path for stream in (False, True)]
    assert urls == [f"/model/us.amazon.nova-2-lite-v1%3A0/{verb}" for verb in ("invoke", "invoke-with-response-stream")]


# -- requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "prompt", "limits"),
    [
        (
            "amazon.titan-text-express-v1",
            {"inputText": "Be brief.\nUser: Hi\nBot: Ho\nUser: And?\nBot:"},
            {"textGenerationConfig": {"maxTokenCount": 9, "temperature": 0.5, "topP": 0.7, "stopSequences": ["|"]}},
        ),
        (
            "anthropic.claude-instant-v1",
            {"prompt": "\n\nBe brief.\n\nHuman: Hi\n\nAssistant: Ho\n\nHuman: And?\n\nAssistant:"},
            {"max_tokens_to_sample": 9, "temperature": 0.5, "top_p": 0.7, "stop_sequences": ["|"]},
        ),
        (
            "cohere.command-light-text-v14",
            {"prompt": "Be brief.\nUser: Hi\nBot: Ho\nUser: And?\nBot:"},
            {"max_tokens": 9, "temperature": 0.5, "p": 0.7, "stop_sequences": ["|"]},
        ),
        (
            "cohere.command-r-v1:0",
            {
                "message": "And?",
                "chat_history": [
                    {"role": "SYSTEM", "message": "Be brief."},
                    {"role": "USER", "message": "Hi"},
                    {"role": "CHATBOT", "message": "Ho"},
                ],
            },
            {"max_tokens": 9, "temperature": 0.5, "p": 0.7, "stop_sequences": ["|"]},
        ),
        (
            "mistral.mistral-7b-instruct-v0:2",
            {"prompt": "<s>[INST] Be brief.\nHi [/INST] Ho</s>[INST] And? [/INST]"},
            {"max_tokens": 9, "temperature": 0.5, "top_p": 0.7, "stop": ["|"]},
        ),
        (
            "meta.llama3-8b-instruct-v1:0",
            {
                "prompt": "<|begin_of_text|>"
                "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
                "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\n\nHo<|eot_id|>"
                "<|start_header_id|>user<|end_header_id|>\n\nAnd?<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\n\n"
            },
            {"max_gen_len": 9, "temperature": 0.5, "top_p": 0.7},
        ),
        (
            "ai21.j2-mid-v1",
            {"prompt": "Be brief.\nUser: Hi\nBot: Ho\nUser: And?\nBot:"},
            {"maxTokens": 9, "temperature": 0.5, "topP": 0.7, "stopSequences": ["|"]},
        ),
    ],
)
def test_a_model_that_completes_a_text_is_given_one(model: str, prompt: Any, limits: Any) -> None:
    assert sent(model, TALK, **LIMITS) == {**prompt, **limits}


def test_one_message_is_the_text_itself() -> None:
    assert sent("amazon.titan-text-lite-v1", max_completion_tokens=7) == {
        "inputText": "Hi",
        "textGenerationConfig": {"maxTokenCount": 7},
    }


def test_what_a_completer_has_no_words_for_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert sent("amazon.titan-text-lite-v1", tools=[LOOK], n=1) == {"inputText": "Hi"}
    assert sent("meta.llama2-13b-chat-v1", stop="|") == {"prompt": "<s>[INST] Hi [/INST]"}
    assert [line.partition(":")[0] for line in caplog.messages] == [
        *("Acme cannot be told tools", "Acme cannot be told stop")
    ]


def test_pictures_cannot_be_told_to_a_completer(caplog: pytest.LogCaptureFixture) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    said = {"role": "user", "content": [{"type": "text", "text": "Hi"}, picture, picture]}
    assert sent("amazon.titan-text-lite-v1", [said]) == {"inputText": "Hi"}
    assert caplog.messages == ["Acme cannot be told image_url: left out of its requests."]


def test_claude_is_spoken_to_as_anthropic_does() -> None:
    body = sent(CLAUDE, max_tokens=9, betas=["context-1m-2025-08-07"])
    assert body["anthropic_version"] == "bedrock-2023-05-31"
    assert body["anthropic_beta"] == ["context-1m-2025-08-07"]
    assert body["max_tokens"] == 9
    assert body.keys().isdisjoint(("model", "stream"))


def test_nova_is_spoken_to_as_converse_does() -> None:
    body = sent(NOVA, max_tokens=9, reasoning_effort="low")
    assert body == {
        "schemaVersion": "messages-v1",
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "inferenceConfig": {"maxTokens": 9},
        "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"},
    }


def test_all_others_are_spoken_to_in_openais_words() -> None:
    assert sent("ai21.jamba-1-5-mini-v1:0", max_tokens=9, tools=[LOOK]) == {
        "messages": HI,
        "max_tokens": 9,
        "tools": [LOOK],
    }


# -- answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {
                "inputTextTokenCount": 5,
                "results": [{"tokenCount": 3.0, "outputText": "Hi", "completionReason": "LENGTH"}],
            },
            ("Hi", "length", (5, 3)),
        ),
        ({"generations": [{"text": "Hi", "finish_reason": "MAX_TOKENS"}, {"text": "Ho"}]}, ("Hi", "length", None)),
        ({"text": "Hi", "finish_reason": "COMPLETE", "chat_history": []}, ("Hi", "stop", None)),
        ({"outputs": [{"text": "Hi", "stop_reason": "stop"}]}, ("Hi", "stop", None)),
        (
            {"generation": "Hi", "prompt_token_count": 5, "generation_token_count": 3, "stop_reason": "stop"},
            ("Hi", "stop", (5, 3)),
        ),
        ({"completions": [{"data": {"text": "Hi"}, "finishReason": {"reason": "length"}}]}, ("Hi", "length", None)),
        ({"completion": "Hi", "stop_reason": "stop_sequence", "stop": "\n\nHuman:"}, ("Hi", "stop", None)),
        (
            {
                "output": {"message": {"content": [{"text": "Hi"}]}},
                "stopReason": "max_tokens",
                "usage": {"inputTokens": 5},
            },
            ("Hi", "length", (5, 0)),
        ),
        (
            {"type": "message", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"},
            ("Hi", "stop", None),
        ),
        ({"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}, ("Hi", "stop", None)),
        ({"choices": [{"text": "Hi", "stop_reason": "length"}]}, ("Hi", "length", None)),
    ],
)
def test_every_makers_answer_is_known_by_its_form(answer: Any, expected: Any) -> None:
    assert told(whole(answer)) == expected


METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 5, "outputTokenCount": 3}}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([{"outputText": "Hi", "index": 0, "completionReason": "FINISH", **METRICS}], ("Hi", "stop", (5, 3))),
        (
            [
                {"generation": "H", "prompt_token_count": 5, "generation_token_count": 1, "stop_reason": None},
                {"generation": "i", "generation_token_count": 2, "stop_reason": "length", **METRICS},
            ],
            ("Hi", "length", (5, 3)),
        ),
        (
            [
                {"index": 0, "is_finished": False, "text": "Hi"},
                {"index": 1, "is_finished": False, "text": "Ho"},
                {"is_finished": True, "finish_reason": "MAX_TOKENS", **METRICS},
            ],
            ("Hi", "length", (5, 3)),
        ),
        ([{"outputs": [{"text": "Hi", "stop_reason": "stop"}]}], ("Hi", "stop", None)),
        ([{"outputText": "No.", "amazon-bedrock-guardrailAction": "INTERVENED"}], ("No.", "content_filter", None)),
        (
            [
                {"messageStart": {"role": "assistant"}},
                {"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 0}},
                {"contentBlockStop": {"contentBlockIndex": 0}},
                {"messageStop": {"stopReason": "end_turn"}},
                {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 3}}},
            ],
            ("Hi", "stop", (5, 3)),
        ),
        (
            [
                {"type": "message_start", "message": {"usage": {"input_tokens": 5}}},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
                {"type": "content_block_stop", "index": 0},
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
                {"type": "message_stop", **METRICS},
            ],
            ("Hi", "stop", (5, 3)),
        ),
        (
            [{"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}],
            ("Hi", "stop", None),
        ),
    ],
)
def test_every_makers_stream_is_known_by_its_form(events: Any, expected: Any) -> None:
    assert told(streamed(*events)) == expected


def test_an_answer_in_no_known_form_is_an_error() -> None:
    with pytest.raises(ProviderError, match=r"in no form that is known\. Ask Converse"):
        whole({"embedding": [1, 2]})


@pytest.mark.parametrize("payload", [{"bytes": "%"}, {"bytes": "QUJD"}, {"bytes": "W10="}, {}])
def test_a_damaged_chunk_is_an_error(payload: Any) -> None:
    reader = made().reader()
    reader.feed(frame("chunk", payload))
    with pytest.raises(ProviderError, match="Acme answered in a form that cannot be read"):
        reader.check()


def test_an_exception_is_an_error_with_its_status() -> None:
    reader = made().reader()
    reader.feed(exception("modelTimeoutException", b'{"message": "Too slow."}'))
    with pytest.raises(ProviderError, match="Acme: Too slow") as raised:
        reader.check()
    assert raised.value.upstream_status == 408


# -- through a server ----------------------------------------------------------------------------------------------


def install(ctx: ExtensionContext) -> None:
    ctx.add_provider(BedrockInvokeProvider)


async def test_it_answers_through_a_server(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b'{"generation": "Hi", "prompt_token_count": 5, "generation_token_count": 3}')
    llama = "meta.llama3-8b-instruct-v1:0"
    entry = {"npm": "amazon-bedrock/invoke", "api": fake_upstream.url, "api_key": "key-0123456789"}
    config = {"providers": {"acme": {**entry, "models": {llama: {"id": llama, "name": "Llama"}}}}}
    async with make_app(install, config=config) as server:
        reply = await server.post("/v1/chat/completions", {"model": llama, "messages": HI})
    assert told(reply.body) == ("Hi", "stop", (5, 3))
    assert fake_upstream.requests[0].path == f"/v1/model/{llama}/invoke"
