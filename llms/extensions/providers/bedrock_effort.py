"""How each family of models on Bedrock is told to reason, and what it cannot be told then. No I/O.

https://docs.aws.amazon.com/bedrock/latest/userguide/inference-reasoning.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .anthropic_models import Generation, generation_of, thinking_for
from .bedrock_blocks import call_in

Json = dict[str, Any]
_WORDS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_NO_LIMIT = 1_000_000  # tokens
_LIMITS = ("temperature", "top_p", "max_tokens", "max_completion_tokens")


def reasoning_fields(chat: Json, messages: list[Json]) -> tuple[Json, tuple[str, ...]]:
    """The maker's own fields that say `reasoning_effort`, and the names of the fields that `chat` is better without.

    `messages` are those of the request.
    """
    if "claude" in chat["model"]:
        return _claude(chat, messages, generation_of(chat["model"]))
    effort = chat.get("reasoning_effort")
    if effort in (None, "none"):  # these reason when they are told to, or always
        return {}, ()
    say = next((say for family, say in _FAMILIES if family.search(chat["model"])), None)
    if say is None or effort not in _WORDS:
        return {}, ("reasoning_effort",)
    fields = say(_WORDS[effort])
    too_much = _LIMITS if fields.get("reasoningConfig", {}).get("maxReasoningEffort") == "high" else ()
    return fields, tuple(name for name in too_much if name in chat)


def _claude(chat: Json, messages: list[Json], generation: Generation) -> tuple[Json, tuple[str, ...]]:
    forced = chat.get("tool_choice") not in (None, "auto", "none")
    unsaid = ["tool_choice"] if forced and not generation.forced else []
    own, effort = {}, chat.get("reasoning_effort")
    if effort is not None and "thinking" not in chat:
        most = chat.get("max_completion_tokens") or chat.get("max_tokens") or _NO_LIMIT
        told = thinking_for(effort, generation, most)
        kind = ((told or {}).get("thinking") or {}).get("type")
        if told and kind == "adaptive" and forced:
            del told["thinking"]
        if told is None or (kind == "enabled" and (forced or _has_forgotten(messages))):
            unsaid.append("reasoning_effort")
        else:
            own = told
    thinking = own.get("thinking") or chat.get("thinking") or {}
    thinks = thinking.get("type") in ("enabled", "adaptive")
    return own, (*unsaid, *_unsampled(chat, generation, thinks=thinks))


def _unsampled(chat: Json, generation: Generation, *, thinks: bool) -> tuple[str, ...]:
    """What Claude refuses to be sampled with: anything but 1 while it thinks, and some always; some take only one."""
    given = {name: chat[name] for name in ("temperature", "top_p", "top_k") if chat.get(name) is not None}
    if thinks or not generation.samples:
        return tuple(name for name, value in given.items() if value != 1)
    return ("top_p",) if generation.one_sampling and {"temperature", "top_p"} <= given.keys() else ()


def _has_forgotten(messages: list[Json]) -> bool:
    """Whether tools answer a call whose reasoning is gone: Claude does not think on without it."""
    said: list[Json] = next((one["content"] for one in reversed(messages) if one["role"] == "assistant"), [])
    waits = messages[-1]["role"] == "user" and any(call_in(block) is not None for block in said)
    return waits and "reasoningContent" not in said[0]


_FAMILIES: tuple[tuple[re.Pattern[str], Callable[[str], Json]], ...] = (
    (
        # High effort takes no limits: https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
        re.compile(r"nova-(?!lite|pro|micro|premier|sonic)"),
        lambda effort: {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}},
    ),
    (re.compile(r"gpt-oss"), lambda effort: {"reasoning_effort": effort}),
    (re.compile(r"qwen"), lambda effort: {"reasoning_config": effort}),
)
