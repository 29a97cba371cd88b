"""What an answer of Bedrock's Converse API says, whole and streamed."""

import json
from typing import Any

import pytest

from llms.api import ProviderError, StreamAssembler, StreamCut
from llms.extensions.providers.tests.bedrock_samples import (
    ANSWER,
    HI,
    PNG,
    REDACTED,
    SERVER,
    SIGNED,
    STREAM,
    USAGE,
    exception,
    frame,
    made,
    pieces,
    sent,
)


def answered(*content: Any, reason: str = "end_turn", **more: Any) -> Any:
    """The completion that such an answer is."""
    answer = {"output": {"message": {"role": "assistant", "content": list(content)}}, "stopReason": reason, **more}
    return made().parse_response(json.dumps({"usage": USAGE, **answer}).encode())


def streamed(*frames: bytes) -> Any:
    """The completion that such a stream is, and its deltas. Raises what it ends with."""
    reader, assembler = made().reader(), StreamAssembler()
    events = [*reader.feed(b"".join(frames)), *reader.finish()]
    assembler.feed_all(events)
    reader.check()
    deltas = [choice["delta"] for event in events for choice in event.chunk.get("choices", [])]
    return assembler.so_far(), deltas


@pytest.mark.parametrize("how", ["whole", "streamed"])
def test_an_answer_says_the_same_whole_and_streamed(how: str) -> None:
    if how == "whole":
        completion = answered(*ANSWER, reason="tool_use", serviceTier={"type": "flex"})
    else:
        completion, _ = streamed(*STREAM)
    (choice,) = completion["choices"]
    message = choice["message"]
    (call,) = message.pop("tool_calls")
    assert (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) == (
        *("tooluse_1", "look", {"at": "sky"}),
    )
    assert message == {
        "role": "assistant",
        "content": "It is blue",
        "reasoning_content": "Hm.",
        "reasoning_details": [SIGNED, REDACTED],
        "annotations": [
            {
                "type": "url_citation",
                "url_citation": {
                    "url": "https://example.com/a",
                    "title": "example.com",
                    "start_index": 6,
                    "end_index": 10,
                    "content": "It is blue.",
                },
            },
            {"type": "url_citation", "url_citation": {"url": "", "title": "facts", "start_index": 6, "end_index": 10}},
        ],
        "images": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}],
    }
    assert choice["finish_reason"] == "tool_calls"
    assert completion["service_tier"] == "flex"
    assert completion["usage"] == {
        "prompt_tokens": 103,
        "completion_tokens": 5,
        "total_tokens": 108,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 40},
    }


def test_a_stream_tells_text_as_it_comes() -> None:
    _, deltas = streamed(*STREAM)
    assert [delta["content"] for delta in deltas if delta.get("content")] == ["It ", "is ", "bl", "ue"]
    assert [delta["reasoning_content"] for delta in deltas if "reasoning_content" in delta] == ["H", "m."]


def test_a_tool_call_without_arguments_has_none() -> None:
    completion, _ = streamed(
        pieces(0, start={"toolUse": {"toolUseId": "t", "name": "roll"}}),
        frame("messageStop", {"stopReason": "tool_use"}),
    )
    assert completion["choices"][0]["message"]["tool_calls"][0]["function"] == {"name": "roll", "arguments": ""}


@pytest.mark.parametrize("how", ["whole", "streamed"])
def test_tools_that_bedrock_ran_are_no_calls_but_kept(how: str) -> None:
    if how == "whole":
        completion = answered(*SERVER)
    else:
        used = {"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "type": "server_tool_use"}}
        gave = {"toolResult": {"toolUseId": "s1", "type": "nova_grounding_result"}}
        completion, _ = streamed(
            pieces(0, {"toolUse": {"input": "{}"}}, start=used),
            pieces(1, {"toolResult": [{"text": "[HIDDEN]"}]}, start=gave),
            pieces(2, {"text": "4.0"}),
            frame("messageStop", {"stopReason": "end_turn"}),
        )
    (choice,) = completion["choices"]
    assert choice["finish_reason"] == "stop"
    kept = choice["message"].pop("provider_metadata")
    assert choice["message"] == {"role": "assistant", "content": "4.0"}
    assert kept == {"bedrock": {"content": SERVER}}


def test_reasoning_between_other_blocks_keeps_its_place() -> None:
    content = [ANSWER[2], ANSWER[0], ANSWER[4]]
    message = answered(*content, reason="tool_use")["choices"][0]["message"]
    assert sent(*HI, message, *HI)["messages"][1]["content"] == content


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "stop"),  # none of the client's was called
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("something_new", "stop"),
    ],
)
def test_every_reason_to_stop_has_a_finish_reason(reason: str, finish: str) -> None:
    assert answered({"text": "x"}, reason=reason)["choices"][0]["finish_reason"] == finish


def test_a_model_that_calls_and_says_it_has_ended_still_calls() -> None:
    assert answered(ANSWER[4])["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("reason", ["malformed_model_output", "malformed_tool_use"])
def test_a_malformed_answer_is_an_error(reason: str) -> None:
    with pytest.raises(ProviderError, match=f"malformed .{reason}.. Try again."):
        answered({"text": "x"}, reason=reason)
    with pytest.raises(ProviderError, match="malformed"):
        streamed(pieces(0, {"text": "x"}), frame("messageStop", {"stopReason": reason}))


def test_a_guardrails_trace_is_told() -> None:
    trace = {"guardrail": {"actionReason": "Masked."}}
    assert answered({"text": "x"}, trace=trace)["trace"] == trace
    stop = frame("messageStop", {"stopReason": "end_turn"})
    completion, _ = streamed(pieces(0, {"text": "x"}), stop, frame("metadata", {"usage": USAGE, "trace": trace}))
    assert completion["trace"] == trace


def test_fields_of_the_model_that_were_asked_for_are_told() -> None:
    told = answered({"text": "x"}, additionalModelResponseFields={"stop_sequence": "|"})["choices"][0]["message"]
    assert told["provider_metadata"] == {"bedrock": {"additionalModelResponseFields": {"stop_sequence": "|"}}}


# -- failures ----------------------------------------------------------------------------------------------------------


def test_an_exception_in_a_stream_is_an_error_after_what_came_before() -> None:
    reader = made().reader()
    busy = exception("throttlingException", b'{"message": "Too many tokens."}')
    events = reader.feed(pieces(0, {"text": "It is"}) + busy)
    assert events[0].chunk["choices"][0]["delta"] == {"role": "assistant", "content": "It is"}
    with pytest.raises(ProviderError, match=r"Acme: Too many tokens\.") as raised:
        reader.check()
    assert (raised.value.upstream_status, raised.value.code) == (429, "throttlingException")


def test_a_stream_that_ends_too_early_was_cut() -> None:
    with pytest.raises(StreamCut):
        streamed(*STREAM[:-2])


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"output": {}},
        {"output": {"message": {"content": None}}, "stopReason": "end_turn"},
        {"output": {"message": {"content": ["x"]}}, "stopReason": "end_turn"},
        {"output": {"message": {"content": [{"toolUse": {}}]}}, "stopReason": "end_turn"},
        {"output": {"message": {"content": []}}, "stopReason": None},
    ],
)
def test_an_answer_in_another_form_is_an_error(answer: Any) -> None:
    with pytest.raises(ProviderError, match="Acme answered in a form that cannot be read"):
        made().parse_response(json.dumps(answer).encode())


@pytest.mark.parametrize("delta", [None, [], {"text": 1}, {"toolUse": None}, {"reasoningContent": "x"}])
def test_a_stream_in_another_form_is_an_error(delta: Any) -> None:
    with pytest.raises(ProviderError, match="Acme answered in a form that cannot be read"):
        streamed(frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}))


def test_events_that_nobody_knows_are_passed_over() -> None:
    completion, _ = streamed(frame("ping", {}), *STREAM)
    assert completion["choices"][0]["message"]["content"] == "It is blue"
