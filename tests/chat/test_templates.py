"""Chats made from templates."""

import copy
from typing import Any

import pytest

from llms.chat.templates import chat_from_template, set_system_prompt, set_user_text
from llms.kernel.errors import NotFound

CONFIG: Any = {
    "defaults": {
        "text": {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
        "image": {
            "messages": [{"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": "What?"}]}]
        },
        "bare": {},
        "number": 5,
    }
}


@pytest.mark.parametrize("name", [None, "", "text", "chat"])
def test_the_template_is_text_unless_another_is_named(name: str | None) -> None:
    assert chat_from_template(CONFIG, name) == CONFIG["defaults"]["text"]


def test_a_template_is_found_by_its_name() -> None:
    assert chat_from_template(CONFIG, "image")["messages"][0]["content"][1]["text"] == "What?"  # type: ignore[index]


def test_nothing_done_to_a_chat_reaches_its_template() -> None:
    before = copy.deepcopy(CONFIG)
    chat = chat_from_template(CONFIG)
    set_user_text(chat, "changed")
    set_system_prompt(chat, "changed")
    chat["model"] = "changed"
    assert before == CONFIG


def test_a_template_without_messages_has_an_empty_list_of_them() -> None:
    assert chat_from_template(CONFIG, "bare") == {"messages": []}


@pytest.mark.parametrize("config", [CONFIG, {}, {"defaults": None}])
@pytest.mark.parametrize("name", ["nothing", "number"])
def test_an_unknown_template_says_where_to_add_it(config: Any, name: str) -> None:
    with pytest.raises(NotFound, match=rf"^Chat template '{name}' not found. Add it to `defaults` in llms.json.$"):
        chat_from_template(config, name)


def test_a_missing_text_template_is_named() -> None:
    with pytest.raises(NotFound, match=r"^Chat template 'text' not found"):
        chat_from_template({})


def test_a_system_prompt_comes_first() -> None:
    chat = chat_from_template(CONFIG)
    set_system_prompt(chat, "Be brief.")
    assert [message["role"] for message in chat["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    ("messages", "changed"),
    [
        ([], [{"role": "user", "content": "new"}]),
        ([{"role": "user", "content": "old"}], [{"role": "user", "content": "new"}]),
        ([{"role": "user"}], [{"role": "user", "content": "new"}]),
        ([{"role": "user", "content": []}], [{"role": "user", "content": "new"}]),
        (
            [{"role": "user", "content": [{"type": "file"}, {"type": "text", "text": "old"}]}],
            [{"role": "user", "content": [{"type": "file"}, {"type": "text", "text": "new"}]}],
        ),
        (
            [{"role": "user", "content": "old"}, {"role": "assistant", "content": "yes"}],
            [
                {"role": "user", "content": "old"},
                {"role": "assistant", "content": "yes"},
                {"role": "user", "content": "new"},
            ],
        ),
    ],
)
def test_text_takes_the_place_of_the_last_users_or_is_added(messages: Any, changed: Any) -> None:
    chat: Any = {"messages": messages}
    set_user_text(chat, "new")
    assert chat["messages"] == changed
