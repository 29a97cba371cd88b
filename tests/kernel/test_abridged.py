"""Long strings are shown by their length; the data itself stays whole."""

from llms.kernel.abridged import abridged


def test_only_long_strings_are_shortened() -> None:
    data = {"a": "x" * 11, "b": ["y" * 10, ("z" * 12,)], "c": 5}
    assert abridged(data, longest=10) == {"a": "(11)", "b": ["y" * 10, ["(12)"]], "c": 5}
    assert data["a"] == "x" * 11
