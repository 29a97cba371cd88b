"""Streamed chunks put together: what vendors really send, made one completion."""

import json
from typing import Any

import pytest

from llms.kernel.types import Json
from llms.providers.assembler import StreamAssembler
from llms.providers.events import StreamEvent, as_events


def chunk(delta: Any = None, *, index: int = 0, finish: str | None = None, **fields: Any) -> Json:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 5, "model": "m", "choices": [choice], **fields}


def assemble(*chunks: Json) -> Any:
    assembler = StreamAssembler(model="asked-for")
    for each in chunks:
        assembler.feed(each)  # type: ignore[arg-type]
    return assembler.so_far()


def message(*deltas: Any) -> Any:
    return assemble(*map(chunk, deltas))["choices"][0]["message"]


def tool_calls(*deltas: Any) -> list[tuple[str | None, str, str]]:
    """Id, name and arguments of the calls in these `tool_calls` deltas."""
    calls = message(*({"tool_calls": [delta]} for delta in deltas))["tool_calls"]
    return [(call["id"], call["function"].get("name"), call["function"]["arguments"]) for call in calls]


def call(name: str | None = None, arguments: Any = None, **fields: Any) -> Json:
    return {**fields, "function": {"name": name, "arguments": arguments}}


# -- text ------------------------------------------------------------------------------------------------------


def test_text_is_joined_in_order() -> None:
    assert message({"role": "assistant", "content": ""}, {"content": "Hel"}, {"content": "lo"}) == {
        "role": "assistant",
        "content": "Hello",
    }


def test_an_answer_without_text_has_null_for_content() -> None:
    assert message({"role": "assistant"}) == {"role": "assistant", "content": None}


@pytest.mark.parametrize("field", ["content", "reasoning_content", "refusal"])
def test_null_adds_nothing_to_a_text(field: str) -> None:
    assert message({field: "a"}, {field: None}, {field: "b"})[field] == "ab"


def test_a_delta_of_null_is_an_empty_one() -> None:
    assert message(None, {"content": "Hi"})["content"] == "Hi"


def test_reasoning_is_kept_beside_the_text() -> None:
    whole = message({"reasoning_content": "Hm"}, {"reasoning_content": "m."}, {"content": "Yes."})
    assert (whole["reasoning_content"], whole["content"]) == ("Hmm.", "Yes.")


def test_a_refusal_is_kept() -> None:
    assert message({"refusal": "I can"}, {"refusal": "not."})["refusal"] == "I cannot."


def test_an_empty_role_does_not_replace_the_assistant() -> None:
    assert message({"role": "assistant", "content": "a"}, {"role": "", "content": "b"})["role"] == "assistant"


def test_lists_of_a_message_are_joined() -> None:
    assert message({"annotations": [1]}, {"annotations": [2, 3]})["annotations"] == [1, 2, 3]


def test_a_legacy_function_call_comes_in_pieces() -> None:
    whole = message({"function_call": {"name": "add", "arguments": '{"a"'}}, {"function_call": {"arguments": ": 1}"}})
    assert whole["function_call"] == {"name": "add", "arguments": '{"a": 1}'}


def test_spoken_audio_comes_in_pieces() -> None:
    deltas = [
        {"id": "a1", "transcript": "Hel"},
        {"transcript": "lo"},
        {"data": "AAAA"},
        {"data": "BBBB", "expires_at": 9},
    ]
    whole = message(*({"audio": delta} for delta in deltas))
    assert whole["audio"] == {"id": "a1", "transcript": "Hello", "data": "AAAABBBB", "expires_at": 9}


# -- tool calls ------------------------------------------------------------------------------------------------


def test_the_arguments_of_a_tool_call_are_joined() -> None:
    assert tool_calls(
        call("add", "", index=0, id="a", type="function"),
        call(arguments='{"a"', index=0),
        call(arguments=": 1}", index=0),
    ) == [("a", "add", '{"a": 1}')]


def test_parallel_tool_calls_may_be_interleaved() -> None:
    assert tool_calls(
        call("f", "", index=0, id="a"),
        call("g", "", index=1, id="b"),
        call(arguments="{1", index=0),
        call(arguments="{2", index=1),
        call(arguments="}", index=0),
        call(arguments="}", index=1),
    ) == [("a", "f", "{1}"), ("b", "g", "{2}")]


def test_tool_calls_stand_in_the_order_of_their_index() -> None:
    assert [id for id, _, _ in tool_calls(call("g", "{}", index=1, id="b"), call("f", "{}", index=0, id="a"))] == [
        "a",
        "b",
    ]


def test_an_id_and_name_repeated_on_every_delta_are_not_joined() -> None:
    assert tool_calls(call("f", "{1", index=0, id="a"), call("f", "}", index=0, id="a")) == [("a", "f", "{1}")]


def test_without_an_index_a_name_begins_a_call_and_the_rest_goes_on_with_it() -> None:
    assert tool_calls(
        call("f", "{1", id="a"), call(arguments="}"), call("g", "{2", id="b"), call(arguments="}", id="null")
    ) == [("a", "f", "{1}"), ("b", "g", "{2}")]


def test_without_an_index_a_repeated_id_goes_on_with_its_call() -> None:
    assert tool_calls(
        call("f", "{1", id="a"), call("g", "{2", id="b"), call("f", "}", id="a"), call(arguments="}", id="b")
    ) == [("a", "f", "{1}"), ("b", "g", "{2}")]


def test_several_calls_with_one_index_but_their_own_ids_stay_apart() -> None:
    assert tool_calls(
        call("f", "{1}", index=0, id="a"), call("g", "{2", index=0, id="b"), call(arguments="}", index=0)
    ) == [("a", "f", "{1}"), ("b", "g", "{2}")]


def test_an_id_that_changes_without_a_new_name_is_the_same_call() -> None:
    assert tool_calls(call("f", "{1", index=0, id="a"), call(arguments="}", index=0, id="b")) == [("b", "f", "{1}")]


def test_an_id_that_comes_late_belongs_to_the_call() -> None:
    assert tool_calls(call("f", "{1", index=0), call("f", "}", index=0, id="a")) == [("a", "f", "{1}")]


def test_arguments_sent_as_an_object_become_its_text() -> None:
    ((_, _, arguments),) = tool_calls(call("f", {"a": 1}, index=0, id="a"))
    assert json.loads(arguments) == {"a": 1}


def test_a_call_without_arguments_has_an_empty_text() -> None:
    assert tool_calls(call("f", None, index=0, id="a")) == [("a", "f", "")]


@pytest.mark.parametrize("id", [None, "", "null"])
def test_a_call_without_an_id_is_given_one(id: str | None) -> None:
    ((given, _, _),) = tool_calls(call("f", "{}", index=0, id=id))
    assert given is not None
    assert given.startswith("call_")


def test_an_id_made_up_is_different_for_each_call() -> None:
    ids = {id for id, _, _ in tool_calls(call("f", "{}", index=0), call("g", "{}", index=1))}
    assert len(ids) == 2


def test_a_tool_call_is_a_function_unless_it_says_otherwise() -> None:
    (plain,) = message({"tool_calls": [call("f", "{}", id="a")]})["tool_calls"]
    (custom,) = message({"tool_calls": [call("f", "{}", id="a", type="custom")]})["tool_calls"]
    assert (plain["type"], custom["type"]) == ("function", "custom")


def test_what_a_vendor_adds_to_a_tool_call_is_kept() -> None:
    (whole,) = message({"tool_calls": [call("f", "{}", id="a", extra_content={"signature": "x"})]})["tool_calls"]
    assert whole["extra_content"] == {"signature": "x"}


def test_a_whole_call_has_no_index() -> None:
    (whole,) = message({"tool_calls": [call("f", "{}", id="a", index=0)]})["tool_calls"]
    assert "index" not in whole


# -- choices, usage, and the rest ------------------------------------------------------------------------------


def test_several_choices_are_kept_apart() -> None:
    whole = assemble(
        chunk({"content": "b"}, index=1),
        chunk({"content": "a"}, index=0),
        chunk({"content": "B"}, index=1, finish="length"),
        chunk({"content": "A"}, index=0, finish="stop"),
    )
    told = [(choice["index"], choice["message"]["content"], choice["finish_reason"]) for choice in whole["choices"]]
    assert told == [(0, "aA", "stop"), (1, "bB", "length")]


def test_a_finish_reason_is_not_lost_to_a_later_chunk_without() -> None:
    assert assemble(chunk({}, finish="stop"), chunk({"content": ""}))["choices"][0]["finish_reason"] == "stop"


def test_logprobs_are_joined() -> None:
    first, second = chunk({"content": "a"}), chunk({"content": "b"})
    first["choices"][0]["logprobs"] = {"content": [{"token": "a"}], "refusal": None}
    second["choices"][0]["logprobs"] = {"content": [{"token": "b"}]}
    assert assemble(first, second)["choices"][0]["logprobs"] == {"content": [{"token": "a"}, {"token": "b"}]}


def test_an_answer_without_logprobs_has_none() -> None:
    assert "logprobs" not in assemble(chunk({"content": "a"}))["choices"][0]


def test_usage_in_a_chunk_of_its_own_is_taken() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert assemble(chunk({"content": "a"}), {"id": "c1", "choices": [], "usage": usage})["usage"] == usage


def test_usage_told_bit_by_bit_is_merged() -> None:
    whole = assemble(
        chunk({}, usage={"prompt_tokens": 3, "completion_tokens": 1}),
        chunk({}, usage=None),
        chunk({}, usage={"prompt_tokens": None, "completion_tokens": 4}),
    )
    assert whole["usage"] == {"prompt_tokens": 3, "completion_tokens": 4}


def test_without_usage_there_is_no_such_key() -> None:
    assert "usage" not in assemble(chunk({"content": "a"}))


def test_citations_and_other_fields_of_a_vendor_are_kept() -> None:
    whole = assemble(chunk({"content": "a"}, citations=["x"]), chunk({}, citations=["x", "y"], system_fingerprint="f"))
    assert (whole["citations"], whole["system_fingerprint"]) == (["x", "y"], "f")


def test_filler_of_a_stream_is_not_kept() -> None:
    assert "obfuscation" not in assemble(chunk({"content": "a"}, obfuscation="zzz"))


def test_id_time_and_model_are_those_of_the_first_chunk_that_has_them() -> None:
    first = {"id": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": []}
    whole = assemble(first, chunk({"content": "a"}), chunk({}, id="c2", created=6))
    assert (whole["id"], whole["created"], whole["model"], whole["object"]) == ("c1", 5, "m", "chat.completion")


def test_where_no_chunk_says_its_model_it_is_the_one_asked_for() -> None:
    whole = assemble({"choices": [{"delta": {"content": "a"}}]})
    assert whole["model"] == "asked-for"
    assert whole["id"].startswith("chatcmpl-")
    assert whole["created"] > 0


# -- the end ---------------------------------------------------------------------------------------------------


def test_the_finish_reason_is_told() -> None:
    assert assemble(chunk({"content": "a"}, finish="stop"))["choices"][0]["finish_reason"] == "stop"


def test_an_answer_whose_stream_told_no_finish_reason_is_given_all_the_same() -> None:
    assert assemble(chunk({"content": "a"}))["choices"][0]["message"]["content"] == "a"


def test_a_list_of_events_is_fed_in_order() -> None:
    assembler = StreamAssembler()
    assembler.feed_all([StreamEvent(chunk({"content": text})) for text in "ab"])  # type: ignore[arg-type]
    assert assembler.so_far()["choices"][0]["message"]["content"] == "ab"


WHOLE: Any = {
    "id": "c1",
    "object": "chat.completion",
    "created": 5,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "reasoning_content": "Hm",
                "tool_calls": [
                    {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}} for id in ("a", "b")
                ],
            },
            "finish_reason": "tool_calls",
        },
        {
            "index": 1,
            "message": {"role": "assistant", "content": "Hi"},
            "finish_reason": "length",
            "logprobs": {"content": [{"token": "Hi"}]},
        },
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    "citations": ["x"],
}


def test_a_whole_answer_survives_being_streamed() -> None:
    assembler = StreamAssembler()
    assembler.feed_all(as_events(json.loads(json.dumps(WHOLE))))
    assert assembler.so_far() == WHOLE
