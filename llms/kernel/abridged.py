"""Data short enough for a log."""

from typing import Any


def abridged(data: Any, *, longest: int = 10_000) -> Any:
    """A copy of JSON data in which a string of more than `longest` characters is shown as `(its length)`."""
    if isinstance(data, dict):
        return {key: abridged(value, longest=longest) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [abridged(value, longest=longest) for value in data]
    if isinstance(data, str) and len(data) > longest:
        return f"({len(data)})"
    return data
