"""What stands in a chat's messages and tools that a dialect does not say, by the names under which it is told."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from llms.api import parts_of

Json = dict[str, Any]

_MARK = "cache_control"
_ANSWERED = frozenset(  # what earlier answers bring along: said by whoever has words for it, and missed by nobody
    (
        *("reasoning_content", "reasoning_details", "reasoning", "thinking", "provider_metadata", "annotations"),
        *("extra_content", "parsed"),
    )
)


def unsaid_fields(message: Json, said: Container[str]) -> list[str]:
    """The fields of `message` that are not `said`, and `cache_control` where only a part or a call of it is marked."""
    fields = [f"messages.{name}" for name in message if name not in said and name not in _ANSWERED and message[name]]
    inside = (*parts_of(message.get("content")), *(message.get("tool_calls") or ()))
    return [*fields, *([] if _MARK in said else unsaid_marks(inside))]


def unsaid_marks(things: Iterable[Any]) -> list[str]:
    """`cache_control` where one of these parts, calls or tools is marked."""
    holders = (holder for thing in things if isinstance(thing, dict) for holder in (thing, thing.get("function")))
    marked = any(isinstance(holder, dict) and holder.get(_MARK) is not None for holder in holders)
    return [_MARK] if marked else []
