"""Which API keys a provider's entry names, and how one is sent."""

import hashlib
import os
from collections.abc import Mapping
from typing import Any

from llms.kernel.types import Json


def find_keys(entry: Json, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of a provider, each once, in order: those of `api_key` and `api_keys`, else of the first of `env`.

    Each of the two is a key, the `$NAME` of a variable, or a list of these. A variable may hold several keys with
    commas between them, unless it holds JSON: the one credential of some vendors is a document.
    """
    told = [*_each(entry.get("api_key")), *_each(entry.get("api_keys"))]
    keys = [key for value in told for key in (_in_variable(value[1:], environ) if value[0] == "$" else [value])]
    for name in () if keys else entry.get("env") or ():
        if keys := _in_variable(name, environ):
            break
    return tuple(dict.fromkeys(keys))


def find_key(entry: Json, environ: Mapping[str, str]) -> str | None:
    """The first key of a provider, or None."""
    return next(iter(find_keys(entry, environ)), None)


def own_key(entry: Json) -> str | None:
    """The key of a provider made from `entry`: one that is told is taken as it is, even if it is none."""
    told = entry.get("api_key")
    key = told if "api_key" in entry and not isinstance(told, list) else find_key(entry, os.environ)
    return key.strip() if key else None  # read from a file, it ends with a line end


def fingerprint(key: Any) -> str:
    """What tells keys apart without telling them; "" for none."""
    return hashlib.sha256(key.encode()).hexdigest()[:12] if isinstance(key, str) and key else ""


def missing_key(name: str, env: list[str]) -> str:
    """What is said of a provider without a key."""
    return f"Provider '{name}' requires API Key {', '.join(env) or 'api_key'}"


def laid_over(headers: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """`headers` with `given` in place of those of the same name, in whatever case."""
    names = {name.lower() for name in given}
    return {**{name: value for name, value in headers.items() if name.lower() not in names}, **given}


def _each(told: Any) -> list[str]:
    """Every text in what an entry tells of keys, which may be one or a list."""
    return [text for one in (told if isinstance(told, list) else [told]) if one and (text := str(one).strip())]


def _in_variable(name: str, environ: Mapping[str, str]) -> list[str]:
    value = environ.get(name, "").strip()
    if value.startswith(("{", "[")):
        return [value]
    return [key for part in value.split(",") if (key := part.strip())]
