"""The schema of an extension's settings."""

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
