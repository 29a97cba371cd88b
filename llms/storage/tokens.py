"""How many tokens a text has, when no model is at hand to tell."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

_BYTES_PER_TOKEN = 4  # English text; counting bytes, not characters, comes near for other scripts too
_PER_MESSAGE = 4  # role and marks around it
_PER_ATTACHMENT = 1000  # an image of ordinary size; its bytes are no measure


def count_tokens_approx(messages: str | Iterable[Any] | None) -> int:
    """About how many tokens a text, or a list of chat messages, takes. What is no message counts nothing."""
    if isinstance(messages, str):
        return _of_text(messages)
    return sum(map(_of_message, messages or ()))


def _of_message(message: Any) -> int:
    if not isinstance(message, Mapping):
        return 0
    content, calls = message.get("content"), message.get("tool_calls")
    parts = content if isinstance(content, list) else [content]
    tokens = _PER_MESSAGE + sum(map(_of_part, parts))
    return tokens + (_of_text(json.dumps(calls, default=str)) if calls else 0)


def _of_part(part: Any) -> int:
    if isinstance(part, str):
        return _of_text(part)
    if not isinstance(part, Mapping):
        return 0
    text = part.get("text")
    return _of_text(text) if isinstance(text, str) else _PER_ATTACHMENT


def _of_text(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)
