"""JSON Schemas as Claude takes them for its answers and for strict tools. No I/O.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

Json = dict[str, Any]

_BOUNDS = frozenset(
    (
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
        *("maxItems", "uniqueItems", "contains", "minContains", "maxContains", "minProperties", "maxProperties"),
        *("patternProperties", "propertyNames", "dependentRequired", "dependentSchemas", "not", "if", "then", "else"),
    )
)
_FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
_NO_PATTERN = re.compile(r"\(\?[=!<]|\\[bB1-9]")  # looks around, asks for a word's edge, or refers back
_SCHEMAS = ("items", "additionalItems")  # what stands there is a schema, or a list of them
_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
_NAMED = ("properties", "$defs", "definitions")  # schemas by names of somebody's own


def closed(schema: Any) -> tuple[Any, list[str]]:
    """`schema` with every object closed, and what of it could only be put in words.

    A bound that Claude refuses stands in the `description` of what it bounds. `oneOf` is said as `anyOf`.
    """
    moved: list[str] = []
    return _closed(schema, moved), list(dict.fromkeys(moved))


def _closed(schema: Any, moved: list[str]) -> Any:
    if isinstance(schema, list):
        return [_closed(one, moved) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: value for name, value in schema.items() if not _is_refused(name, value)}
    said = {_said(name, kept): _inside(name, value, moved) for name, value in kept.items()}
    if bounds := {name: value for name, value in schema.items() if name not in kept}:
        words = ", ".join(f"{name}: {msgspec.json.encode(value).decode()}" for name, value in bounds.items())
        said["description"] = f"{said['description']} ({words})" if said.get("description") else words
        moved += bounds
    if _is_object(schema):
        said["additionalProperties"] = False
    return said


def _inside(name: str, value: Any, moved: list[str]) -> Any:
    if name in _NAMED and isinstance(value, dict):
        return {key: _closed(one, moved) for key, one in value.items()}
    return _closed(value, moved) if name in _SCHEMAS or name in _LISTS else value


def _said(name: str, schema: Json) -> str:
    return "anyOf" if name == "oneOf" and "anyOf" not in schema else name


def _is_refused(name: str, value: Any) -> bool:
    if name == "format":
        return value not in _FORMATS
    if name == "pattern":
        return bool(_NO_PATTERN.search(str(value)))
    if name == "minItems":
        return value not in (0, 1)
    return name in _BOUNDS or (name == "additionalProperties" and isinstance(value, dict) and bool(value))


def _is_object(schema: Json) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema
