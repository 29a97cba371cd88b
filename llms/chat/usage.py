"""Tokens and money of one answer, or of all the answers of one tool loop."""

import time
from typing import Any, TypeGuard, cast

from llms.kernel.types import Completion, Context, Json, Usage

_TICKS = 10_000_000_000  # a dollar, as xAI tells it


def cost_of(usage: Usage, prices: Json) -> int:
    """Micro-dollars for `usage` at `prices` (dollars per million tokens, so tokens x price is micro-dollars).

    `type: "request"` means `output` dollars for the request, whatever its size. A price that is not told for cached
    or reasoning tokens is that of ordinary ones. Counts that contradict each other never make a part negative.
    """
    if prices.get("type") == "request":
        return round(_price(prices, "output", 0) * 1_000_000)
    prompt, output = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    details = cast(Json, usage.get("prompt_tokens_details") or {})
    read, written = details.get("cached_tokens") or 0, details.get("cache_write_tokens") or 0
    thought = (cast(Json, usage.get("completion_tokens_details") or {})).get("reasoning_tokens") or 0
    if thought and usage.get("total_tokens") == prompt + output + thought:
        output += thought  # xAI counts reasoning beside the answer, not in it
    read, thought = min(read, prompt), min(thought, output)
    written = min(written, prompt - read)
    per_input, per_output = _price(prices, "input", 0), _price(prices, "output", 0)
    return round(
        (prompt - read - written) * per_input
        + read * _price(prices, "cache_read", per_input)
        + written * _price(prices, "cache_write", per_input)
        + (output - thought) * per_output
        + thought * _price(prices, "reasoning", per_output)
    )


def _price(prices: Json, name: str, default: float) -> float:
    """A price; `default` where none is told, or something that is no number."""
    value = prices.get(name)
    return value if isinstance(value, int | float) else default


def reported_cost(answer: Any) -> float | None:
    """Dollars, where the provider itself says what the answer cost."""
    usage = answer.get("usage") or {}
    for value in (usage.get("cost"), answer.get("cost")):
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, dict) and isinstance(value.get("total_cost"), int | float):  # Perplexity
            return float(value["total_cost"])
    ticks = usage.get("cost_in_usd_ticks")
    return ticks / _TICKS if isinstance(ticks, int) else None


def account(completion: Completion, context: Context) -> None:
    """Writes duration, prices and cost into a whole answer."""
    count(cast(Json, completion), context)
    describe(completion, context)


def describe(completion: Completion, context: Context) -> None:
    """Writes the duration counted before, and the prices, into the answer's metadata."""
    given = completion.get("metadata")
    metadata = completion["metadata"] = {**given} if isinstance(given, dict) else {}
    metadata["duration"] = round(context["duration"] * 1000)
    prices = context.get("modelCost")
    if prices and prices.get("input") is not None and prices.get("output") is not None:
        metadata["pricing"] = f"{prices['input']}/{prices['output']}"


def count(answer: Json, context: Context) -> None:
    """Writes into an answer, or its usage chunk, the duration so far and, where it can be told, the cost."""
    started = context.get("startedAt") or time.time()
    context["duration"] = round(time.time() - started, 3)
    usage = answer.get("usage")
    if usage:
        usage["duration"] = context["duration"]
    cost = reported_cost(answer)
    if cost is None and usage and (prices := context.get("modelCost")):
        cost = cost_of(usage, prices) / 1_000_000
    if cost is not None:
        answer["cost"] = cost


class Tally:
    """What the answers of one tool loop took together."""

    def __init__(self) -> None:
        self._usage: Json = {}
        self._cost: float | None = None
        self._started: float | None = None

    def add(self, completion: Completion, context: Context) -> None:
        """Counts one answer, at the prices of whoever gave it."""
        answer = cast(Json, completion)
        count(answer, context)
        if self._started is None:
            self._started = context.get("startedAt")
        self._usage = _sum(self._usage, answer.get("usage") or {})
        if _is_number(cost := answer.get("cost")):
            self._cost = round((self._cost or 0.0) + cost, 12)

    def account(self, completion: Completion, context: Context) -> None:
        """Writes into the last answer what all of them took; the time between them, while tools ran, counts too."""
        if self._started is not None:
            context["startedAt"] = self._started
        answer = cast(Json, completion)
        answer.pop("usage", None)
        count(answer, context)  # the duration
        if self._usage:
            answer["usage"] = {**self._usage, "duration": context["duration"]}
        if self._cost is not None:
            answer["cost"] = self._cost
        describe(completion, context)


def _sum(known: Json, more: Json) -> Json:
    """Adds up every number, also in what is nested; of anything else the last word counts."""
    total = dict(known)
    for key, value in more.items():
        before: Any = total.get(key)
        if isinstance(value, dict):
            total[key] = _sum(before if isinstance(before, dict) else {}, value)
        elif _is_number(value) and _is_number(before):
            total[key] = before + value
        elif value is not None:
            total[key] = value
    return total


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
