"""Tokens and money of one answer."""

import time
from typing import Any, cast

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
