"""OpenAI's Responses API: what its answers say, whole and streamed."""

import json
from typing import Any

import pytest

from llms.api import ProviderError
from llms.extensions.providers.tests.responses_samples import (
    CALL,
    HI,
    ISSUER,
    PNG,
    SEARCH,
    SECRET,
    URI,
    answer,
    done,
    event,
    made,
    message,
    read,
    sent,
    streamed,
    text,
)

# -- answers ---------------------------------------------------------------------------------------------------


def test_an_answer_says_who_and_how_much() -> None:
    usage = {
        "input_tokens": 90,
        "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 8},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 30},
        "total_tokens": 140,
    }
    whole = read(text("Hi"), usage=usage, service_tier="flex")
    assert (whole["id"], whole["model"], whole["service_tier"]) == ("resp_1", "gpt-4.1", "flex")
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert whole["usage"] == {
        "prompt_tokens": 90,
        "completion_tokens": 50,
        "total_tokens": 140,
        "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }


@pytest.mark.parametrize(("told", "dollars"), [({"cost": 0.25}, 0.25), ({"cost_in_usd_ticks": 8934000}, 0.0008934)])
def test_the_cost_is_taken_where_it_is_told(told: Any, dollars: float) -> None:
    usage = {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14, **told}
    assert read(text("Hi"), usage=usage)["usage"]["cost"] == pytest.approx(dollars)


def test_an_answer_without_usage_is_one() -> None:
    assert "usage" not in read(text("Hi"), usage=None)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ({"status": "incomplete"}, "length"),
        ({"status": None}, "stop"),
    ],
)
def test_why_an_answer_ended_is_told(fields: Any, reason: str) -> None:
    assert read(text("Hi"), **fields)["choices"][0]["finish_reason"] == reason


def test_thoughts_are_told_with_a_line_between() -> None:
    thought = {**SECRET, "summary": [{"type": "summary_text", "text": part} for part in ("One.", "Two.")]}
    said = message(
        thought, {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Three."}]}, text("Hi")
    )
    assert said["reasoning_content"] == "One.\n\nTwo.\n\nThree."
    by = {"format": "openai-responses-v1", "issuer": ISSUER}
    shared = {**by, "id": "rs_1"}
    assert said["reasoning_details"] == [
        {"type": "reasoning.summary", "summary": "One.", "index": 0, **shared},
        {"type": "reasoning.summary", "summary": "Two.", "index": 1, **shared},
        {"type": "reasoning.encrypted", "data": "gAAA", "index": 2, **shared},
        {"type": "reasoning.text", "text": "Three.", "index": 3, **by},
    ]


def test_calls_are_told_as_calls() -> None:
    whole = read(SECRET, CALL, {**CALL, "call_id": "call_2", "name": "hear"})
    choice = whole["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert [(call["id"], call["function"]["name"]) for call in choice["message"]["tool_calls"]] == [
        ("call_1", "look"),
        ("call_2", "hear"),
    ]
    assert "provider_metadata" not in choice["message"]


def test_the_call_of_a_custom_tool_is_told_in_both_forms() -> None:
    call = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "sql", "input": "SELECT 1"}
    said = message(call)
    assert said["tool_calls"] == [
        {
            "id": "call_2",
            "type": "custom",
            "function": {"name": "sql", "arguments": "SELECT 1"},
            "custom": {"name": "sql", "input": "SELECT 1"},
        }
    ]
    assert sent(HI, said)["input"][1] == {key: value for key, value in call.items() if key != "id"}


def test_what_xai_ran_itself_is_no_call_of_ours() -> None:
    call = {"type": "custom_tool_call", "id": "x", "call_id": "xs_1", "name": "x_keyword_search", "input": "{}"}
    whole = read(call, text("Found."))
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert "tool_calls" not in whole["choices"][0]["message"]


@pytest.mark.parametrize("calls", [[], [CALL]])
def test_what_xai_ran_itself_goes_back_in_its_place(calls: Any) -> None:
    searched = {"type": "custom_tool_call", "id": "x", "call_id": "xs_1", "name": "x_keyword_search", "input": "{}"}
    output = [SECRET, searched, text("Found."), *calls]
    assert sent(HI, message(*output))["input"][1:] == output


def test_citations_have_their_place_in_the_whole_text() -> None:
    cited = {"type": "url_citation", "url": "https://a.org", "title": "A", "start_index": 0, "end_index": 3}
    named = {"type": "file_citation", "file_id": "file-1", "filename": "a.pdf", "index": 2}
    said = message(text("Hello. "), text("See.", annotations=[cited, named]))
    place = {"url": "https://a.org", "title": "A", "start_index": 7, "end_index": 10}
    assert said["content"] == "Hello. See."
    assert said["annotations"] == [
        {"type": "url_citation", "url_citation": place},
        {"type": "file_citation", "file_citation": {"file_id": "file-1", "filename": "a.pdf", "index": 2}},
    ]


def test_what_the_vendor_ran_is_kept_without_what_is_large() -> None:
    kept = message(SEARCH, text("Found.", logprobs=[{"token": "F"}]))["provider_metadata"]["responses"]
    assert kept == {"issuer": ISSUER, "output": [SEARCH, text("Found.")]}


@pytest.mark.parametrize("name", ["phase", "namespace", "caller"])
def test_an_item_that_says_more_than_a_message_can_is_kept(name: str) -> None:
    item = {**text("Hi"), name: "x"}
    assert message(item)["provider_metadata"]["responses"]["output"] == [item]


def test_logprobs_and_refusals_are_told() -> None:
    whole = read(text("Hi", logprobs=[{"token": "Hi", "logprob": -0.1}]))
    assert whole["choices"][0]["logprobs"] == {"content": [{"token": "Hi", "logprob": -0.1}]}
    refused = {**text(""), "content": [{"type": "refusal", "refusal": "No."}]}
    assert message(refused)["refusal"] == "No."


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "failed", "error": {"code": "server_error", "message": "no luck"}}, "Acme: no luck"),
        ({"status": "queued"}, "Leave `background` out"),
        ({"output": [{"type": "message", "content": [{}]}]}, "cannot be read"),
        ({"output": [7]}, "cannot be read"),
    ],
)
def test_what_is_no_answer_is_an_error(fields: Any, said: str) -> None:
    with pytest.raises(ProviderError, match=said):
        read(**{"output": [], **fields}) if "output" not in fields else made().parse_response(
            json.dumps({**answer(), **fields}).encode()
        )


# -- streams ---------------------------------------------------------------------------------------------------


def test_a_stream_says_the_same_as_the_whole_answer() -> None:
    output = [SECRET, text("Hello", logprobs=[]), CALL]
    place = [{"output_index": i} for i in range(3)]
    told = streamed(
        [
            event("created", response=answer(status="in_progress")),
            event("in_progress", response=answer(status="in_progress")),
            event("output_item.added", **place[0], item={"type": "reasoning", "id": "rs_1", "summary": []}),
            event("reasoning_summary_part.added", **place[0], summary_index=0),
            event("reasoning_summary_text.delta", **place[0], summary_index=0, delta="H"),
            event("reasoning_summary_text.delta", **place[0], summary_index=0, delta="m."),
            event("output_item.done", **place[0], item=SECRET),
            event("output_item.added", **place[1], item={**text(""), "content": []}),
            event("output_text.delta", **place[1], content_index=0, delta="Hel", logprobs=[]),
            event("output_text.delta", **place[1], content_index=0, delta="lo"),
            event("output_item.done", **place[1], item=output[1]),
            event("output_item.added", **place[2], item={**CALL, "arguments": ""}),
            event("function_call_arguments.delta", **place[2], delta='{"at":'),
            event("function_call_arguments.delta", **place[2], delta='"sky"}'),
            event("function_call_arguments.done", **place[2], arguments='{"at":"sky"}'),
            event("output_item.done", **place[2], item=CALL),
            event("something.new", a=1),
            {"type": "keepalive"},
            done(*output),
        ]
    )
    assert {**told, "created": 0} == {**read(*output), "created": 0}


def test_what_has_no_deltas_still_arrives_once() -> None:
    output = [SECRET, text("Hello"), CALL]
    begun = event("created", response=answer(status="in_progress"))
    ended = [event("output_item.done", output_index=i, item=item) for i, item in enumerate(output)]
    whole = {**read(*output), "created": 0}
    assert {**streamed([begun, *ended, done()]), "created": 0} == whole
    assert {**streamed([begun, *ended, done(*output)]), "created": 0} == whole
    assert {**streamed([begun, done(*output)]), "created": 0} == whole


def test_the_end_of_a_text_is_added_where_its_deltas_were_cut_short() -> None:
    delta = event("output_text.delta", output_index=0, content_index=0, delta="Hel")
    assert streamed([delta, done(text("Hello"))])["choices"][0]["message"]["content"] == "Hello"


def test_a_text_that_ends_up_otherwise_is_not_said_twice() -> None:
    delta = event("output_text.delta", output_index=0, content_index=0, delta="Hello ")
    assert streamed([delta, done(text("Hello"))])["choices"][0]["message"]["content"] == "Hello "


def test_annotations_come_once() -> None:
    cited = {"type": "url_citation", "url": "https://a.org", "title": "A", "start_index": 0, "end_index": 3}
    more = {**cited, "url": "https://b.org"}
    place = {"output_index": 0, "content_index": 0}
    told = streamed(
        [
            event("output_text.delta", **place, delta="See."),
            event("output_text.annotation.added", **place, annotation_index=0, annotation=cited),
            done(text("See.", annotations=[cited, more])),
        ]
    )
    urls = [one["url_citation"]["url"] for one in told["choices"][0]["message"]["annotations"]]
    assert urls == ["https://a.org", "https://b.org"]


def test_the_input_of_a_custom_tool_comes_in_pieces() -> None:
    call = {"type": "custom_tool_call", "call_id": "call_2", "name": "sql", "input": "SELECT 1"}
    told = streamed(
        [
            event("output_item.added", output_index=0, item={**call, "input": ""}),
            event("custom_tool_call_input.delta", output_index=0, delta="SELECT"),
            event("output_item.done", output_index=0, item=call),
            done(call),
        ]
    )
    assert told["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == "SELECT 1"
    assert told["choices"][0]["message"]["tool_calls"][0]["custom"] == {"name": "sql", "input": "SELECT 1"}


def test_previews_of_an_image_are_not_images() -> None:
    image = {"type": "image_generation_call", "id": "ig_1", "result": PNG}
    preview = event("image_generation_call.partial_image", output_index=0, partial_image_b64="aaaa")
    told = streamed([preview, event("output_item.done", output_index=0, item=image), done(image)])
    assert told["choices"][0]["message"]["images"] == [{"type": "image_url", "image_url": {"url": URI}}]


def test_logprobs_come_with_their_text() -> None:
    delta = event("output_text.delta", output_index=0, content_index=0, delta="Hi", logprobs=[{"token": "Hi"}])
    told = streamed([delta, done(text("Hi", logprobs=[{"token": "Hi"}]))])
    assert told["choices"][0]["logprobs"] == {"content": [{"token": "Hi"}]}


@pytest.mark.parametrize(
    ("failed", "code", "status"),
    [
        (
            event("failed", response={"id": "r", "error": {"code": "rate_limit_exceeded", "message": "too much"}}),
            "rate_limit_exceeded",
            429,
        ),
        (event("failed", response={"error": {"code": "invalid_prompt", "message": "no"}}), "invalid_prompt", 400),
        ({"type": "error", "code": "server_error", "message": "no luck", "param": None}, "server_error", 500),
        ({"type": "error", "error": {"code": "insufficient_quota", "message": "poor"}}, "insufficient_quota", None),
        ({"type": "error"}, None, None),
    ],
)
def test_an_error_inside_a_stream_ends_it(failed: Any, code: str | None, status: int | None) -> None:
    begun = event("created", response=answer(status="in_progress"))
    with pytest.raises(ProviderError) as raised:
        streamed([begun, failed])
    assert (raised.value.code, raised.value.upstream_status) == (code, status)


def test_a_stream_without_its_last_event_was_cut() -> None:
    with pytest.raises(ProviderError, match="ended its stream before"):
        streamed([event("output_text.delta", output_index=0, content_index=0, delta="Hel")])


def test_an_incomplete_stream_says_why() -> None:
    end = event("incomplete", response=answer(text("Hel"), status="incomplete"))
    assert streamed([end])["choices"][0]["finish_reason"] == "length"
