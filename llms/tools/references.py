"""`$ref` in a JSON schema, replaced by what it points at: few providers follow one."""

import copy
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from llms.kernel.types import Json

DEEPEST = 24  # references inside references that are followed
MOST = 500  # references that are followed in one schema
_SCHEMA = ("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else")
_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_BY_NAME = ("properties", "patternProperties", "dependentSchemas")
_DEFINITIONS = ("$defs", "definitions")


def inline(schema: Json) -> Json:
    """`schema`, changed in place: every `$ref` is replaced by what it points at, and the definitions are gone.

    Keys beside a `$ref` win over those it points at. Where a type contains itself, or a reference leads nowhere, only
    the JSON type is kept.
    """
    _Inlining(schema).walk(schema)
    for key in _DEFINITIONS:
        schema.pop(key, None)
    return schema


class _Inlining:
    """One schema whose references are being replaced."""

    def __init__(self, root: Json) -> None:
        self._root = copy.deepcopy(root)
        self._left = MOST

    def walk(self, schema: Json, followed: tuple[str, ...] = ()) -> None:
        while isinstance(ref := schema.get("$ref"), str):
            del schema["$ref"]
            target = self._target(ref)
            if target is None or ref in followed or len(followed) >= DEEPEST or not self._left:
                schema.setdefault("type", _type(target))
                break
            self._left -= 1
            followed = (*followed, ref)
            _fill(schema, target)
        for inner in _inner(schema):
            self.walk(inner, followed)

    def _target(self, ref: str) -> Json | None:
        """The schema at a pointer such as `#/$defs/Point`."""
        if not ref.startswith("#"):
            return None
        found: Any = self._root
        for step in unquote(ref[1:]).split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict):
                found = found.get(key)
            elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                return None
        return found if isinstance(found, dict) else None


def _fill(schema: Json, target: Json) -> None:
    for key, value in target.items():
        if key not in schema and key not in _DEFINITIONS:
            schema[key] = copy.deepcopy(value)


def _type(target: Json | None) -> str:
    kind = (target or {}).get("type")
    return kind if isinstance(kind, str) else "object"


def _inner(schema: Json) -> Iterator[Json]:
    """The schemas in `schema`, not what only looks like one, as a default may."""
    found = [schema.get(key) for key in _SCHEMA]
    for key in _SCHEMAS:
        if isinstance(several := schema.get(key), list):
            found += several
    for key in _BY_NAME:
        if isinstance(named := schema.get(key), dict):
            found += named.values()
    return (inner for inner in found if isinstance(inner, dict))
