"""Tokens and money of one answer, or of all the answers of one tool loop.

Money is whole micro-dollars (millionths of a dollar) wherever it is counted; only an answer on the wire tells dollars.
"""

import time
from typing import Any, TypeGuard, cast

from llms.kernel.types import Completion, Context, Json, Usage

_DOLLAR = 1_000_000  # micro-dollars
_FINE = 1_000_000  # parts of a micro-dollar that prices are told in, so that all sums are of integers
_TICKS = 10_000  # a micro-dollar, as xAI tells it
_TOLD = ("cost", "cost_details", "cost_in_usd_ticks")  # where a vendor's usage tells what it charged
_MOST = 10**15  # of tokens or of dollars: more is no count and no price
_LONG = 200_000  # tokens beyond which `context_over_200k` counts


def cost_of(usage: Usage, prices: Json) -> int:
    """Micro-dollars for `usage` at `prices` (dollars per million tokens, so tokens x price is micro-dollars).

    `type: "request"` means `output` dollars for the request, whatever its size. A price that is not told for cached,
    spoken or reasoning tokens is that of ordinary ones. A prompt longer than a tier has that tier's prices for all its
    tokens. Counts that contradict each other never make a part negative. Cohere charges for `billed_units`, mostly
    fewer tokens than were read (https://docs.cohere.com/reference/chat).
    """
    if prices.get("type") == "request":
        return _rounded(_DOLLAR * _price(prices, "output", 0))
    prompt, output = _tokens(usage, "prompt_tokens"), _tokens(usage, "completion_tokens")
    prices = _for_length(prices, prompt)
    billed = _details(usage, "billed_units")
    prompt, output = _billed(billed, "input_tokens", prompt), _billed(billed, "output_tokens", output)
    given, made = _details(usage, "prompt_tokens_details"), _details(usage, "completion_tokens_details")
    thought = _tokens(made, "reasoning_tokens")
    if thought and not billed and usage.get("total_tokens") == prompt + output + thought:
        output += thought  # xAI counts reasoning beside the answer, not in it
    read = min(_tokens(given, "cached_tokens"), prompt)
    written = min(_tokens(given, "cache_write_tokens"), prompt - read)
    heard = min(_tokens(given, "audio_tokens"), prompt - read - written)
    thought = min(thought, output)
    spoken = min(_tokens(made, "audio_tokens"), output - thought)
    per_input, per_output = _price(prices, "input", 0), _price(prices, "output", 0)
    return _rounded(
        (prompt - read - written - heard) * per_input
        + read * _price(prices, "cache_read", per_input)
        + written * _price(prices, "cache_write", per_input)
        + heard * _price(prices, "input_audio", per_input)
        + (output - thought - spoken) * per_output
        + thought * _price(prices, "reasoning", per_output)
        + spoken * _price(prices, "output_audio", per_output)
    )


def _for_length(prices: Json, prompt: int) -> Json:
    """`prices` for a prompt of that many tokens; what its tier does not tell is as without tiers."""
    tiers = [(size, tier) for tier in _list(prices.get("tiers")) if (size := _tier_size(tier)) is not None]
    if not tiers and isinstance(over := prices.get("context_over_200k"), dict):
        tiers = [(_LONG, over)]
    reached = [(size, tier) for size, tier in tiers if prompt > size]
    return {**prices, **max(reached, key=lambda each: each[0])[1]} if reached else prices


def _tier_size(tier: Any) -> int | None:
    """Tokens of the prompt beyond which `tier` counts; None where it is none that we know."""
    told = tier.get("tier") if isinstance(tier, dict) else None
    size = told.get("size") if isinstance(told, dict) and told.get("type", "context") == "context" else None
    return int(size) if _is_amount(size) else None


def _price(prices: Json, name: str, default: int) -> int:
    """A price in dollars per million tokens, times _FINE; `default` where none is told, or nothing that can be one."""
    value = prices.get(name)
    return round(value * _FINE) if _is_amount(value) else default


def _rounded(fine: int) -> int:
    return (fine + _FINE // 2) // _FINE


def _tokens(counts: Any, name: str) -> int:
    value = counts.get(name)
    return int(value) if _is_amount(value) else 0


def _billed(billed: Json, name: str, otherwise: int) -> int:
    return _tokens(billed, name) if _is_amount(billed.get(name)) else otherwise


def _details(usage: Usage, name: str) -> Json:
    found = cast(Json, usage).get(name)
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# -- one answer ----------------------------------------------------------------------------------------------------


def reported_cost(answer: Any) -> float | None:
    """Dollars, where the provider itself says what the answer cost."""
    usage = answer.get("usage") or {}
    for value in (usage.get("cost"), answer.get("cost")):
        told = value.get("total_cost") if isinstance(value, dict) else value  # a dict: Perplexity
        if _is_amount(told):
            return float(told)
    ticks = usage.get("cost_in_usd_ticks")
    return ticks / _TICKS / _DOLLAR if _is_amount(ticks) else None


def account(completion: Completion, context: Context) -> None:
    """Writes duration, prices and cost into a whole answer."""
    count(cast(Json, completion), context)
    describe(completion, context)


def describe(completion: Completion, context: Context) -> None:
    """Writes the duration counted before, and the prices, into the answer's metadata.

    `priced_at` is the date of the catalogue that the cost was worked out with, where it was.
    """
    given = completion.get("metadata")
    metadata = completion["metadata"] = {**given} if isinstance(given, dict) else {}
    metadata["duration"] = round(context["duration"] * 1000)
    prices = context.get("modelCost")
    if prices and prices.get("input") is not None and prices.get("output") is not None:
        metadata["pricing"] = f"{prices['input']}/{prices['output']}"
    if priced_at := cast(Json, context).get("priced_at"):
        metadata["priced_at"] = priced_at


def count(answer: Json, context: Context) -> None:
    """Writes into an answer, or its usage chunk, the duration so far and, where it can be told, the cost.

    The context has the cost as `cost`, in micro-dollars, and as `priced_at` the date of the catalogue whose prices it
    was worked out with.
    """
    _clock(answer, context)
    ours = _own_cost(answer, context)
    told = reported_cost(answer)
    cost = ours if told is None else round(told * _DOLLAR)
    if told is None and ours is not None:
        answer["cost"] = ours / _DOLLAR
    elif told is not None:
        answer["cost"] = told
    # An answer is counted as a chunk and again as a whole, so what we have written ourselves may look like reported.
    is_ours = ours is not None and answer["cost"] == ours / _DOLLAR
    known = {"cost": cost, "priced_at": (context.get("modelInfo") or {}).get("priced_at") if is_ours else None}
    for key, value in known.items():
        if value is None:
            cast(Json, context).pop(key, None)
        else:
            cast(Json, context)[key] = value


def _clock(answer: Json, context: Context) -> None:
    started = context.get("startedAt") or time.time()
    context["duration"] = round(time.time() - started, 3)
    if usage := answer.get("usage"):
        usage["duration"] = context["duration"]


def _own_cost(answer: Json, context: Context) -> int | None:
    """What the answer costs by the prices in the context; None where they, or the tokens, are not known."""
    prices, usage = context.get("modelCost"), answer.get("usage")
    if not prices or not (usage or prices.get("type") == "request"):
        return None
    return cost_of(usage or {}, prices)


class Tally:
    """What the answers of one tool loop took together."""

    def __init__(self) -> None:
        self._usage: Json = {}
        self._cost: int | None = None
        self._priced_at: str | None = None
        self._is_told = True  # every answer's cost, by its vendor
        self._started: float | None = None

    def add(self, completion: Completion, context: Context) -> None:
        """Counts one answer, at the prices of whoever gave it. The context then has the cost of all so far."""
        answer, kept = cast(Json, completion), cast(Json, context)
        self._is_told = self._is_told and reported_cost(answer) is not None
        count(answer, context)
        if self._started is None:
            self._started = context.get("startedAt")
        self._usage = _sum(self._usage, answer.get("usage") or {})
        self._priced_at = kept.get("priced_at") or self._priced_at
        if (cost := kept.get("cost")) is not None:
            self._cost = (self._cost or 0) + cost
        self._tell(context)

    def account(self, completion: Completion, context: Context) -> None:
        """Writes into the last answer what all of them took; the time between them, while tools ran, counts too."""
        if self._started is not None:
            context["startedAt"] = self._started
        answer = cast(Json, completion)
        answer.pop("usage", None)
        _clock(answer, context)
        if self._usage:
            answer["usage"] = {**self._usage, "duration": context["duration"]}
            if not self._is_told:  # what some vendors told is not what all of it cost
                for name in _TOLD:
                    answer["usage"].pop(name, None)
        if self._cost is not None:
            answer["cost"] = self._cost / _DOLLAR
        self._tell(context)
        describe(completion, context)

    def _tell(self, context: Context) -> None:
        known = {"cost": self._cost, "priced_at": self._priced_at}
        cast(Json, context).update({key: value for key, value in known.items() if value is not None})


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


def _is_amount(value: Any) -> TypeGuard[int | float]:
    """Whether `value` can be a count or a price. OpenRouter tells a price of -1 where it varies."""
    return _is_number(value) and 0 <= value <= _MOST
