"""A chat shaped for the model that will read it."""

import copy
from typing import Any

import pytest

from llms.chat.prepare import prepare

TEXT_ONLY: Any = {"modalities": {"input": ["text"], "output": ["text"]}}
SEEING: Any = {"modalities": {"input": ["text", "image"], "output": ["text"]}}


def shaped(*messages: Any, model: Any = None, name: str = "m", **fields: Any) -> Any:
    chat: Any = {"model": name, "messages": list(messages), **fields}
    return prepare(chat, model)


def message(given: Any, *, model: Any = None, name: str = "m") -> Any:
    return shaped(given, model=model, name=name)["messages"][0]


def content(given: Any, *, model: Any = TEXT_ONLY) -> Any:
    return message({"role": "user", "content": given}, model=model)["content"]


def test_a_plain_chat_stays_as_it_is() -> None:
    chat: Any = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0, "tools": [{}]}
    assert prepare(chat, None) == chat


def test_the_callers_chat_is_never_changed() -> None:
    chat: Any = {
        "model": "m",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}], "timestamp": 5},
            {"role": "assistant", "content": "b", "reasoning": "Hm", "images": [1]},
        ],
        "metadata": {"a": 1},
        "tools": [],
    }
    before = copy.deepcopy(chat)
    model: Any = {**TEXT_ONLY, "interleaved": {"field": "thinking"}}
    prepare(chat, model)
    assert chat == before


def test_metadata_is_left_out() -> None:
    assert "metadata" not in shaped(metadata={"threadId": 1})


@pytest.mark.parametrize("tools", [[], None])
def test_no_tools_is_no_such_field(tools: Any) -> None:
    assert "tools" not in shaped(tools=tools)


@pytest.mark.parametrize(
    "field", ["timestamp", "model", "usage", "_sequence", "streaming", "groundingMetadata", "provider_metadata"]
)
def test_what_only_we_understand_is_left_out_of_messages(field: str) -> None:
    assert message({"role": "user", "content": "Hi", field: 1}) == {"role": "user", "content": "Hi"}


def test_a_field_we_do_not_know_stays() -> None:
    given = {"role": "user", "content": "Hi", "cache_control": {"type": "ephemeral"}}
    assert message(given) == given


def test_a_tool_call_and_its_result_stay() -> None:
    messages: Any = [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "a", "function": {}}], "timestamp": 5},
        {"role": "tool", "tool_call_id": "a", "content": "3", "timestamp": 6},
    ]
    assert shaped(*messages)["messages"] == [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "a", "function": {}}]},
        {"role": "tool", "tool_call_id": "a", "content": "3"},
    ]


@pytest.mark.parametrize("model", [None, SEEING, TEXT_ONLY])
@pytest.mark.parametrize("field", ["audios", "files", "texts", "others", "resources"])
def test_what_a_tool_made_beside_its_text_is_left_out(field: str, model: Any) -> None:
    given = {"role": "tool", "tool_call_id": "a", "content": "3", field: [{"type": "x"}]}
    assert field not in message(given, model=model)


# -- reasoning -------------------------------------------------------------------------------------------------

FIELDS = ["reasoning_content", "reasoning", "thinking", "reasoning_details"]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("name", "model", "wanted"),
    [
        ("m", {"interleaved": {"field": "reasoning_details"}}, "reasoning_details"),
        ("m", {"interleaved": True}, "reasoning_content"),
        ("deepseek-chat", {"interleaved": {"field": "thinking"}}, "thinking"),
        ("DeepSeek-R1", None, "reasoning_content"),
        ("claude-opus", {}, "thinking"),
        ("anthropic/some", None, "thinking"),
        ("MiniMax-M2", None, "thinking"),
    ],
)
def test_reasoning_goes_back_where_the_model_wants_it(field: str, name: str, model: Any, wanted: str) -> None:
    given = {"role": "assistant", "content": "Yes", field: "Hm"}
    assert message(given, model=model, name=name) == {"role": "assistant", "content": "Yes", wanted: "Hm"}


@pytest.mark.parametrize("model", [None, {}, {"interleaved": False}, {"interleaved": {}}])
@pytest.mark.parametrize("field", FIELDS)
def test_reasoning_the_model_does_not_want_is_left_out(field: str, model: Any) -> None:
    given = {"role": "assistant", "content": "Yes", field: "Hm"}
    assert message(given, model=model) == {"role": "assistant", "content": "Yes"}


def test_of_several_the_first_that_says_something_counts() -> None:
    given = {"role": "assistant", "content": "Yes", "reasoning_content": "", "thinking": "b", "reasoning": "a"}
    assert message(given, name="deepseek")["reasoning_content"] == "a"


def test_only_the_assistant_reasons() -> None:
    assert message({"role": "user", "content": "Hi", "thinking": "Hm"}, name="claude") == {
        "role": "user",
        "content": "Hi",
    }


# -- text only -------------------------------------------------------------------------------------------------


def test_for_a_model_that_only_reads_text_parts_become_one_text() -> None:
    assert content([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, "c"]) == "a\nb\nc"


@pytest.mark.parametrize(
    ("part", "line"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:..."}},
            "image attachment omitted for text-only model: unnamed",
        ),
        ({"type": "input_audio", "input_audio": {}}, "audio attachment omitted for text-only model: unnamed"),
        ({"type": "file", "file": {"filename": "a.pdf"}}, "file attachment omitted for text-only model: a.pdf"),
        ({"type": "video_url"}, "video_url attachment omitted for text-only model: unnamed"),
        ({}, "unknown attachment omitted for text-only model: unnamed"),
        ({"type": None}, "unknown attachment omitted for text-only model: unnamed"),
    ],
)
def test_what_it_cannot_read_becomes_a_line_that_says_so(part: Any, line: str) -> None:
    assert content([{"type": "text", "text": "Look:"}, part]) == f"Look:\n[{line}]"


@pytest.mark.parametrize("parts", [[], [{"type": "text"}], [{"type": "text", "text": ""}]])
def test_parts_that_say_nothing_become_an_empty_text(parts: Any) -> None:
    assert content(parts) == ""


def test_media_beside_the_text_becomes_a_line_that_counts_it() -> None:
    given = {"role": "assistant", "content": "Here.", "images": [1, 2], "audios": [], "files": [1], "resources": None}
    assert message(given, model=TEXT_ONLY) == {"role": "assistant", "content": "Here.\n[2 images, 1 files omitted]"}


def test_media_without_a_text_leaves_only_that_line() -> None:
    given = {"role": "assistant", "content": None, "images": [1]}
    assert message(given, model=TEXT_ONLY)["content"] == "[1 images omitted]"


def test_media_that_is_no_list_is_left_out() -> None:
    assert message({"role": "user", "content": "Hi", "images": 5}, model=TEXT_ONLY) == {"role": "user", "content": "Hi"}


@pytest.mark.parametrize("model", [None, {}, {"modalities": None}, SEEING, {"modalities": {"input": []}}])
def test_any_other_model_gets_the_parts_as_they_are(model: Any) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:..."}}]
    assert content(parts, model=model) == parts
