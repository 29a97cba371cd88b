"""Which tools a chat offers."""

import copy
from typing import Any

import pytest

from llms.chat.tool_choice import name_of, tools_of, with_tools, without_tools
from llms.kernel.errors import RequestError


def tool(name: str, **more: Any) -> Any:
    return {"type": "function", "function": {"name": name, **more}}


CUSTOM: Any = {"type": "custom", "custom": {"name": "grep"}}
VENDORS: Any = {"type": "web_search"}


@pytest.mark.parametrize(
    ("chat", "messages", "tools"),
    [
        ({}, [], [tool("a"), tool("b")]),
        ({"tools": None}, [], [tool("a"), tool("b")]),
        ({"messages": [{"role": "user"}]}, [{"role": "user"}], [tool("a"), tool("b")]),
        ({"tools": [tool("c")]}, [], [tool("c"), tool("a"), tool("b")]),
        ({"tools": [tool("a", theirs=1)]}, [], [tool("a", theirs=1), tool("b")]),
        ({"tools": [VENDORS, CUSTOM]}, [], [VENDORS, CUSTOM, tool("a"), tool("b")]),
        ({"response_format": {"type": "json_object"}}, [], []),
        ({"response_format": {"type": "json_object"}, "tools": [tool("c")]}, [], [tool("c")]),
        ({"response_format": None}, [], [tool("a"), tool("b")]),
    ],
)
def test_definitions_are_added_that_the_chat_does_not_have(chat: Any, messages: Any, tools: Any) -> None:
    before = copy.deepcopy(chat)
    copied = with_tools(chat, [tool("a"), tool("b")])
    assert (copied["messages"], copied["tools"]) == (messages, tools)
    assert chat == before


def test_what_is_added_to_the_copy_does_not_reach_the_original() -> None:
    chat: Any = {"messages": [], "tools": [tool("c")]}
    copied = with_tools(chat, [])
    copied["messages"].append({"role": "user"})
    copied["tools"].append(tool("d"))
    assert chat == {"messages": [], "tools": [tool("c")]}


def test_messages_that_are_no_list_are_left_for_the_check() -> None:
    assert with_tools({"messages": "Hi"}, [])["messages"] == "Hi"  # type: ignore[typeddict-item, comparison-overlap]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (tool("a"), "a"),
        (CUSTOM, "grep"),
        (VENDORS, None),
        ({"function": {"name": 5}}, None),
        ({"function": "a"}, None),
        ({}, None),
        (None, None),
        ("a", None),
    ],
)
def test_a_tool_has_a_name_or_none(given: Any, name: str | None) -> None:
    assert name_of(given) == name


@pytest.mark.parametrize("tools", [5, "a", {"a": 1}])
def test_tools_are_a_list(tools: Any) -> None:
    with pytest.raises(RequestError, match="must be a list"):
        tools_of({"tools": tools})


def test_without_some_tools_the_others_stay() -> None:
    chat: Any = {"tools": [tool("a"), tool("b"), VENDORS], "tool_choice": "auto"}
    assert without_tools(chat, {"a"}) == {"tools": [tool("b"), VENDORS], "tool_choice": "auto"}


def test_without_any_tools_nothing_speaks_of_them() -> None:
    chat: Any = {"model": "m", "tools": [tool("a")], "tool_choice": "auto", "parallel_tool_calls": True}
    assert without_tools(chat, {"a"}) == {"model": "m"}
    assert len(chat) == 4
