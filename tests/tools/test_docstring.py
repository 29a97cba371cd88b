"""What docstrings of each style say of parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.tools.docstring import described

GOOGLE = """Do.

    Args:
        name: The user's name,
            on two lines.
        formal (bool, optional): Whether. Defaults to False.
        *args: The rest.

    Returns:
        Something.
"""
NUMPY = """Do.

    Parameters
    ----------
    name : str
        The user's name,
        on two lines.
    formal, loud : bool, optional
        Whether.
"""
REST = """Do.

    :param name: The user's name,
        on two lines.
    :param bool formal: Whether.
    :returns: Something.
"""


@pytest.mark.parametrize("doc", [GOOGLE, NUMPY, REST])
def test_each_style_is_read(doc: str) -> None:
    told = described(doc)
    assert told["name"] == "The user's name, on two lines."
    assert told["formal"].startswith("Whether.")


def test_names_that_share_a_description_each_have_it() -> None:
    assert described(NUMPY)["loud"] == "Whether."


def test_stars_are_no_part_of_a_name() -> None:
    assert described(GOOGLE)["args"] == "The rest."


@pytest.mark.parametrize(
    "doc", [None, "", "Just a sentence.", "Args:\nname\n", ":param\n:param x\n----", "Args:\n  x:\n"]
)
def test_what_says_nothing_is_empty(doc: str | None) -> None:
    assert described(doc) == {}


@given(st.text(alphabet="aA:-*@ \n\t()[]{}.,\\", max_size=200))
def test_no_text_makes_it_raise(doc: str) -> None:
    for name, text in described(f"Args:\n    {doc}").items():
        assert isinstance(name, str)
        assert text
