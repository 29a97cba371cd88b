"""What the models of Anthropic's dialect can be told, by their generation. No I/O.

https://platform.claude.com/docs/en/about-claude/models/overview and the migration guide of each model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Json = dict[str, Any]
Version = tuple[int, int]

_FAMILY_FIRST = re.compile(r"claude-(opus|sonnet|haiku|fable|mythos)-(\d+)(?:[-.](\d{1,2}))?(?!\d)")
_VERSION_FIRST = re.compile(r"claude-(\d)(?:[-.](\d))?-(opus|sonnet|haiku)")
_STOPS: Mapping[tuple[str, Version], str] = MappingProxyType(
    {
        ("sonnet", (5, 0)): "disabled",
        ("opus", (5, 0)): "disabled",
        ("haiku", (5, 5)): "disabled",
        ("sonnet", (5, 5)): "between_tools",
    }
)
_EFFORTS = MappingProxyType({"minimal": "low"})  # OpenAI's words that are not also Anthropic's
_BUDGETS = MappingProxyType({"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32000, "max": 32000})
_LEAST = 1024  # tokens: the smallest budget that is taken


@dataclass(frozen=True, slots=True)
class Generation:
    """What one model takes. What is not told here, every model takes."""

    thinks: Literal["never", "budget", "adaptive"] = "budget"
    always: bool = False  # it thinks unless told otherwise
    stops: str = ""  # the `thinking.type` that stops one that always thinks; "" where nothing does
    hides: bool = False  # thoughts are shown on request only
    top_effort: str = "max"  # what `xhigh` is called
    samples: bool = True  # temperature, top_p and top_k
    one_sampling: bool = False  # either a temperature or a top_p
    forced: bool = True  # a tool choice that makes it call one
    structured: bool = True  # a schema for its answer, and strict tools


def generation_of(model: str, facts: Mapping[str, Any] | None = None) -> Generation:
    """What `model` takes, by its name and what the catalogue knows of it. A stranger takes what the first did."""
    known, named = facts or {}, _named(model.lower())
    structured = known.get("structured_output") is not False
    if named is None:
        return Generation(thinks="never" if known.get("reasoning") is False else "budget", structured=structured)
    family, version = named
    if version < (4, 6):
        thinks: Literal["never", "budget"] = "budget" if version >= (3, 7) else "never"
        structured = structured and version >= (4, 1)
        return Generation(thinks=thinks, one_sampling=version >= (4, 1), structured=structured)
    return Generation(
        thinks="adaptive",
        always=version >= (5, 0),
        stops=_STOPS.get(named, ""),
        hides=version >= (4, 7),
        top_effort="xhigh" if version >= (4, 7) else "max",
        samples=version < (4, 7),
        one_sampling=True,
        forced=version < (5, 1) or family == "haiku",
        structured=structured,
    )


def thinking_for(effort: str, generation: Generation, max_tokens: int) -> Json | None:
    """The fields that say `effort`, OpenAI's word for how hard to think; None where `generation` has none for it."""
    if effort == "none":
        return _no_thinking(generation)
    if generation.thinks == "adaptive":
        effort = generation.top_effort if effort == "xhigh" else _EFFORTS.get(effort, effort)
        thinking: Json = {"type": "adaptive", **({"display": "summarized"} if generation.hides else {})}
        return {"thinking": thinking, "output_config": {"effort": effort}}
    budget = min(_BUDGETS.get(effort, 0), max_tokens * 4 // 5)  # the answer has to fit behind it
    if generation.thinks == "never" or budget < _LEAST:
        return None
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _no_thinking(generation: Generation) -> Json:
    if generation.stops:
        return {"thinking": {"type": generation.stops}}
    return {"output_config": {"effort": "low"}} if generation.always else {}


def _named(model: str) -> tuple[str, Version] | None:
    """The family and the version in a model's name; None where it is no Claude's."""
    if found := _FAMILY_FIRST.search(model):
        return found[1], (int(found[2]), int(found[3] or 0))
    if found := _VERSION_FIRST.search(model):
        return found[3], (int(found[1]), int(found[2] or 0))
    return None
