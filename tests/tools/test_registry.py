"""Registering tools, taking them back, and what third parties do to the live containers."""

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.kernel.errors import ConfigError
from llms.kernel.foreign import ExtensionError
from llms.tools.registry import Tools


@pytest.fixture
def tools() -> Tools:
    return Tools()


def _state(tools: Tools) -> Any:
    return copy.deepcopy((tools.definitions, tools.groups)), dict(tools.functions)


def _def(name: Any, parameters: Any = None) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters or {}}}


def _names(tools: Tools) -> list[str]:
    return [definition["function"]["name"] for definition in tools.definitions]


def add(a: int, b: int = 2) -> int:
    """Add two."""
    return a + b


def other(a: str) -> str:
    return a


def test_a_tool_is_in_every_container(tools: Tools) -> None:
    tools.add(add, group="maths", extension="mine")
    assert tools.functions == {"add": add}
    assert _names(tools) == ["add"]
    assert tools.groups == {"maths": ["add"]}
    tool = tools.get("add")
    assert tool is not None
    assert (tool.name, tool.function, tool.group, tool.extension) == ("add", add, "maths", "mine")
    assert tool.definition is tools.definition("add")


@pytest.mark.parametrize("group", [None, ""])
def test_the_default_group_is_custom(tools: Tools, group: str | None) -> None:
    tools.add(add, group=group)
    assert tools.groups == {"custom": ["add"]}


def test_the_name_is_the_definitions(tools: Tools) -> None:
    definition = _def("plus", {"type": "object", "properties": {"a": {"type": "integer"}}})
    tools.add(add, definition)
    assert tools.functions == {"plus": add}
    assert tools.definition("plus") is definition
    assert tools.get("add") is None


def test_a_tool_that_is_not_there_is_none(tools: Tools) -> None:
    assert tools.get("nothing") is None
    assert tools.definition("nothing") is None


@pytest.mark.parametrize("name", [None, 5, [], {}])
def test_a_name_that_is_no_text_finds_nothing(tools: Tools, name: Any) -> None:
    assert tools.get(name) is None


# -- replacing and undoing -------------------------------------------------------------------------------------


def test_registering_again_replaces_and_moves_to_the_new_group(tools: Tools) -> None:
    tools.add(add, group="old")
    tools.add(other, group="old")
    tools.add(other, _def("add"), group="new")
    assert tools.functions["add"] is other
    assert _names(tools) == ["add", "other"]
    assert tools.groups == {"old": ["other"], "new": ["add"]}


def test_a_group_that_lost_its_last_tool_is_gone(tools: Tools) -> None:
    tools.add(add, group="old")
    tools.add(add, group="new")
    assert tools.groups == {"new": ["add"]}


def test_undo_leaves_nothing(tools: Tools) -> None:
    before = _state(tools)
    undo = tools.add(add)
    undo()
    assert _state(tools) == before
    assert tools.get("add") is None


def test_undo_may_be_called_twice(tools: Tools) -> None:
    undo = tools.add(add)
    undo()
    tools.add(add)
    undo()
    assert tools.functions == {"add": add}


def test_undo_restores_what_it_replaced_where_it_stood(tools: Tools) -> None:
    tools.add(add, group="g", extension="first")
    tools.add(other, group="g")
    before = _state(tools)
    undo = tools.add(other, _def("add"), group="elsewhere", extension="second")
    undo()
    assert _state(tools) == before
    assert (tool := tools.get("add")) is not None
    assert tool.extension == "first"


def test_undoing_what_was_replaced_leaves_the_replacement(tools: Tools) -> None:
    first = tools.add(add)
    second = tools.add(other, _def("add"))
    first()
    assert tools.functions == {"add": other}
    second()
    assert tools.functions == {}
    assert tools.definitions == []
    assert tools.groups == {}


def test_undoing_the_middle_one_of_three_restores_the_first_at_the_end(tools: Tools) -> None:
    tools.add(add, group="1")
    second, third = tools.add(other, _def("add"), "2"), tools.add(print, _def("add"), "3")
    second()
    assert tools.functions == {"add": print}
    third()
    assert tools.functions == {"add": add}
    assert tools.groups == {"1": ["add"]}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=8), st.randoms())
def test_undoing_everything_in_any_order_leaves_what_was_there(
    registrations: list[tuple[str, str]], order: random.Random
) -> None:
    tools = Tools()
    for name, group in (("a", "x"), ("b", "x"), ("c", "y")):
        tools.add(add, _def(name), group)
    before = _state(tools)
    undos = [tools.add(lambda: None, _def(name), group) for name, group in registrations]
    order.shuffle(undos)
    for undo in undos:
        undo()
        assert set(tools.functions) == set(_names(tools)) == {n for names in tools.groups.values() for n in names}
    assert _state(tools) == before


# -- what extensions do to the containers ----------------------------------------------------------------------


def test_a_function_put_in_directly_is_a_tool(tools: Tools) -> None:
    tools.functions["plus"] = add
    tool = tools.get("plus")
    assert tool is not None
    assert tool.parameters["required"] == ["a"]
    assert tools.definition("plus") is None


def test_a_definition_appended_directly_is_used(tools: Tools) -> None:
    tools.functions["plus"] = add
    tools.definitions.append(_def("plus", {"type": "object", "properties": {"x": {}}}))
    tool = tools.get("plus")
    assert tool is not None
    assert tool.parameters["properties"] == {"x": {}}
    assert tools.selected("plus")[0]["function"]["name"] == "plus"


def test_a_tool_deleted_directly_is_gone(tools: Tools) -> None:
    undo = tools.add(add)
    del tools.functions["add"]
    assert tools.get("add") is None
    assert tools.selected("all") == []
    undo()
    assert tools.definitions == []
    assert tools.groups == {}


def test_undo_leaves_a_function_that_somebody_put_there_since(tools: Tools) -> None:
    undo = tools.add(add)
    tools.functions["add"] = other
    undo()
    assert tools.functions == {"add": other}


def test_a_replaced_definition_is_the_one_in_force(tools: Tools) -> None:
    tools.add(add, extension="mine")
    tools.definitions[0] = _def("add", {"properties": {"z": {}}})
    tool = tools.get("add")
    assert tool is not None
    assert tool.parameters == {"properties": {"z": {}}}
    assert tool.extension == "mine"


@pytest.mark.parametrize("rubbish", [None, 5, {}, {"function": None}, {"function": {"name": None}}, []])
def test_rubbish_among_the_definitions_is_passed_over(tools: Tools, rubbish: Any) -> None:
    tools.definitions.append(rubbish)
    undo = tools.add(add)
    assert len(tools.selected("all")) == 1
    assert tools.get("add") is not None
    undo()
    assert tools.definitions == [rubbish]


@pytest.mark.parametrize("rubbish", [None, 5, "add", {}, ()])
def test_rubbish_among_the_groups_is_passed_over(tools: Tools, rubbish: Any) -> None:
    tools.groups["broken"] = rubbish
    undo = tools.add(add, group="fine")
    undo()
    tools.add(add, group="broken")()
    assert "fine" not in tools.groups


@pytest.mark.parametrize("rubbish", [None, 5, "add"])
def test_what_cannot_be_called_is_no_tool(tools: Tools, rubbish: Any) -> None:
    tools.add(add)
    tools.functions["add"] = rubbish
    assert tools.get("add") is None
    assert tools.selected("all") == []


def test_names_appended_to_a_group_directly_stay(tools: Tools) -> None:
    undo = tools.add(add, group="g")
    tools.groups["g"].append("theirs")
    tools.groups["favourites"] = ["add"]
    undo()
    assert tools.groups == {"g": ["theirs"]}


# -- selecting -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("all", ["add", "other"]),
        ("none", []),
        ("other", ["other"]),
        ("other, add", ["add", "other"]),
        ("add,nothing,", ["add"]),
        ("", []),
        (None, []),
        (5, []),
    ],
)
def test_tools_are_selected(tools: Tools, selector: Any, names: list[str]) -> None:
    tools.add(add)
    tools.add(other)
    assert [definition["function"]["name"] for definition in tools.selected(selector)] == names


def test_what_is_selected_is_the_callers_to_change(tools: Tools) -> None:
    tools.add(add)
    before = _state(tools)
    tools.selected("all")[0]["function"]["parameters"]["properties"].clear()
    assert _state(tools) == before


# -- bad registrations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("func", [None, 5, "add", [add], {}])
def test_what_cannot_be_called_is_refused(tools: Tools, func: Any) -> None:
    with pytest.raises(ConfigError, match="must be a function"):
        tools.add(func)


@pytest.mark.parametrize(
    "tool_def",
    [
        *({}, [], "add", 5, {"function": None}, {"function": {}}, {"name": "add"}),
        *(_def(name) for name in (None, 5, "", "a b", "a,b", "a\n", "<lambda>", "x" * 129, "é")),
    ],
)
def test_a_definition_without_a_good_name_is_refused(tools: Tools, tool_def: Any) -> None:
    with pytest.raises(ConfigError, match="needs a name"):
        tools.add(add, tool_def)
    assert tools.definitions == []


def test_a_lambda_needs_a_definition_that_names_it(tools: Tools) -> None:
    with pytest.raises(ConfigError, match="'<lambda>'"):
        tools.add(lambda: None)


@pytest.mark.parametrize("parameters", [5, [1], "x", {"properties": []}, {"properties": {"a": "string"}}])
def test_parameters_that_are_no_schema_are_refused(tools: Tools, parameters: Any) -> None:
    with pytest.raises(ConfigError, match="JSON schema"):
        tools.add(add, _def("add", parameters))


def _circle() -> dict[str, Any]:
    circle: dict[str, Any] = {}
    circle["default"] = circle
    return circle


def _deep() -> Any:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"items": deep}
    return deep


@pytest.mark.parametrize(
    "schema", [_circle(), _deep(), {"default": object()}, {"default": float("nan")}, {"title": "\ud800"}]
)
def test_a_definition_that_is_not_json_is_refused(tools: Tools, schema: Any) -> None:
    with pytest.raises(ConfigError, match="plain JSON"):
        tools.add(add, _def("add", {"properties": {"a": schema}}))
    assert tools.functions == {}


@pytest.mark.parametrize("levels", [130, 300, 500, 900])
def test_a_definition_nested_too_deep_is_refused(tools: Tools, levels: int) -> None:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    with pytest.raises(ConfigError, match=r"deeper|plain JSON"):
        tools.add(add, _def("add", {"properties": {"a": schema}}))


def test_a_definition_whose_references_nest_too_deep_is_refused(tools: Tools) -> None:
    def level(n: int) -> dict[str, Any]:
        schema: dict[str, Any] = {"$ref": f"#/$defs/{n + 1}"}
        for _ in range(20):
            schema = {"items": schema}
        return schema

    with pytest.raises(ConfigError, match=r"deeper|plain JSON"):
        tools.add(add, _def("add", {"properties": {"a": level(0)}, "$defs": {str(n): level(n) for n in range(20)}}))


@pytest.mark.parametrize("group", [5, ["g"], {}])
def test_a_group_that_is_no_text_is_refused(tools: Tools, group: Any) -> None:
    with pytest.raises(ConfigError, match="group"):
        tools.add(add, group=group)


def test_a_function_that_cannot_even_be_read_costs_only_its_extension(tools: Tools) -> None:
    class Hostile:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("no")

        def __call__(self) -> None: ...

    with pytest.raises(ExtensionError, match="no"):
        tools.add(Hostile(), extension="hostile")
    assert tools.functions == {}


# -- what a definition is made fit for -------------------------------------------------------------------------


def test_references_are_inlined_in_place(tools: Tools) -> None:
    definition = _def("t", {"properties": {"p": {"$ref": "#/$defs/P"}}, "$defs": {"P": {"type": "string"}}})
    tools.add(add, definition)
    assert definition["function"]["parameters"] == {"type": "object", "properties": {"p": {"type": "string"}}}


@pytest.mark.parametrize("parameters", [None, {}])
def test_what_providers_insist_on_is_added(tools: Tools, parameters: Any) -> None:
    tools.add(add, {"function": {"name": "t", "description": None, "parameters": parameters}})
    assert tools.definitions == [
        {"type": "function", "function": {"name": "t", "parameters": {"type": "object", "properties": {}}}}
    ]


def _with_user(path: str, user: str) -> str:
    return path + user


@pytest.mark.parametrize(
    ("function", "properties", "required"),
    [(_with_user, ["path"], ["path"]), (lambda **given: given, ["path", "user"], ["path", "user"])],
)
def test_the_user_is_hidden_where_the_function_is_given_it(
    tools: Tools, function: Callable[..., Any], properties: list[str], required: list[str]
) -> None:
    schema = {"properties": {"path": {}, "user": {}}, "required": ["path", "user"]}
    tools.add(function, _def("t", schema))
    parameters = tools.definitions[0]["function"]["parameters"]
    assert (list(parameters["properties"]), parameters["required"]) == (properties, required)
