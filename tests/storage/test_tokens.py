"""Estimates of tokens: of texts and of messages, never a crash."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.db import count_tokens_approx


def test_a_text_is_about_a_token_for_four_letters() -> None:
    assert count_tokens_approx("") == 0
    assert count_tokens_approx("abc") == 1
    assert count_tokens_approx("x" * 400) == 100


def test_text_in_other_scripts_has_more_tokens_than_a_quarter_of_its_letters() -> None:
    assert count_tokens_approx("日本語" * 100) > 200


def test_messages_are_counted_with_their_parts_and_tool_calls() -> None:
    plain = [{"role": "user", "content": "x" * 400}]
    parts = [{"role": "user", "content": [{"type": "text", "text": "x" * 400}]}]
    calls = [{"role": "assistant", "content": None, "tool_calls": [{"function": {"arguments": "x" * 400}}]}]
    assert count_tokens_approx(plain) == count_tokens_approx(parts) == 104
    assert 104 < count_tokens_approx(calls) < 130
    assert count_tokens_approx(plain * 3) == 312


def test_the_bytes_of_an_attachment_are_no_text() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}
    assert 500 < count_tokens_approx([{"role": "user", "content": [image]}]) < 2000


@pytest.mark.parametrize("messages", [None, [], [None], ["text"], [3], [{}], [{"content": 3}], [{"content": [None]}]])
def test_what_is_no_message_counts_next_to_nothing(messages: Any) -> None:
    assert count_tokens_approx(messages) <= 4


@given(text=st.text(st.characters(codec=None, exclude_categories=())))
def test_any_text_can_be_counted(text: str) -> None:
    assert 0 <= count_tokens_approx(text) <= len(text) + 1
    assert count_tokens_approx(text + "x") >= count_tokens_approx(text)
