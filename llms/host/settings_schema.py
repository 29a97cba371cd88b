"""The schema of an extension's settings."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from llms.kernel.errors import ConfigError
from llms.kernel.secrets import is_secret_name
from llms.kernel.types import Json

_REFERENCES = ("$ref", "$dynamicRef")


def check_schema(schema: Json) -> None:
    """Raises ConfigError for what is no JSON Schema of an object with properties."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ConfigError(f"`settings` is no JSON Schema: {error.message}. Correct it.") from error
    properties = schema.get("properties")
    if not isinstance(properties, dict) or schema.get("type") != "object":
        raise ConfigError("`settings` must describe an object with `properties`. Add [settings.properties.NAME].")
    _check_references(schema)


def _check_references(schema: Json) -> None:
    """A reference that led out of the schema would be fetched from the network."""
    found: list[Any] = [schema]
    for part in found:  # grows: what is referred to may lie where no subschema is expected
        for subschema in _subschemas(part):
            if "$id" in subschema and subschema is not schema:
                raise ConfigError("`settings` has a `$id` below its top, which changes what `$ref` means. Remove it.")
            for reference in (subschema[keyword] for keyword in _REFERENCES if keyword in subschema):
                target = _target(reference, schema)
                if not isinstance(target, dict | bool):
                    raise ConfigError(
                        f"`settings` refers to {reference!r}, which is not in it. Write it out, or correct it."
                    )
                if not any(target is known for known in found):
                    found.append(target)
            if any(inner is subschema for inner in _chain(subschema, schema)):
                raise ConfigError(
                    f"`settings` refers to {subschema['$ref']!r}, which leads back to itself. Correct it."
                )


def _subschemas(schema: Any) -> Iterator[Json]:
    """`schema` and every schema in it; data such as a default is none."""
    from referencing.jsonschema import DRAFT202012

    if isinstance(schema, dict):
        yield schema
        for inner in DRAFT202012.subresources_of(schema):
            yield from _subschemas(inner)


def _chain(schema: Json, root: Json) -> Iterator[Json]:
    """What `schema` refers to, what that refers to, and so on, each once."""
    seen: list[int] = []
    target = _target(schema.get("$ref"), root)
    while isinstance(target, dict) and id(target) not in seen:
        seen.append(id(target))
        yield target
        target = _target(target.get("$ref"), root)


def _target(reference: Any, root: Json) -> Any:
    """What `reference` leads to inside of `root`; None where it leads nowhere or out of it."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    registry: Registry[Any] = Registry()
    try:
        return registry.resolver_with_root(DRAFT202012.create_resource(root)).lookup(reference).contents
    except (Unresolvable, LookupError, TypeError, ValueError):  # the latter: a pointer into a text or a list
        return None


# -- places ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A place in the settings, with all the schemas that speak of it."""

    root: Json
    schemas: tuple[Json, ...]
    is_secret: bool  # by what a schema says, by its name, or because it lies in a secret

    @classmethod
    def top(cls, schema: Json) -> "Place":
        return cls(schema, (), False)._below([schema])

    def at(self, key: str) -> "Place":
        """The entry `key` of the object in this place."""
        named = is_secret_name(key) or is_secret_name(key.removesuffix("s"))
        return self._below((inner for schema in self.schemas for inner in _of_key(schema, key)), named)

    def entry(self, index: int) -> "Place":
        """An entry of the list in this place."""
        return self._below(inner for schema in self.schemas for inner in _of_entry(schema, index))

    def types(self) -> set[str]:
        found: set[str] = set()
        for schema in self.schemas:
            kind = schema.get("type", [])
            found.update([kind] if isinstance(kind, str) else kind)
        return found

    def _below(self, schemas: Iterable[Any], is_secret: bool = False) -> "Place":
        found: list[Json] = []
        for schema in schemas:
            _collect(schema, self.root, found)
        said = any(schema.get("writeOnly") is True or schema.get("format") == "password" for schema in found)
        return Place(self.root, tuple(found), self.is_secret or is_secret or said)


def _collect(schema: Any, root: Json, found: list[Json]) -> None:
    """Adds `schema` to `found`, and those that it brings in for the same place."""
    if not isinstance(schema, dict) or any(schema is known for known in found):
        return
    found.append(schema)
    inner = [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, [])]
    inner += [schema.get(keyword) for keyword in ("if", "then", "else")]
    inner += schema.get("dependentSchemas", {}).values()
    inner += [_target(schema[keyword], root) for keyword in _REFERENCES if keyword in schema]
    for part in inner:
        _collect(part, root, found)


def _of_key(schema: Json, key: str) -> list[Any]:
    properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    found = [properties[key]] if key in properties else []
    found += [inner for pattern, inner in patterns.items() if re.search(pattern, key)]
    return found or [schema.get("additionalProperties"), schema.get("unevaluatedProperties")]


def _of_entry(schema: Json, index: int) -> list[Any]:
    first = schema.get("prefixItems", [])
    found = [first[index]] if index < len(first) else [schema.get("items"), schema.get("unevaluatedItems")]
    return [*found, schema.get("contains")]
