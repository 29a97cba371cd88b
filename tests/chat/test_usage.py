"""Tokens and money of one answer."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.chat.usage import Tally, account, cost_of, count, reported_cost
from llms.testing import FakeUpstream, make_app
from llms.testing.app import upstream_config

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
        ({}, {"type": "request", "output": 0.0000004}, 0),
        (used(1000, 100), {"input": -1, "output": -1}, 0),  # OpenRouter: it varies
        (used(1000, 100), {"input": True, "output": "15"}, 0),
        (used(1000, 100), {"input": float("nan"), "output": float("inf")}, 0),
        (used(-5, 10**400), PLAIN, 0),
        (used("many", [1]), PLAIN, 0),
        ({"prompt_tokens": 1000, "prompt_tokens_details": [4], "completion_tokens_details": "x"}, PRICES, 3000),
        (used(1, 0), {"input": 0.5}, 1),  # half a micro-dollar counts as one
        (used(3, 0), {"input": 0.1}, 0),
        (used(100, 100, read=400), PRICES, 100 * 0.3 + 1500),  # more from the cache than there was
        (used(100, 10, thought=60), PRICES, 300 + 10 * 30),  # more reasoning than there was output
    ],
)
def test_tokens_have_their_price(tokens: Any, prices: Any, micro_dollars: float) -> None:
    assert cost_of(tokens, prices) == micro_dollars


SPOKEN = {"input": 1, "output": 2, "input_audio": 10, "output_audio": 20, "cache_read": 0.5, "reasoning": 3}


@pytest.mark.parametrize(
    ("heard", "read", "spoken", "thought", "micro_dollars"),
    [
        (300, 0, 0, 0, 700 * 1 + 300 * 10 + 100 * 2),
        (0, 0, 40, 0, 1000 * 1 + 60 * 2 + 40 * 20),
        (300, 600, 0, 0, 100 * 1 + 600 * 0.5 + 300 * 10 + 100 * 2),  # what is cached is taken to be text first
        (300, 900, 0, 0, 900 * 0.5 + 100 * 10 + 100 * 2),
        (5000, 0, 5000, 0, 1000 * 10 + 100 * 20),
        (0, 0, 80, 50, 1000 * 1 + 50 * 3 + 50 * 20),
    ],
)
def test_sound_has_its_own_price(heard: int, read: int, spoken: int, thought: int, micro_dollars: float) -> None:
    tokens = used(1000, 100, read=read, thought=thought)
    tokens["prompt_tokens_details"]["audio_tokens"] = heard
    tokens["completion_tokens_details"]["audio_tokens"] = spoken
    assert cost_of(tokens, SPOKEN) == micro_dollars


@pytest.mark.parametrize("name", ["input_audio", "output_audio"])
def test_sound_without_a_price_of_its_own_costs_what_text_costs(name: str) -> None:
    tokens = used(1000, 100)
    tokens["prompt_tokens_details"]["audio_tokens"] = tokens["completion_tokens_details"]["audio_tokens"] = 50
    other = {"input": 50 * 9, "output": 50 * 18}["output" if name == "input_audio" else "input"]
    assert cost_of(tokens, {**SPOKEN, name: None}) == 1000 + 200 + other


def tier(size: Any, **prices: Any) -> Any:
    return {**prices, "tier": {"type": "context", "size": size}}


TIERS = {
    "input": 1,
    "output": 2,
    "cache_read": 0.1,
    "cache_write": 3,
    "tiers": [tier(1000, input=100, output=200, cache_read=10), tier(100, input=10, output=20, cache_read=1)],
    "context_over_200k": {"input": 9, "output": 9},  # the older form of the same: the tiers count
}


@pytest.mark.parametrize(
    ("tokens", "micro_dollars"),
    [
        (used(100, 7), 100 * 1 + 14),
        (used(101, 7), 101 * 10 + 140),
        (used(1000, 7), 1000 * 10 + 140),
        (used(1001, 7), 1001 * 100 + 1400),
        (used(300_000, 0), 300_000 * 100),
        (used(101, 0, read=100), 10 + 100 * 1),  # what is read from the cache belongs to the prompt
        (used(101, 0, written=100), 10 + 100 * 3),  # a price the tier does not tell is the model's
    ],
)
def test_a_long_prompt_has_the_prices_of_its_tier(tokens: Any, micro_dollars: int) -> None:
    assert cost_of(tokens, TIERS) == micro_dollars


@pytest.mark.parametrize(("prompt", "micro_dollars"), [(200_000, 200_000), (200_001, 600_003)])
def test_a_long_prompt_is_told_the_older_way_too(prompt: int, micro_dollars: int) -> None:
    prices = {"input": 1, "output": 2, "context_over_200k": {"input": 3, "output": 4}}
    assert cost_of(used(prompt, 0), prices) == micro_dollars


@pytest.mark.parametrize(
    "tiers",
    [
        *(None, {}, "x", [None], [1], [{}], [{"tier": 5}]),
        [{"tier": {"type": "context"}, "input": 9}],
        [{"tier": {"type": "weather", "size": 5}, "input": 9}],
        [{"tier": {"size": "5"}, "input": 9}],
        [{"tier": {"size": float("inf")}, "input": 9}, {"tier": {"size": -1}, "input": 9}],
    ],
)
def test_tiers_that_make_no_sense_do_not_count(tiers: Any) -> None:
    assert cost_of(used(1000, 0), {"input": 1, "tiers": tiers, "context_over_200k": 7}) == 1000


# -- whatever the counts and prices --------------------------------------------------------------------------------

COUNTS = st.integers(0, 3_000_000)
DOLLARS = st.one_of(st.none(), st.integers(0, 200), st.floats(0, 200, allow_nan=False))
NAMES = ("input", "output", "reasoning", "cache_read", "cache_write", "input_audio", "output_audio")
PRICE_LISTS = st.dictionaries(st.sampled_from(NAMES), DOLLARS)


@st.composite
def usages(draw: st.DrawFn) -> Any:
    """Counts as vendors tell them: parts that are within their whole, most of the time."""
    tokens = used(draw(COUNTS), draw(COUNTS), read=draw(COUNTS), written=draw(COUNTS), thought=draw(COUNTS))
    tokens["prompt_tokens_details"]["audio_tokens"] = draw(COUNTS)
    tokens["completion_tokens_details"]["audio_tokens"] = draw(COUNTS)
    return tokens


@given(usages(), PRICE_LISTS)
def test_a_cost_is_a_whole_number_between_nothing_and_all_at_the_dearest_price(tokens: Any, prices: Any) -> None:
    cost = cost_of(tokens, prices)
    dearest = max([0, *(price for price in prices.values() if price is not None)])
    everything = tokens["prompt_tokens"] + tokens["completion_tokens"]
    assert isinstance(cost, int)
    assert 0 <= cost <= everything * dearest * 1.000001 + everything * 1e-6 + 1


@given(usages(), st.floats(0, 200), st.floats(0, 200))
def test_with_two_prices_only_the_kinds_of_tokens_make_no_difference(tokens: Any, given: float, taken: float) -> None:
    plain = used(tokens["prompt_tokens"], tokens["completion_tokens"])
    prices = {"input": given, "output": taken}
    assert cost_of(tokens, prices) == cost_of(plain, prices)


@given(usages(), PRICE_LISTS, st.integers(1, 10))
def test_prices_that_are_multiplied_multiply_the_cost(tokens: Any, prices: Any, times: int) -> None:
    whole = {name: None if price is None else round(price, 3) for name, price in prices.items()}
    more = {name: None if price is None else round(price * times, 3) for name, price in whole.items()}
    assert abs(cost_of(tokens, more) - times * cost_of(tokens, whole)) <= times


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists), st.sampled_from(NAMES)
)
def test_nothing_a_vendor_may_send_breaks_the_sum(odd: Any, name: str) -> None:
    tokens: Any = {"prompt_tokens": odd, "completion_tokens": odd, "prompt_tokens_details": {"cached_tokens": odd}}
    cost = cost_of(tokens, {**PRICES, name: odd, "tiers": [tier(odd, input=odd)]})
    assert isinstance(cost, int)
    assert cost >= 0


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=5))
def test_a_loop_costs_exactly_what_its_calls_cost(calls: list[tuple[int, int]]) -> None:
    context: Any = {"startedAt": time.time(), "modelCost": {"input": 0.15, "output": 0.6}}
    answers: list[Any] = [{"usage": used(*call)} for call in calls]
    tally = Tally()
    for answer in answers:
        tally.add(answer, context)
    tally.account(answers[-1], context)
    assert context["cost"] == sum(cost_of(used(*call), context["modelCost"]) for call in calls)
    assert answers[-1]["cost"] == context["cost"] / 1_000_000


# -- in an answer --------------------------------------------------------------------------------------------------


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
        ({"usage": {"cost": -1}}, None),
        ({"usage": {"cost": True}}, None),
        ({"usage": {"cost": float("nan")}}, None),
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


def test_the_context_has_the_cost_in_micro_dollars_and_the_date_of_its_prices(two_seconds: Any) -> None:
    completion: Any = {"usage": used(1000, 100)}
    two_seconds |= {"modelCost": PLAIN, "modelInfo": {"priced_at": "2026-09-28"}}
    account(completion, two_seconds)
    assert (two_seconds["cost"], two_seconds["priced_at"]) == (4500, "2026-09-28")
    assert completion["metadata"]["priced_at"] == "2026-09-28"


def test_a_cost_the_provider_told_has_no_date(two_seconds: Any) -> None:
    completion: Any = {"usage": {**used(1000, 100), "cost": 0.25}}
    two_seconds |= {"modelCost": PLAIN, "modelInfo": {"priced_at": "2026-09-28"}}
    account(completion, two_seconds)
    assert two_seconds["cost"] == 250_000
    assert "priced_at" not in two_seconds
    assert "priced_at" not in completion["metadata"]


@pytest.mark.parametrize("info", [None, {}])
def test_prices_of_nobody_knows_when_have_no_date(two_seconds: Any, info: Any) -> None:
    completion: Any = {"usage": used(1000, 100)}
    two_seconds |= {"modelCost": PLAIN, "modelInfo": info}
    account(completion, two_seconds)
    assert completion["cost"] == 0.0045
    assert "priced_at" not in completion["metadata"]


def test_an_answer_counted_as_a_chunk_and_as_a_whole_keeps_cost_and_date(two_seconds: Any) -> None:
    two_seconds |= {"modelCost": PLAIN, "modelInfo": {"priced_at": "2026-09-28"}}
    chunk: Any = {"usage": used(1000, 100)}
    count(chunk, two_seconds)
    completion: Any = {"usage": chunk["usage"], "cost": chunk["cost"]}
    account(completion, two_seconds)
    assert (completion["cost"], two_seconds["cost"]) == (0.0045, 4500)
    assert completion["metadata"]["priced_at"] == "2026-09-28"


def test_usage_that_grows_from_chunk_to_chunk_is_counted_once(two_seconds: Any) -> None:
    two_seconds["modelCost"] = PLAIN
    for output in (1, 50, 100):
        count({"usage": used(1000, output)}, two_seconds)
    assert two_seconds["cost"] == 4500


def test_a_request_with_a_price_of_its_own_costs_it_without_usage_too(two_seconds: Any) -> None:
    completion: Any = {"choices": []}
    two_seconds["modelCost"] = {"type": "request", "output": 0.04}
    account(completion, two_seconds)
    assert (completion["cost"], two_seconds["cost"]) == (0.04, 40_000)


def test_a_cost_of_an_earlier_answer_does_not_stay(two_seconds: Any) -> None:
    two_seconds |= {"cost": 5, "priced_at": "2026-01-01"}
    account({"usage": used(1000, 100)}, two_seconds)
    assert "cost" not in two_seconds
    assert "priced_at" not in two_seconds


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
    assert context["cost"] == 250_100


def test_while_a_loop_goes_on_the_context_has_the_cost_so_far(two_seconds: Any) -> None:
    context: Any = {"startedAt": 1000.0, "modelCost": PLAIN, "modelInfo": {"priced_at": "2026-09-28"}}
    tally = Tally()
    tally.add({"usage": used(1000, 100)}, context)
    assert context["cost"] == 4500
    last: Any = {"usage": {**used(1, 1), "cost": 0.25}}
    tally.add(last, context)
    assert context["cost"] == 254_500
    tally.account(last, context)
    assert context["cost"] == 254_500
    assert last["metadata"]["priced_at"] == "2026-09-28"  # of the part that was worked out


def test_a_loop_paid_by_the_request_is_paid_for_each_request(two_seconds: Any) -> None:
    context: Any = {"startedAt": 1000.0, "modelCost": {"type": "request", "output": 0.04}}
    assert tallied({}, {}, {}, context=context)["cost"] == 0.12


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


def test_where_one_vendor_tells_a_cost_and_another_does_not_only_the_cost_of_all_is_told(two_seconds: Any) -> None:
    context: Any = {"startedAt": 1000.0, "modelCost": {"input": 1, "output": 1}}
    told = {**used(1, 1), "cost": 0.5, "cost_details": {"upstream_inference_cost": 0.5}, "cost_in_usd_ticks": 5}
    answer = tallied({"usage": told}, {"usage": used(1_000_000, 0)}, context=context)
    assert answer["cost"] == 1.5
    assert not [name for name in answer["usage"] if name.startswith("cost")]


def test_where_all_vendors_tell_a_cost_it_is_told_in_their_words_too(two_seconds: Any) -> None:
    told = [{"usage": {**used(1, 1), "cost": 0.5, "cost_details": {"input": 0.25}}} for _ in range(2)]
    answer = tallied(*told)
    assert (answer["cost"], answer["usage"]["cost"], answer["usage"]["cost_details"]) == (1.0, 1.0, {"input": 0.5})


@pytest.mark.parametrize(
    ("billed", "micro_dollars"),
    [
        ({"input_tokens": 10, "output_tokens": 20}, 30 + 300),
        ({"input_tokens": 0, "output_tokens": 20}, 300),
        ({"input_tokens": 10.0}, 30 + 1500),
        ({"search_units": 1}, 3000 + 1500),
        ({"input_tokens": "many", "output_tokens": -1}, 3000 + 1500),
        ("many", 3000 + 1500),
        ({}, 3000 + 1500),
    ],
)
def test_what_cohere_bills_is_what_is_paid(billed: Any, micro_dollars: int) -> None:
    assert cost_of({**used(1000, 100), "billed_units": billed}, PLAIN) == micro_dollars  # type: ignore[typeddict-item]


async def test_a_stream_that_tells_no_usage_costs_what_a_request_costs(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello")
    model = {"id": "fake-model", "name": "F", "cost": {"type": "request", "output": 0.04}}
    context: Any = {}
    async with make_app(config=upstream_config(fake_upstream, models={"fake-model": model})) as server:
        messages: Any = [{"role": "user", "content": "Hi"}]
        async for _ in server.app.pipeline.stream({"model": "fake-model", "messages": messages}, context):
            pass
    assert context["cost"] == 40_000
