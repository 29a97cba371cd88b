"""Tokens and money of one answer."""

import time
from typing import Any

import pytest

from llms.chat.usage import Tally, account, cost_of, reported_cost

PRICES = {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75, "reasoning": 30}
PLAIN = {"input": 3, "output": 15}


def used(prompt: Any = 0, output: Any = 0, *, read: Any = None, written: Any = None, thought: Any = None) -> Any:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }


@pytest.mark.parametrize(
    ("tokens", "prices", "micro_dollars"),
    [
        (used(1000, 100), PLAIN, 3000 + 1500),
        (used(1000, 100, read=400), PRICES, 600 * 3 + 120 + 1500),
        (used(1000, 100, written=400), PRICES, 600 * 3 + 1500 + 1500),
        (used(1000, 100, read=400, written=400), PRICES, 200 * 3 + 120 + 1500 + 1500),
        (used(1000, 100, thought=60), PRICES, 3000 + 40 * 15 + 60 * 30),
        (used(1000, 100, read=400, written=100, thought=60), PLAIN, 3000 + 1500),  # no prices of their own
        (used(1000, 100, read=400), {**PLAIN, "cache_read": 0}, 600 * 3 + 1500),  # free is not unknown
        (used(1000, 100, read=400), {**PLAIN, "cache_read": None}, 3000 + 1500),
        (used(1000, 100), {"input": 3}, 3000),
        (used(1000, 100), {"output": 15}, 1500),
        (used(1000, 100), {"input": None, "output": None}, 0),
        (used(1000, 100), {}, 0),
        (used(None, None), PRICES, 0),
        ({}, PRICES, 0),
        ({"prompt_tokens": 1000, "prompt_tokens_details": None, "completion_tokens_details": None}, PRICES, 3000),
        (used(1000, 100), {"input": 0, "output": 0}, 0),
        (used(1, 1), {"input": 0.15, "output": 0.6}, 1),  # rounded to whole micro-dollars
        (used(1_000_000, 1_000_000), PLAIN, 18_000_000),
        (used(5, 5), {"type": "request", "output": 0.04}, 40_000),
        ({}, {"type": "request", "output": 0.04, "input": 9}, 40_000),
        ({}, {"type": "request"}, 0),
        (used(100, 100, read=400), PRICES, 100 * 0.3 + 1500),  # more from the cache than there was
        (used(100, 10, thought=60), PRICES, 300 + 10 * 30),  # more reasoning than there was output
    ],
)
def test_tokens_have_their_price(tokens: Any, prices: Any, micro_dollars: float) -> None:
    assert cost_of(tokens, prices) == micro_dollars


def test_reasoning_told_beside_the_answer_is_paid_too() -> None:
    recorded: Any = {**used(468, 82, read=305, thought=320), "total_tokens": 870}  # xAI, which billed 248.85
    assert cost_of(recorded, {"input": 0.2, "output": 0.5, "cache_read": 0.05}) == 249


@pytest.mark.parametrize(
    ("answer", "dollars"),
    [
        ({"usage": {"cost": 0.25}}, 0.25),
        ({"usage": {"cost": 0}}, 0.0),
        ({"cost": 0.25}, 0.25),
        ({"usage": {"cost": 0.25}, "cost": 0.5}, 0.25),
        ({"usage": {"cost": {"input_tokens_cost": 0.1, "total_cost": 0.25}}}, 0.25),
        ({"usage": {"cost": {"total": 1}}, "cost": 0.5}, 0.5),
        ({"usage": {"cost": "0.25"}}, None),
        ({"usage": {"cost_in_usd_ticks": 2_488_500}}, 0.00024885),
        ({"usage": None}, None),
        ({}, None),
    ],
)
def test_a_provider_may_tell_the_cost_itself(answer: Any, dollars: float | None) -> None:
    assert reported_cost(answer) == dollars


@pytest.fixture
def two_seconds(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A context that began two seconds ago, on a clock that stands still."""
    monkeypatch.setattr(time, "time", lambda: 1002.0)
    return {"startedAt": 1000.0}


def test_an_answer_is_given_its_duration(two_seconds: Any) -> None:
    completion: Any = {"usage": {"prompt_tokens": 3}}
    account(completion, two_seconds)
    assert completion == {"usage": {"prompt_tokens": 3, "duration": 2.0}, "metadata": {"duration": 2000}}
    assert two_seconds["duration"] == 2.0


def test_an_answer_without_usage_works_too(two_seconds: Any) -> None:
    completion: Any = {"choices": []}
    two_seconds["modelCost"] = PLAIN
    account(completion, two_seconds)
    assert completion == {"choices": [], "metadata": {"duration": 2000, "pricing": "3/15"}}


def test_an_answer_is_given_its_prices_and_cost(two_seconds: Any) -> None:
    completion: Any = {"usage": used(1000, 100)}
    two_seconds["modelCost"] = PLAIN
    account(completion, two_seconds)
    assert (completion["cost"], completion["metadata"]["pricing"]) == (0.0045, "3/15")


def test_the_cost_a_provider_told_counts_before_our_own_sum(two_seconds: Any) -> None:
    completion: Any = {"usage": {**used(1000, 100), "cost": 0.25}}
    two_seconds["modelCost"] = PLAIN
    account(completion, two_seconds)
    assert completion["cost"] == 0.25


@pytest.mark.parametrize("prices", [None, {}])
def test_without_prices_there_is_no_cost(two_seconds: Any, prices: Any) -> None:
    completion: Any = {"usage": used(1000, 100)}
    two_seconds["modelCost"] = prices
    account(completion, two_seconds)
    assert "cost" not in completion
    assert "pricing" not in completion["metadata"]


def test_half_a_price_list_is_not_shown_as_pricing(two_seconds: Any) -> None:
    completion: Any = {}
    two_seconds["modelCost"] = {"input": 3}
    account(completion, two_seconds)
    assert "pricing" not in completion["metadata"]


@pytest.mark.parametrize("metadata", [None, {}, {"theirs": 1}])
def test_metadata_of_the_vendor_is_kept(two_seconds: Any, metadata: Any) -> None:
    completion: Any = {"metadata": metadata}
    account(completion, two_seconds)
    assert completion["metadata"] == {**(metadata or {}), "duration": 2000}


def test_a_context_that_does_not_tell_when_it_began_took_no_time(two_seconds: Any) -> None:
    completion: Any = {}
    account(completion, {})
    assert completion["metadata"]["duration"] == 0
    assert time.time() == 1002.0


def tallied(*answers: Any, context: Any = None) -> Any:
    """The last of `answers`, with what all of them took."""
    context = context if context is not None else {"startedAt": 1000.0, "modelCost": PLAIN}
    tally = Tally()
    for answer in answers:
        tally.add(answer, context)
    tally.account(answers[-1], context)
    return answers[-1]


def test_the_calls_of_a_tool_loop_are_added_up(two_seconds: Any) -> None:
    answer = tallied({"usage": used(1000, 100, read=400)}, {"usage": used(2000, 50, thought=5)})
    assert answer["usage"] == {
        "prompt_tokens": 3000,
        "completion_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 400},
        "completion_tokens_details": {"reasoning_tokens": 5},
        "duration": 2.0,
    }
    assert answer["cost"] == 0.0045 + 0.00675
    assert answer["metadata"] == {"duration": 2000, "pricing": "3/15"}


def test_each_call_has_the_prices_of_whoever_answered_it(two_seconds: Any) -> None:
    context: Any = {"startedAt": 1000.0, "modelCost": {"input": 1, "output": 1}}
    first: Any = {"usage": used(100, 0)}
    last: Any = {"usage": {**used(100, 0), "cost": 0.25}}
    tally = Tally()
    tally.add(first, context)
    context["modelCost"] = {"input": 9, "output": 9}
    tally.add(last, context)
    tally.account(last, context)
    assert last["cost"] == 0.2501


def test_a_loop_takes_as_long_as_all_its_calls_and_tools(two_seconds: Any) -> None:
    context: Any = {"startedAt": 990.0}
    answer: Any = {"usage": used(1)}
    tally = Tally()
    tally.add(answer, context)
    context["startedAt"] = 1001.0
    tally.account(answer, context)
    assert (answer["usage"]["duration"], context["startedAt"]) == (12.0, 990.0)


@pytest.mark.parametrize("usage", [None, {}])
def test_calls_that_tell_no_usage_add_nothing(usage: Any, two_seconds: Any) -> None:
    assert tallied({"usage": usage}, {"usage": used(10)})["usage"]["prompt_tokens"] == 10
    assert "usage" not in tallied({"usage": usage}, {"usage": usage})


@pytest.mark.parametrize("odd", [True, "12", [1], {"a": 1}])
def test_what_is_no_number_in_a_usage_is_not_added(odd: Any, two_seconds: Any) -> None:
    assert tallied({"usage": {"x": odd, "n": 1}}, {"usage": {"x": odd, "n": 2}})["usage"]["n"] == 3
    assert tallied({"usage": {"x": 1}}, {"usage": {"x": odd}})["usage"]["x"] == odd
