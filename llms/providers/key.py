"""Which API key a provider's entry names, and how it is sent."""

import os
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


def own_key(entry: Json) -> str | None:
    """The key of a provider made from `entry`: one that is told is taken as it is, even if it is none."""
    key = entry["api_key"] if "api_key" in entry else find_key(entry, os.environ)
    return key.strip() if key else None  # read from a file, it ends with a line end


def missing_key(name: str, env: list[str]) -> str:
    """What is said of a provider without a key."""
    return f"Provider '{name}' requires API Key {', '.join(env) or 'api_key'}"


def laid_over(headers: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """`headers` with `given` in place of those of the same name, in whatever case."""
    names = {name.lower() for name in given}
    return {**{name: value for name, value in headers.items() if name.lower() not in names}, **given}
