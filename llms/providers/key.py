"""Which API key a provider's entry names."""

from collections.abc import Mapping

from llms.kernel.types import Json


def find_key(entry: Json, environ: Mapping[str, str]) -> str | None:
    """The literal `api_key`, the variable that its `$NAME` names, or the first of `env` that is set."""
    literal = entry.get("api_key")
    if isinstance(literal, str) and literal.startswith("$"):
        literal = environ.get(literal[1:])
    if literal:
        return str(literal)
    return next((value for name in entry.get("env") or () if (value := environ.get(name))), None)
