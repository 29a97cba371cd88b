"""From a function to the definition that models are given."""

import functools
from collections.abc import Callable
from typing import Any

import pytest

from llms.tools.schema import sanitize_tool_def, tool_definition


def _parameters(function: Callable[..., Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = tool_definition(function)["function"]["parameters"]
    return parameters


def _properties(function: Callable[..., Any]) -> dict[str, Any]:
    properties: dict[str, Any] = _parameters(function)["properties"]
    return properties


def test_the_golden_definition() -> None:
    def probe_add(a: int, b: int = 2) -> dict[str, int]:
        """Add two."""
        return {"sum": a + b}

    assert tool_definition(probe_add) == {
        "type": "function",
        "function": {
            "name": "probe_add",
            "description": "Add two.",
            "parameters": {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 2}},
                "required": ["a"],
            },
        },
    }


def test_the_seeds_web_search() -> None:
    def web_search(query: str, max_results: int | None = 10, page: int = 1) -> dict[str, Any]:
        """
        Perform a web search using DuckDuckGo.
        """
        return {}

    definition = tool_definition(web_search)["function"]
    assert definition["description"] == "Perform a web search using DuckDuckGo."
    assert definition["parameters"] == {
        "type": "object",
        "properties": {
            "query": {"type": "string"},
            "max_results": {"type": "integer", "default": 10},
            "page": {"type": "integer", "default": 1},
        },
        "required": ["query"],
    }


def test_the_seeds_greeting_with_its_args_block() -> None:
    def greet_user(name: str, formal: bool = False) -> str:
        """Greet a user by name.

        Args:
            name: The user's name
            formal: Whether to use formal greeting

        Returns:
            A greeting message
        """
        return name

    assert _properties(greet_user) == {
        "name": {"type": "string", "description": "The user's name"},
        "formal": {"type": "boolean", "description": "Whether to use formal greeting", "default": False},
    }


def test_the_description_is_the_whole_docstring() -> None:
    def tool(a: int) -> None:
        """First.

        Args:
            a: A number.
        """

    description = tool_definition(tool)["function"]["description"]
    assert description.startswith("First.")
    assert description.endswith("a: A number.")


def test_a_function_without_docstring_has_an_empty_description() -> None:
    assert tool_definition(lambda: None)["function"]["description"] == ""


def test_the_user_is_not_in_the_schema() -> None:
    def read(path: str, user: str) -> str:
        return path + user

    assert _parameters(read) == {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}


def test_rest_parameters_are_left_out() -> None:
    def tool(a: int, *args: int, **kwargs: int) -> None: ...

    assert list(_properties(tool)) == ["a"]
    assert _parameters(tool)["required"] == ["a"]


def test_positional_and_keyword_only_parameters_are_in_it() -> None:
    def tool(a: int, /, *, b: str) -> None: ...

    assert _parameters(tool)["required"] == ["a", "b"]


class Shelf:
    """A shelf."""

    def find(self, title: str) -> str:
        """Find a book."""
        return title

    def __call__(self, row: int) -> int:
        """Show a row."""
        return row


def test_a_method_is_told_without_self() -> None:
    definition = tool_definition(Shelf().find)["function"]
    assert definition["name"] == "find"
    assert definition["description"] == "Find a book."
    assert list(definition["parameters"]["properties"]) == ["title"]


def test_an_object_that_can_be_called_has_the_name_of_its_class() -> None:
    definition = tool_definition(Shelf())["function"]
    assert definition["name"] == "Shelf"
    assert definition["description"] == "Show a row."
    assert definition["parameters"]["properties"] == {"row": {"type": "integer"}}


def test_a_class_is_told_by_its_constructor() -> None:
    class Point:
        """A point."""

        def __init__(self, x: "int") -> None: ...

    definition = tool_definition(Point)["function"]
    assert (definition["name"], definition["description"]) == ("Point", "A point.")
    assert definition["parameters"]["properties"] == {"x": {"type": "integer"}}


def test_what_a_partial_has_filled_is_not_in_it() -> None:
    def tool(root: str, path: str, depth: int = 1) -> None:
        """Look."""

    definition = tool_definition(functools.partial(tool, "/safe", depth=3))["function"]
    assert (definition["name"], definition["description"]) == ("tool", "Look.")
    assert definition["parameters"]["properties"] == {"path": {"type": "string"}}


def test_an_async_function_is_told_like_any_other() -> None:
    async def tool(a: int) -> None: ...

    assert _properties(tool) == {"a": {"type": "integer"}}


def test_a_decorated_function_is_told_as_what_it_wraps() -> None:
    def inner(a: "int") -> None:
        """Inner."""

    @functools.wraps(inner)
    def outer(*args: Any, **kwargs: Any) -> None: ...

    assert tool_definition(outer)["function"]["description"] == "Inner."
    assert _properties(outer) == {"a": {"type": "integer"}}


@pytest.mark.parametrize("function", [dict, int, max, {}.get, print])
def test_a_function_that_cannot_be_looked_into_is_still_told(function: Callable[..., Any]) -> None:
    assert _parameters(function)["type"] == "object"


@pytest.mark.parametrize("default", [None, float("nan"), float("inf"), object(), "\ud800", int, [object()]])
def test_a_default_that_json_cannot_say_is_left_out(default: Any) -> None:
    def tool(a: int = default) -> None: ...

    assert _properties(tool) == {"a": {"type": "integer"}}
    assert _parameters(tool)["required"] == []


@pytest.mark.parametrize("signature", [5, "nonsense", property()])
def test_a_lying_signature_is_no_signature(signature: Any) -> None:
    def tool(a: int) -> None: ...

    tool.__signature__ = signature  # type: ignore[attr-defined]
    assert _properties(tool) == {}


def test_references_are_replaced_in_place_and_definitions_dropped() -> None:
    parameters = {
        "type": "object",
        "properties": {"p": {"$ref": "#/$defs/Point"}},
        "$defs": {"Point": {"type": "object", "properties": {"x": {"type": "integer"}}}},
    }
    tool_def = {"type": "function", "function": {"name": "t", "parameters": parameters}}
    assert sanitize_tool_def(tool_def) is tool_def
    assert parameters == {
        "type": "object",
        "properties": {"p": {"type": "object", "properties": {"x": {"type": "integer"}}}},
    }


@pytest.mark.parametrize("tool_def", [{}, {"function": None}, {"function": {}}, {"function": {"parameters": []}}])
def test_a_definition_that_is_none_stays_as_it_was(tool_def: dict[str, Any]) -> None:
    assert sanitize_tool_def(dict(tool_def)) == tool_def
