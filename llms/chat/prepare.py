"""Shapes a chat for the model that will read it. Copies only what it changes; the caller's dict stays as it is."""

from collections.abc import Set
from typing import Any, cast

from llms.chat.tool_groups import complete_groups, for_glm
from llms.kernel.types import Chat, Json, Message, Model

REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
_OURS = frozenset(("timestamp", "model", "usage", "_sequence", "streaming", "groundingMetadata", "provider_metadata"))
_MEDIA = ("images", "audios", "files", "resources")
_OF_A_TOOL = (*_MEDIA, "texts", "others")  # what a tool made, beside the text that tells of it
_PLAIN = frozenset(("role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio"))


def prepare(chat: Chat, model: Model | None, *, replays: Set[str] = frozenset()) -> Chat:
    """`chat` without what only we understand, in a form `model` can read.

    `replays` names fields of earlier messages that its provider knows how to say, and gets as they are.
    """
    text_only = bool(model) and ((model or {}).get("modalities") or {}).get("input") == ["text"]
    thinks_in = _reasoning_field(chat["model"], model)
    prepared = chat.copy()
    prepared.pop("metadata", None)
    if not prepared.get("tools"):
        prepared.pop("tools", None)
    messages = complete_groups(chat["messages"])
    if "glm" in chat["model"].lower():
        messages = for_glm(messages)
    prepared["messages"] = [
        message
        if message.keys() <= _PLAIN and not (text_only and isinstance(message.get("content"), list))
        else _shaped(message, text_only=text_only, thinks_in=thinks_in, replays=replays)
        for message in messages
    ]
    return prepared


def can_call_tools(model: Model | None) -> bool:
    """Whether `model` may be offered tools: any may that is not known to have none."""
    return (model or {}).get("tool_call") is not False


def _reasoning_field(name: str, model: Model | None) -> str | None:
    """Where this model wants its own earlier reasoning, or None if nowhere."""
    interleaved = (model or {}).get("interleaved")
    if isinstance(interleaved, dict):
        return cast(str | None, interleaved.get("field"))
    name = name.lower()
    if interleaved is True or "deepseek" in name:
        return "reasoning_content"
    if any(family in name for family in ("anthropic", "claude", "minimax")):
        return "thinking"
    return None


def _shaped(message: Message, *, text_only: bool, thinks_in: str | None, replays: Set[str]) -> Message:
    shaped = cast(Json, {key: value for key, value in message.items() if key not in _OURS or key in replays})
    thought = next((found for name in REASONING_FIELDS if (found := _thought(shaped.get(name)))), None)
    for name in REASONING_FIELDS:
        if name not in replays:
            shaped.pop(name, None)
    if thought and thinks_in is not None and message.get("role") == "assistant":
        shaped.setdefault(thinks_in, thought)
    if text_only:
        _project(shaped)
    elif message.get("role") == "assistant":  # no dialect but some has a word for what an answer brought
        for name in {"images", "audios"} - replays:
            shaped.pop(name, None)
    if message.get("role") == "tool":
        for name in _OF_A_TOOL:
            shaped.pop(name, None)
    return cast(Message, shaped)


def _thought(said: Any) -> str:
    """What a reasoning field says, also where it says it in parts."""
    if isinstance(said, list):
        parts = [part for part in said if isinstance(part, dict)]
        return "".join(str(part.get("text") or part.get("summary") or "") for part in parts)
    return said if isinstance(said, str) else ""


def _project(message: Json) -> None:
    """Turns what a text-only model cannot see into a line that says so."""
    content = message.get("content")
    if isinstance(content, list):
        message["content"] = "\n".join(filter(None, map(_as_text, content)))
    omitted = [f"{len(message[key])} {key}" for key in _MEDIA if isinstance(message.get(key), list) and message[key]]
    for key in _MEDIA:
        message.pop(key, None)
    if omitted:
        message["content"] = f"{message.get('content') or ''}\n[{', '.join(omitted)} omitted]".strip()


def _as_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    kind = str(part.get("type") or "unknown")
    if kind == "text":
        return str(part.get("text") or "")
    detail = part.get(kind)
    name = detail.get("filename") if isinstance(detail, dict) else None
    label = {"image_url": "image", "input_audio": "audio"}.get(kind, kind)
    return f"[{label} attachment omitted for text-only model: {name or 'unnamed'}]"
