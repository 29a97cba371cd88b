"""Chats shown in a log."""

import json
from typing import Any

import pytest

from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.summary import summary


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("data:image/png;base64," + "A" * 60, "data:image/png;base64,(60)"),
        ("data:audio/wav;codecs=1;base64,QUJD", "data:audio/wav;codecs=1;base64,(4)"),
        ("A" * 10_001, "(10001)"),
        ("A" * 10_000, "A" * 10_000),
        ("data: a word", "data: a word"),
        ("https://example.com/cat.png", "https://example.com/cat.png"),
        (None, None),
        (5, 5),
    ],
)
def test_long_data_is_shown_by_its_length(value: Any, shown: Any) -> None:
    assert json.loads(summary({"a": [{"b": value}]})) == {"a": [{"b": shown}]}


def test_what_is_shown_is_a_copy() -> None:
    chat: Any = {"model": "m", "messages": [{"role": "user", "content": "A" * 20_000}]}
    told = OpenAiCompatible(id="a", api="b", api_key="c").chat_summary(chat)
    assert json.loads(told)["messages"][0]["content"] == "(20000)"
    assert len(chat["messages"][0]["content"]) == 20_000


def test_what_json_does_not_know_is_shown_somehow() -> None:
    assert "object" in summary({"a": object()})
