"""References in schemas, also the ones written to hang us."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.tools.references import DEEPEST, MOST, inline

POINT = {"type": "object", "properties": {"x": {"type": "integer"}}}


def _inline(schema: dict[str, Any]) -> dict[str, Any]:
    assert inline(schema) is schema
    assert "$ref" not in json.dumps(schema)
    return schema


@pytest.mark.parametrize(
    "place",
    [
        lambda ref: {"properties": {"p": ref}},
        lambda ref: {"items": ref},
        lambda ref: {"anyOf": [{"type": "null"}, ref]},
        lambda ref: {"additionalProperties": ref},
        lambda ref: {"properties": {"list": {"type": "array", "items": {"allOf": [ref]}}}},
    ],
)
def test_a_reference_is_replaced_wherever_a_schema_stands(place: Any) -> None:
    assert _inline({**place({"$ref": "#/$defs/Point"}), "$defs": {"Point": POINT}}) == place(POINT)


def test_a_reference_in_a_definition_is_replaced_too() -> None:
    schema = {
        "properties": {"line": {"$ref": "#/$defs/Line"}},
        "$defs": {"Line": {"type": "array", "items": {"$ref": "#/$defs/Point"}}, "Point": POINT},
    }
    assert _inline(schema) == {"properties": {"line": {"type": "array", "items": POINT}}}


def test_a_reference_to_a_reference_is_followed() -> None:
    schema = {"items": {"$ref": "#/$defs/A"}, "$defs": {"A": {"$ref": "#/$defs/B"}, "B": POINT}}
    assert _inline(schema) == {"items": POINT}


def test_older_definitions_are_known() -> None:
    assert _inline({"items": {"$ref": "#/definitions/P"}, "definitions": {"P": POINT}}) == {"items": POINT}


def test_an_escaped_pointer_is_followed() -> None:
    assert _inline({"items": {"$ref": "#/$defs/a~1b%20c"}, "$defs": {"a/b c": POINT}}) == {"items": POINT}


def test_keys_beside_a_reference_win() -> None:
    schema = {
        "items": {"$ref": "#/$defs/P", "description": "this one"},
        "$defs": {"P": {"type": "string", "description": "any"}},
    }
    assert _inline(schema) == {"items": {"type": "string", "description": "this one"}}


def test_two_references_share_nothing() -> None:
    schema = _inline({"properties": {n: {"$ref": "#/$defs/P"} for n in "ab"}, "$defs": {"P": POINT}})
    schema["properties"]["a"]["properties"]["x"]["type"] = "string"
    assert schema["properties"]["b"] == POINT


def test_a_type_that_contains_itself_is_told_once() -> None:
    node = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/Node", "description": "more"}},
    }
    schema = _inline({"properties": {"n": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}})
    assert schema["properties"]["n"]["properties"]["next"] == {"type": "object", "description": "more"}


@pytest.mark.parametrize(
    "definitions",
    [
        {"A": {"$ref": "#/$defs/A"}},
        {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}},
        {},
        {"A": None},
        {"A": True},
        {"A": []},
        None,
        [],
    ],
)
def test_a_circle_or_a_dead_end_leaves_an_object(definitions: Any) -> None:
    schema = _inline({"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": definitions})
    assert schema["properties"]["a"]["type"] == "object"


@pytest.mark.parametrize("ref", ["https://example.org/x", "", "#/", "#/properties/a/anyOf/9", "#/%zz", "nothing"])
def test_a_reference_elsewhere_leaves_an_object(ref: str) -> None:
    assert _inline({"items": {"$ref": ref}})["items"]["type"] == "object"


def test_references_that_double_at_each_level_are_cut_off() -> None:
    definitions = {
        f"L{n}": {"type": "object", "properties": {k: {"$ref": f"#/$defs/L{n + 1}"} for k in "ab"}} for n in range(60)
    }
    schema = _inline({"items": {"$ref": "#/$defs/L0"}, "$defs": definitions})
    assert len(json.dumps(schema)) < MOST * 200


def test_a_long_chain_is_cut_off() -> None:
    definitions = {f"L{n}": {"type": "array", "items": {"$ref": f"#/$defs/L{n + 1}"}} for n in range(3000)}
    schema = _inline({"items": {"$ref": "#/$defs/L0"}, "$defs": definitions})
    assert json.dumps(schema).count("items") == DEEPEST + 1


def test_a_default_that_looks_like_a_reference_is_let_be() -> None:
    schema = {"properties": {"a": {"type": "object", "default": {"$ref": "#/x"}}}}
    assert inline(schema)["properties"]["a"]["default"] == {"$ref": "#/x"}


def test_properties_named_like_keywords_are_let_be() -> None:
    properties = {"$ref": {"type": "string"}, "$defs": {"type": "string"}, "definitions": {"type": "string"}}
    assert inline({"properties": dict(properties)}) == {"properties": properties}


_refs = st.sampled_from(["#", "#/$defs/a", "#/$defs/b", "#/items", "#/properties/a", "x"]).map(
    lambda ref: {"$ref": ref}
)
_schemas = st.recursive(
    _refs | st.just({"type": "string"}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "$ref": st.sampled_from(["#", "#/$defs/a", "#/anyOf/0"]),
            "items": inner,
            "anyOf": st.lists(inner, max_size=2),
            "properties": st.dictionaries(st.sampled_from("ab"), inner),
            "$defs": st.dictionaries(st.sampled_from("ab"), inner),
        },
    ),
    max_leaves=12,
)


@given(_schemas)
def test_no_schema_makes_it_hang_or_raise(schema: dict[str, Any]) -> None:
    inline(schema)
    assert "$ref" not in schema
    assert "$defs" not in schema
