"""Words to show while something takes its time."""

from itertools import pairwise
from typing import Any

import pytest

from llms.chat.loading import LoadingWords


def test_no_word_follows_itself() -> None:
    words = LoadingWords({"loading": ["A", "B", "C"]})
    shown = [words.next() for _ in range(200)]
    assert set(shown) == {"A...", "B...", "C..."}
    assert all(one != other for one, other in pairwise(shown))


@pytest.mark.parametrize("word", ["Reading", "Reading…", "Reading...", "Reading … "])
def test_a_word_ends_with_three_dots(word: str) -> None:
    assert LoadingWords({"loading": [word]}).next() == "Reading..."


@pytest.mark.parametrize("config", [{}, {"loading": []}, {"loading": None}, {"loading": ["", "…"]}])
def test_there_is_always_a_word(config: Any) -> None:
    words = LoadingWords(config)
    assert [words.next(), words.next()] == ["Thinking..."] * 2


def test_the_words_are_those_of_the_configuration_in_use() -> None:
    config: Any = {"loading": ["Old"]}
    words = LoadingWords(config)
    words.next()
    config["loading"] = ["New"]
    assert words.next() == "New..."
