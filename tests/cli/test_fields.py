"""`--args`: URL-encoded request fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.cli.fields import parse_fields


def test_fields_are_typed() -> None:
    assert parse_fields("temperature=0.7&seed=111&stop=a,b&store=true&x=1&x=2") == {
        "temperature": 0.7,
        "seed": 111,
        "stop": ["a", "b"],
        "store": True,
        "x": ["1", "2"],
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("007", 7),
        ("-3", -3),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("nan", "nan"),  # no JSON number
        ("1e999", "1e999"),
        ("1_000", "1_000"),
        ("٣", "٣"),
        ("True", "True"),
        ("", ""),
        ("a%20b+c", "a b c"),
        ("a,b", "a,b"),
    ],
)
def test_only_what_is_a_json_value_is_one(text: str, value: object) -> None:
    found = parse_fields(f"x={text}")["x"]
    assert (found, type(found)) == (value, type(value))


@given(st.text())
def test_any_text_gives_fields(text: str) -> None:
    assert all(isinstance(value, str | int | float | bool | list) for value in parse_fields(text).values())
