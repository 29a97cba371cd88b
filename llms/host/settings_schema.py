"""The schema of an extension's settings."""

from collections.abc import Iterator
from typing import Any

from llms.kernel.errors import ConfigError
from llms.kernel.types import Json


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
    for reference in _references(schema):
        if not _leads_somewhere(reference, schema):
            raise ConfigError(f"`settings` refers to {reference!r}, which is not in it. Write it out, or correct it.")


def _references(schema: Any) -> Iterator[Any]:
    """Every `$ref`; one that led out of the schema would be fetched from the network."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"]
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _leads_somewhere(reference: Any, schema: Json) -> bool:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return False
    found: Any = schema
    for step in reference[2:].split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return isinstance(found, dict)
