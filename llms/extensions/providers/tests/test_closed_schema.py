"""Schemas as Claude takes them."""

from typing import Any

import pytest

from llms.extensions.providers.closed_schema import closed
from llms.extensions.providers.tests.anthropic_samples import sent

OBJECT = {"type": "object", "additionalProperties": False}


def test_every_object_is_closed_wherever_it_stands() -> None:
    inner = {"type": "object", "properties": {}}
    schema = {
        "type": ["object", "null"],
        "properties": {"a": inner, "b": {"type": "array", "items": inner}, "c": {"anyOf": [inner, {"type": "null"}]}},
        "$defs": {"d": inner},
    }
    shut = {**inner, "additionalProperties": False}
    assert closed(schema) == (
        {
            "type": ["object", "null"],
            "properties": {"a": shut, "b": {"type": "array", "items": shut}, "c": {"anyOf": [shut, {"type": "null"}]}},
            "$defs": {"d": shut},
            "additionalProperties": False,
        },
        [],
    )


@pytest.mark.parametrize(
    ("bounded", "said", "moved"),
    [
        ({"type": "integer", "minimum": 1}, {"type": "integer", "description": "minimum: 1"}, ["minimum"]),
        (
            {"type": "string", "description": "A name.", "minLength": 1, "maxLength": 9},
            {"type": "string", "description": "A name. (minLength: 1, maxLength: 9)"},
            ["minLength", "maxLength"],
        ),
        ({"type": "array", "minItems": 2}, {"type": "array", "description": "minItems: 2"}, ["minItems"]),
        ({"type": "array", "minItems": 1}, {"type": "array", "minItems": 1}, []),
        ({"type": "string", "format": "email"}, {"type": "string", "format": "email"}, []),
        ({"type": "string", "format": "ean"}, {"type": "string", "description": 'format: "ean"'}, ["format"]),
        ({"type": "string", "pattern": "^a+$"}, {"type": "string", "pattern": "^a+$"}, []),
        ({"type": "string", "pattern": "(?=a)"}, {"type": "string", "description": 'pattern: "(?=a)"'}, ["pattern"]),
        ({"type": "object", "additionalProperties": True}, OBJECT, []),
        (
            {"type": "object", "additionalProperties": {"type": "string"}},
            {**OBJECT, "description": 'additionalProperties: {"type":"string"}'},
            ["additionalProperties"],
        ),
        ({"oneOf": [{"type": "null"}]}, {"anyOf": [{"type": "null"}]}, []),
        ({"enum": [{"minimum": 1}], "default": {"type": "object"}},) * 2 + ([],),
    ],
)
def test_a_bound_that_is_refused_stands_in_the_description(bounded: Any, said: Any, moved: list[str]) -> None:
    assert closed(bounded) == (said, moved)


def test_names_of_properties_are_no_bounds() -> None:
    schema = {**OBJECT, "properties": {"minimum": {"type": "string"}, "format": {"type": "string"}}}
    assert closed(schema) == (schema, [])


def test_a_closed_schema_stays_and_so_does_the_callers() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 3}}}
    shut, _ = closed(schema)
    assert closed(shut) == (shut, [])
    assert schema == {"type": "object", "properties": {"a": {"type": "integer", "maximum": 3}}}


def test_anthropic_is_sent_closed_schemas_and_their_bounds_are_told(caplog: pytest.LogCaptureFixture) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
    shut = {
        "type": "object",
        "properties": {"a": {"type": "integer", "description": "minimum: 1"}},
        "additionalProperties": False,
    }
    loose = {"type": "function", "function": {"name": "f", "parameters": schema}}
    strict = {"type": "function", "function": {"name": "g", "parameters": schema, "strict": True}}
    asked = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    body = sent(response_format=asked, tools=[loose, strict])
    assert body["output_config"]["format"]["schema"] == shut
    assert [tool["input_schema"] for tool in body["tools"]] == [schema, shut]
    assert "response_format.minimum" in caplog.text
    assert "tools.parameters.minimum" in caplog.text
