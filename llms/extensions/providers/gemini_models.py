"""What Gemini's models can be told, by their generation. No I/O.

https://ai.google.dev/gemini-api/docs/thinking
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Json = dict[str, Any]

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_LEVELS = ("minimal", "low", "medium", "high")
_WORDS = MappingProxyType({"none": "minimal", "xhigh": "high", "max": "high"})  # that are no levels
_BUDGETS = MappingProxyType(  # tokens, as in Google's own OpenAI-compatible API
    {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 32768}
)


@dataclass(frozen=True, slots=True)
class Generation:
    """What one model takes."""

    levels: tuple[str, ...] = ()  # how hard it can think, in words; none where it is told in tokens
    least: int = 0  # tokens for thoughts
    most: int = 24576
    stops: bool = True  # it can be told not to think
    is_new: bool = False  # of the third: insists on the signatures of its calls, reads images inside of a tool's result

    def thinking(self, effort: str) -> tuple[Json, bool]:
        """The `thinkingConfig` for OpenAI's word for how hard to think, and whether it says that as it was meant."""
        if effort == "none" and self.stops and not self.levels:
            return {"thinkingBudget": 0}, True
        thoughts = {"includeThoughts": effort != "none"}
        if self.levels:
            level = _nearest(_WORDS.get(effort, effort), self.levels)
            return {"thinkingLevel": level.upper(), **thoughts}, effort != "none"
        budget = min(max(_BUDGETS.get(effort, 1024), self.least), self.most)
        return {"thinkingBudget": budget, **thoughts}, effort != "none"


def generation_of(model: str, facts: Mapping[str, Any] | None) -> Generation:
    """What `model` takes, by its name and what the catalogue knows of it."""
    name = model.lower()
    version = _VERSION.search(name)
    is_new = int(version[1]) >= 3 if version else name.endswith("-latest")
    options = {option.get("type"): option for option in (facts or {}).get("reasoning_options") or ()}
    if is_new:
        told = options.get("effort", {}).get("values") or _LEVELS
        levels = tuple(level for level in _LEVELS if level in told) or _LEVELS
        return Generation(levels=levels, is_new=True)
    budget = options.get("budget_tokens", {})
    is_pro = "pro" in name
    return Generation(
        least=budget.get("min") or (128 if is_pro else 0),
        most=budget.get("max") or (32768 if is_pro else 24576),
        stops=not is_pro,
    )


def _nearest(wanted: str, levels: tuple[str, ...]) -> str:
    """The least of `levels` that is as hard as `wanted`, or the hardest there is."""
    at_least = _LEVELS.index(wanted) if wanted in _LEVELS else 0
    return next((level for level in levels if _LEVELS.index(level) >= at_least), levels[-1])
