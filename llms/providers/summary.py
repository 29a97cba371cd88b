"""Chats and answers short enough for a log line."""

import json
import re
from typing import Any

from llms.kernel.abridged import abridged

_INLINE = re.compile(r"(data:[^,\s]{0,200};base64,)(.+)", re.DOTALL)


def summary(data: Any) -> str:
    """`data` as JSON, where inline data is shown as `prefix,(length)` and a long string as `(length)`."""
    return json.dumps(abridged(_without_inline(data)), indent=2, ensure_ascii=False, default=str)


def _without_inline(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_inline(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_without_inline(value) for value in data]
    if isinstance(data, str) and data.startswith("data:") and (found := _INLINE.fullmatch(data)):
        return f"{found[1]}({len(found[2])})"
    return data
