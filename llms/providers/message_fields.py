"""What of a message is not for the vendor it goes to: marks of other vendors, and fields that this one refuses."""

from collections.abc import Set
from typing import Any

from llms.kernel.types import Json

# What answers bring and prompts do without: nobody asked for it to be sent, so that it is left out needs no telling.
_BROUGHT = frozenset(
    (
        *("annotations", "audio", "extra_content", "function_call", "images", "audios", "parsed", "provider_metadata"),
        *("reasoning", "reasoning_content", "reasoning_details", "thinking"),
    )
)


def known(message: Json, fields: Set[str]) -> tuple[Json, list[str]]:
    """`message` with these fields alone, and the names of those that said something somebody may miss."""
    strange = message.keys() - fields
    if not strange:
        return message, []
    missed = sorted(name for name in strange - _BROUGHT if message[name])
    return {name: value for name, value in message.items() if name in fields}, missed


def unsigned(message: Json) -> Json:
    """`message` without the `extra_content` of its tool calls, where Google keeps the signatures of its thoughts."""
    calls = message.get("tool_calls")
    if not calls or not any("extra_content" in call for call in calls):
        return message
    return {**message, "tool_calls": [_without(call, "extra_content") for call in calls]}


def with_details_of(message: Json, formats: Set[str]) -> Json:
    """`message` with those of its `reasoning_details` that are in one of `formats`, or say none.

    A detail with an `issuer` was encrypted for the customer of one vendor: nobody else can read it, many refuse it.
    """
    details = message.get("reasoning_details")
    if not isinstance(details, list):
        return message
    kept = [one for one in details if isinstance(one, dict) and _is_of(one, formats)]
    return {**_without(message, "reasoning_details"), **({"reasoning_details": kept} if kept else {})}


def uncached(body: Json) -> Json:
    """`body` without any `cache_control`, Anthropic's mark of what to keep: the same dict, where there is none."""
    messages = [_unmarked(message) for message in body["messages"]]
    tools = [_without(tool, "cache_control") for tool in body.get("tools") or ()]
    same = all(map(_is_same, messages, body["messages"])) and all(map(_is_same, tools, body.get("tools") or ()))
    if same and "cache_control" not in body:
        return body
    return {**_without(body, "cache_control"), "messages": messages, **({"tools": tools} if tools else {})}


def _is_of(detail: Json, formats: Set[str]) -> bool:
    format = detail.get("format")
    return not detail.get("issuer") and (format is None or format in formats)


def _unmarked(message: Json) -> Json:
    message = _without(message, "cache_control")
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [_without(part, "cache_control") for part in content]
    return message if all(map(_is_same, parts, content)) else {**message, "content": parts}


def _without(thing: Any, name: str) -> Any:
    if not isinstance(thing, dict) or name not in thing:
        return thing
    return {key: value for key, value in thing.items() if key != name}


def _is_same(one: Any, other: Any) -> bool:
    return one is other
