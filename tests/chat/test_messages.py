"""What is read from a chat and its answer."""

import copy
import time
from typing import Any

import pytest

from llms.chat.messages import (
    chat_response_to_message,
    chat_to_aspect_ratio,
    chat_to_prompt,
    chat_to_system_prompt,
    last_user_prompt,
    parse_json_response,
    to_file_info,
)


def text(value: Any) -> Any:
    return {"type": "text", "text": value}


def user(content: Any) -> Any:
    return {"role": "user", "content": content}


CHAT: Any = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "Be kind."},
        user("First."),
        {"role": "assistant", "content": "Yes?"},
        user([{"type": "image_url", "image_url": {"url": "x"}}, text("Look."), text("Well?")]),
    ],
}
EMPTY: Any = [[], {}, None, {"choices": []}, {"choices": None}]
RUBBISH: Any = [
    *({}, {"messages": None}, {"messages": []}, {"messages": "Hi"}, {"messages": [None, 5, "Hi"]}),
    *({"messages": [user(content)]} for content in (None, "", [], 5, [5, None], [text(None)], [text(5)], {"a": 1})),
]


def test_the_prompt_is_all_that_the_user_said() -> None:
    assert chat_to_prompt(CHAT) == "First.\nLook.\nWell?"


def test_the_system_prompt_is_the_first_one() -> None:
    assert chat_to_system_prompt(CHAT) == "Be brief."
    assert chat_to_system_prompt({"messages": [{"role": "system", "content": [text("a"), text("b")]}]}) == "a\nb"
    assert chat_to_system_prompt({"messages": [user("Hi")]}) is None


@pytest.mark.parametrize(
    ("messages", "last"),
    [
        (CHAT["messages"], "Well?"),
        ([user("a"), user("b")], "b"),
        ([user("a"), {"role": "assistant", "content": "b"}], "a"),
        ([user("a"), user([{"type": "image_url"}])], ""),
        ([user(["bare"])], "bare"),
    ],
)
def test_the_last_prompt_is_the_last_text_of_the_last_user_message(messages: Any, last: str) -> None:
    assert last_user_prompt({"messages": messages}) == last


@pytest.mark.parametrize("chat", RUBBISH)
def test_a_chat_in_which_nobody_said_anything_is_no_error(chat: Any) -> None:
    assert (chat_to_prompt(chat), last_user_prompt(chat), chat_to_system_prompt(chat)) == ("", "", None)


@pytest.mark.parametrize(
    ("chat", "ratio"),
    [
        ({"image_config": {"aspect_ratio": "16:9"}}, "16:9"),
        ({"image_config": {}}, None),
        ({"image_config": None}, None),
        ({"image_config": "16:9"}, None),
        ({"image_config": {"aspect_ratio": 5}}, None),
        ({}, None),
    ],
)
def test_the_aspect_ratio_is_that_of_the_image_asked_for(chat: Any, ratio: str | None) -> None:
    assert chat_to_aspect_ratio(chat) == ratio


MESSAGE: Any = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm"}


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ({"choices": [{"message": MESSAGE}]}, MESSAGE),
        ({"choices": [{"message": MESSAGE}, {"message": {}}]}, MESSAGE),
        ({"message": MESSAGE}, MESSAGE),
        ([{"message": MESSAGE}], MESSAGE),
        (MESSAGE, MESSAGE),
        ("Hi", {"role": "assistant", "content": "Hi"}),
        *((empty, {"role": "assistant", "content": ""}) for empty in EMPTY),
    ],
)
def test_an_answer_is_a_message_with_its_time(response: Any, message: Any) -> None:
    before = copy.deepcopy(response)
    made: Any = chat_response_to_message(response)
    assert time.time() * 1000 - 60_000 < made.pop("timestamp") <= time.time() * 1000
    assert made == message
    assert response == before


def test_a_file_is_described_by_the_chat_that_made_it() -> None:
    chat: Any = {
        "model": "m",
        "messages": [user("A cat.")],
        "image_config": {"aspect_ratio": "1:1", "seed": 7},
        "metadata": {"user": "ann", "other": 1},
    }
    info = {"type": "image/png"}
    assert to_file_info(chat, info, {"cost": 0.04}) == {
        "type": "image/png",
        "model": "m",
        "prompt": "A cat.",
        "aspect_ratio": "1:1",
        "seed": 7,
        "user": "ann",
        "cost": 0.04,
    }
    assert info == {"type": "image/png"}


def test_what_is_known_of_a_file_already_stands() -> None:
    chat: Any = {"model": "m", "messages": [user("A cat.")]}
    assert to_file_info(chat, {"prompt": "A dog."}) == {"model": "m", "prompt": "A dog."}


@pytest.mark.parametrize("chat", [*RUBBISH, {"image_config": 5, "metadata": 5}])
def test_nothing_is_known_of_a_file_from_an_empty_chat(chat: Any) -> None:
    assert to_file_info(chat) == {}


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (" [1, 2]\n", [1, 2]),
        ("5", 5),
        ("null", None),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```\n{"a": 1}\n```', {"a": 1}),
        ('```{"a": 1}```', {"a": 1}),
        ('Here you are:\n```json\n{"a": 1}\n```\nEnjoy.', {"a": 1}),
        ('Sure! {"a": {"b": "}"}} is it.', {"a": {"b": "}"}}),
        ('{not json} but {"a": 1}', {"a": 1}),
        ("It is [1, 2].", [1, 2]),
        ('```json\n{"a": 1', None),
        ("no JSON at all", None),
        ("", None),
        ("[" * 100_000, None),
        ('{"a":' * 100_000, None),
        ("{" * 100_000, None),
    ],
    ids=range(17),
)
def test_json_is_found_in_an_answer(answer: str, value: Any) -> None:
    if value is None and answer != "null":
        with pytest.raises(ValueError, match="JSON"):
            parse_json_response(answer)
    else:
        assert parse_json_response(answer) == value
