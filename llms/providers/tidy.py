"""Makes answers say in OpenAI's words what their vendor said in others. No I/O.

What vendors really send differs from OpenAI's description: each rule here was met in recorded traffic.
"""

from typing import Any, cast

import msgspec

from llms.kernel.types import Chunk, Completion, Json
from llms.providers import shapes

_THOUGHT = ("reasoning", "thinking")  # what vendors call `reasoning_content`
_CACHED = ("cached_tokens", "prompt_cache_hit_tokens", "num_cached_tokens")  # … and `cached_tokens` of a prompt


def tidy_completion(completion: Completion) -> None:
    """Tidies every message of a whole answer in place."""
    for choice in completion["choices"]:
        _tidy_message(cast(Json, choice.get("message") or {}))
        choice["finish_reason"] = choice.get("finish_reason") or None
    _tidy_usage(cast(Json, completion))


def is_plain(chunk: Json) -> bool:
    """Whether `chunk` is a piece of one choice's text and nothing else, as nearly every chunk is."""
    choices = chunk.get("choices")
    if type(choices) is not list or len(choices) != 1 or type(choice := choices[0]) is not dict:
        return False
    delta = choice.get("delta")
    return (
        type(delta) is dict
        and len(delta) == 1
        and type(delta.get("content")) is str
        and choice.get("finish_reason") is None
        and "error" not in choice
        and chunk.get("usage") is None
        and "error" not in chunk
        and "x_groq" not in chunk
    )


def tidy_chunk(chunk: Chunk) -> bool:
    """Tidies one streamed chunk in place. True if anything was changed."""
    changed = _tidy_usage(cast(Json, chunk))
    choices = chunk.get("choices")
    if choices is None:
        chunk["choices"] = []
        return True
    for choice in choices:
        delta = choice.get("delta")
        if delta is None:
            delta = choice["delta"] = {}
            changed = True
        if choice.get("finish_reason") == "":
            choice["finish_reason"] = None
            changed = True
        changed |= _tidy_message(cast(Json, delta))
    return changed


def _tidy_message(message: Json) -> bool:
    changed = False
    if "tool_calls" in message and not message["tool_calls"]:
        del message["tool_calls"]
        changed = True
    content = message.get("content")
    if isinstance(content, list):
        message["content"], thought = _split_parts(content)
        changed |= _set_reasoning(message, thought) or True
    elif isinstance(content, dict):  # structured output, already parsed (Cloudflare)
        message["content"] = msgspec.json.encode(content).decode()
        changed = True
    for name in _THOUGHT:
        if isinstance(message.get(name), str):
            changed |= _set_reasoning(message, message.pop(name)) or True
    if not message.get("reasoning_content") and isinstance(message.get("reasoning_details"), list):
        details = message["reasoning_details"]
        thought = "".join(_said(part.get("text")) or _said(part.get("summary")) for part in details)
        changed |= _set_reasoning(message, thought)
    return changed


def _set_reasoning(message: Json, thought: str) -> bool:
    if not thought or message.get("reasoning_content"):
        return False
    message["reasoning_content"] = thought
    return True


def _split_parts(parts: list[Any]) -> tuple[str, str]:
    """Text and reasoning of a content list, as Mistral's models answer."""
    text, thought = [], []
    for part in parts:
        if not isinstance(part, dict):
            text.append(_said(part))
        elif part.get("type") == "thinking":
            inner = part.get("thinking")
            thought.append(_split_parts(inner)[0] if isinstance(inner, list) else _said(inner))
        else:
            text.append(_said(part.get("text")))
    return "".join(text), "".join(thought)


def _said(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _tidy_usage(answer: Json) -> bool:
    """Finds usage and cached tokens where some vendors tell them. Usage that cannot be read is as good as none."""
    groq = answer.get("x_groq")
    usage = answer.get("usage") or (groq.get("usage") if isinstance(groq, dict) else None)
    if not usage:
        return False
    if not shapes.is_usage(usage):
        answer["usage"] = None
        return True
    changed = answer.get("usage") is not usage
    answer["usage"] = usage
    return _tidy_cached(usage) or changed


def _tidy_cached(usage: Json) -> bool:
    details = usage.get("prompt_tokens_details") or {}
    cached = next((usage[name] for name in _CACHED if isinstance(usage.get(name), int)), None)
    if cached is None or details.get("cached_tokens") is not None:
        return False
    usage["prompt_tokens_details"] = {**details, "cached_tokens": cached}
    return True
