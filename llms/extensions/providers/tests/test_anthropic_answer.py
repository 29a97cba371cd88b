"""What answers in Anthropic's dialect say in OpenAI's words, whole and streamed."""

import json
from typing import Any

import pytest

from llms.api import ProviderError, StreamCut
from llms.extensions.providers.tests.anthropic_samples import (
    CALL,
    ENCRYPTED,
    PAGE,
    REDACTED,
    SEARCHED,
    SIGNED,
    THOUGHT,
    USAGE,
    USE,
    WEB,
    assembled,
    events,
    made,
    read,
    sse,
    whole,
)

TEXT = {"type": "text", "text": "It is blue."}
CITED = [
    {
        "type": "url_citation",
        "url_citation": {"url": WEB["url"], "title": "A", "start_index": 6, "end_index": 10},
    },
    {
        "type": "file_citation",
        "file_citation": {
            "filename": "Facts",
            "file_id": "f1",
            "index": 0,
            "start_index": 10,
            "end_index": 19,
            "quote": "deep",
        },
    },
]
ANSWERS: list[tuple[list[Any], Any]] = [
    ([TEXT], {"content": "It is blue."}),
    ([], {"content": None}),
    (
        [THOUGHT, REDACTED, TEXT, USE],
        {
            "content": "It is blue.",
            "reasoning_content": "Hm.",
            "reasoning_details": [SIGNED, ENCRYPTED],
            "tool_calls": [{**CALL, "function": {"name": "look", "arguments": '{"at":"sky"}'}}],
        },
    ),
    (
        [{**USE, "input": {}}],
        {"content": None, "tool_calls": [{**CALL, "function": {"name": "look", "arguments": "{}"}}]},
    ),
    (
        SEARCHED,
        {
            "content": "It is blue and deep",
            "annotations": CITED,
            "provider_metadata": {"anthropic": {"content": SEARCHED}},
        },
    ),
    (
        [TEXT, USE, {**USE, "id": "toolu_2", "name": "hear", "input": {"x": [1, {"y": None}]}}],
        {
            "content": "It is blue.",
            "tool_calls": [
                {**CALL, "function": {"name": "look", "arguments": '{"at":"sky"}'}},
                {
                    "id": "toolu_2",
                    "type": "function",
                    "function": {"name": "hear", "arguments": '{"x":[1,{"y":null}]}'},
                },
            ],
        },
    ),
]


def message_of(completion: Any) -> Any:
    """The only message, its calls' arguments without the blanks that do not matter."""
    message = completion["choices"][0]["message"]
    for call in message.get("tool_calls") or ():
        call["function"]["arguments"] = json.dumps(json.loads(call["function"]["arguments"]), separators=(",", ":"))
    return message


@pytest.mark.parametrize(("blocks", "message"), ANSWERS)
def test_an_answer_is_told_in_openais_words(blocks: Any, message: Any) -> None:
    assert message_of(read(*blocks)) == {"role": "assistant", **message}


@pytest.mark.parametrize(("blocks", "message"), ANSWERS)
def test_a_stream_comes_to_the_same(blocks: Any, message: Any) -> None:
    assert message_of(assembled(events(*blocks))) == {"role": "assistant", **message}


@pytest.mark.parametrize(("blocks", "_"), ANSWERS)
def test_a_stream_ends_with_the_same_usage(blocks: Any, _: Any) -> None:
    streamed, at_once = assembled(events(*blocks)), read(*blocks)
    names = ("id", "model", "usage", "service_tier")
    assert [streamed[name] for name in names] == [at_once[name] for name in names]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("compaction", "stop"),
        ("something new", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_why_it_ended(told: str, reason: str) -> None:
    assert read(TEXT, reason=told)["choices"][0]["finish_reason"] == reason
    assert assembled(events(TEXT, reason=told))["choices"][0]["finish_reason"] == reason


def test_what_else_it_told_is_kept() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    told = {"stop_details": details, "container": {"id": "c1", "expires_at": "x"}}
    kept = {"anthropic": {**told, "stop_reason": "refusal"}}
    assert message_of(read(reason="refusal", **told))["provider_metadata"] == kept
    assert message_of(assembled(events(reason="refusal", **told)))["provider_metadata"] == kept


def test_what_says_nothing_is_not_kept() -> None:
    nothing: Any = {"stop_details": None, "container": None, "context_management": {"applied_edits": []}}
    assert "provider_metadata" not in message_of(read(TEXT, **nothing))


def test_cached_tokens_belong_to_the_prompt() -> None:
    assert read(TEXT)["usage"] == {
        "prompt_tokens": 103,
        "completion_tokens": 5,
        "total_tokens": 108,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 40},
        "completion_tokens_details": {"reasoning_tokens": 2},
        "server_tool_use": {"web_search_requests": 1},
    }


def test_an_older_vendor_tells_less_of_its_usage() -> None:
    usage = read(TEXT, usage={"input_tokens": 3, "output_tokens": 5})["usage"]
    assert usage == {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


def test_no_usage_is_none() -> None:
    assert "usage" not in read(TEXT, usage=None)


# -- streams ---------------------------------------------------------------------------------------------------


def test_a_thought_is_told_as_it_comes_and_signed_once() -> None:
    reader = made().reader()
    deltas: list[Any] = [
        e.chunk["choices"][0]["delta"] for e in reader.feed(sse(events(THOUGHT, TEXT))) if e.chunk["choices"]
    ]
    assert [delta["reasoning_content"] for delta in deltas if "reasoning_content" in delta] == ["H", "m", "."]
    assert [delta["reasoning_details"] for delta in deltas if "reasoning_details" in delta] == [[SIGNED]]


def test_the_arguments_of_a_call_are_told_as_they_come() -> None:
    reader = made().reader()
    calls: list[Any] = [
        call
        for event in reader.feed(sse(events(TEXT, USE)))
        for choice in event.chunk["choices"]
        for call in choice["delta"].get("tool_calls") or ()
    ]
    assert [(call["index"], call.get("id"), call["function"]) for call in calls] == [
        (0, "toolu_1", {"name": "look", "arguments": ""}),
        (0, None, {"arguments": '{"a'}),
        (0, None, {"arguments": 't": "sky"}'}),
    ]


def test_unknown_events_blocks_and_deltas_are_passed_over() -> None:
    stream = events(TEXT)
    new: list[Any] = [
        {"type": "something_new", "index": 9},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "new", "x": 1}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "new_delta", "x": 2}},
        {"type": "content_block_stop", "index": 1},
    ]
    message = message_of(assembled([*stream[:-2], *new, *stream[-2:]]))
    assert message["content"] == "It is blue."
    assert message["provider_metadata"]["anthropic"]["content"][1] == {"type": "new", "x": 1}


def test_a_call_may_come_with_its_arguments_at_once() -> None:
    stream = [e for e in events(USE) if e["type"] != "content_block_delta"]
    stream[2]["content_block"] = USE
    assert message_of(assembled(stream))["tool_calls"][0]["function"]["arguments"] == '{"at":"sky"}'


def test_a_call_that_was_cut_is_told_as_far_as_it_came() -> None:
    stream = [e for e in events(USE, reason="max_tokens") if (e.get("delta") or {}).get("partial_json") != 't": "sky"}']
    choice = assembled(stream)["choices"][0]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == '{"a'
    assert choice["finish_reason"] == "length"


def test_a_compaction_is_kept() -> None:
    stream = events({"type": "compaction", "content": None}, TEXT)
    stream.insert(3, {"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", "content": "A"}})
    kept = message_of(assembled(stream))["provider_metadata"]["anthropic"]["content"]
    assert kept == [{"type": "compaction", "content": "A"}, TEXT]


def test_what_is_told_at_the_end_of_the_usage_wins() -> None:
    stream = events(TEXT)
    stream[-2]["usage"] = {"input_tokens": 9, "cache_read_input_tokens": None, "output_tokens": 7}
    usage = assembled(stream)["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (109, 7)


@pytest.mark.parametrize("kept", range(len(events(TEXT)) - 2))
def test_a_stream_that_was_cut_is_an_error(kept: int) -> None:
    with pytest.raises(StreamCut):
        assembled(events(TEXT)[:kept])


def test_the_last_event_says_nothing_that_is_needed() -> None:
    assert message_of(assembled(events(TEXT)[:-1]))["content"] == "It is blue."


# -- errors ----------------------------------------------------------------------------------------------------

OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def test_an_error_inside_a_stream_is_raised_after_what_came_before() -> None:
    reader = made().reader()
    given = reader.feed(sse([*events(TEXT)[:4], OVERLOADED]))
    assert [e.chunk["choices"][0]["delta"].get("content") for e in given] == [None, "It"]
    with pytest.raises(ProviderError, match=r"^Acme: Overloaded"):
        reader.check()


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("invalid_request_error", 400),
        ("authentication_error", 401),
        ("billing_error", 402),
        ("permission_error", 403),
        ("not_found_error", 404),
        ("request_too_large", 413),
        ("rate_limit_error", 429),
        ("api_error", 500),
        ("timeout_error", 504),
        ("overloaded_error", 529),
        ("something_new", None),
    ],
)
def test_an_error_inside_an_answer_has_the_status_of_its_type(kind: str, status: int | None) -> None:
    body = json.dumps({"type": "error", "error": {"type": kind, "message": "no luck"}}).encode()
    with pytest.raises(ProviderError, match=r"^Acme: no luck") as whole_error:
        made().parse_response(body)
    reader = made().reader()
    reader.feed(b"event: error\ndata: " + body + b"\n\n")
    with pytest.raises(ProviderError) as streamed_error:
        reader.check()
    assert [whole_error.value.upstream_status, streamed_error.value.upstream_status] == [status, status]


BROKEN: list[Any] = [
    {},
    {"content": None},
    {"content": "Hi"},
    {"content": [5]},
    {"content": [{}]},
    {"content": [{"type": "text"}]},
    {"content": [{"type": "tool_use"}]},
    {"content": [{"type": "redacted_thinking"}]},
]


@pytest.mark.parametrize("usage", [5, {"input_tokens": "x"}])
def test_usage_that_cannot_be_read_is_as_good_as_none(usage: Any) -> None:
    body = {"type": "message", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "usage": usage}
    completion = made().parse_response(json.dumps(body).encode())
    assert completion["choices"][0]["message"]["content"] == "Hi"
    assert "usage" not in completion


@pytest.mark.parametrize("answer", BROKEN)
def test_an_answer_that_is_none_is_an_error(answer: Any) -> None:
    with pytest.raises(ProviderError, match="Acme answered in a form that cannot be read"):
        made().parse_response(json.dumps({"type": "message", **answer}).encode())


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message_start"},
        {"type": "content_block_start", "index": 0},
        {"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_stop", "index": 7},
        {"type": "message_delta", "delta": None},
    ],
)
def test_an_event_that_is_none_is_an_error(event: Any) -> None:
    reader = made().reader()
    reader.feed(sse([event]))
    with pytest.raises(ProviderError, match="Acme answered in a form that cannot be read"):
        reader.check()


def test_samples_are_as_the_vendor_sends_them() -> None:
    assert whole(TEXT)["usage"] is USAGE
    assert PAGE["type"] == "page_location"
