"""Which candidate is tried, how often, and when the trying stops."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from llms.chat import failover
from llms.chat.candidate import Candidate
from llms.chat.cooldown import Cooldowns
from llms.chat.failover import first_answer
from llms.chat.path import Path
from llms.chat.routing_settings import RoutingSettings
from llms.chat.timings import Timings
from llms.chat.turns import Turns
from llms.chat.verdict import LONGEST_WAIT
from llms.kernel.errors import (
    ConfigError,
    LlmsError,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    RequestError,
    StreamCut,
)
from llms.kernel.foreign import ExtensionError


def one(id: str, answers: list[Any] | None = None, *, key: str = "", model: str = "m") -> Candidate:
    """A candidate that raises or gives what it is told to, in order; with nothing left it answers with its id."""
    return Candidate(cast(Any, answers or []), id, model, model, key)


def new_path() -> Path:
    cooldowns = Cooldowns(RoutingSettings({}), time.monotonic)
    return Path("1", cooldowns, Timings(time.monotonic), Turns(), streamed=False)


@dataclass
class Trying:
    """What one run of `first_answer` did."""

    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    answer: Any = None
    error: LlmsError | None = None


Try = Callable[..., Any]


@pytest.fixture
def attempt(monkeypatch: pytest.MonkeyPatch) -> Try:
    """Runs `first_answer` over candidates; every wait is noted and over at once."""

    async def run(*candidates: Candidate, rounds: int = 3) -> Trying:
        trying = Trying()

        async def wait(seconds: float) -> None:
            trying.waits.append(seconds)

        async def ask(candidate: Candidate) -> Any:
            trying.asked.append(candidate.id + candidate.key)
            answers = cast(list[Any], candidate.provider)
            answer = answers.pop(0) if answers else candidate.id
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def on_retry(status: str) -> None:
            trying.told.append(status)

        with monkeypatch.context() as patched:
            patched.setattr(asyncio, "sleep", wait)
            try:
                trying.answer = await first_answer(candidates, ask, path=new_path(), rounds=rounds, on_retry=on_retry)
            except LlmsError as error:
                trying.error = error
        return trying

    return run


def status(code: int, *, retry_after: float | None = None) -> ProviderError:
    return ProviderError(f"HTTP {code}.", status=code, retry_after=retry_after)


async def test_the_first_candidate_that_answers_has_it(attempt: Try) -> None:
    trying = await attempt(one("a"), one("b"))
    assert (trying.answer, trying.asked, trying.told, trying.waits) == ("a", ["a"], [], [])


TEMPORARY = [
    *(status(code) for code in (408, 409, 429, 500, 502, 503, 599)),
    *(ProviderTimeout("Slow."), ProviderUnreachable("Gone."), StreamCut("Cut."), ProviderError("Garbage.")),
]
FINAL = [
    *(status(code) for code in (400, 401, 403, 404, 413, 422)),
    *(ConfigError("Wrong URL."), RequestError("Too long."), ExtensionError("no luck", extension="x")),
]


@pytest.mark.parametrize("error", [*TEMPORARY, *FINAL], ids=str)
async def test_after_any_error_the_next_candidate_is_asked(attempt: Try, error: LlmsError) -> None:
    trying = await attempt(one("a", [error]), one("b"))
    assert (trying.answer, trying.asked) == ("b", ["a", "b"])


@pytest.mark.parametrize("error", TEMPORARY, ids=str)
async def test_a_temporary_error_is_worth_another_round(attempt: Try, error: LlmsError) -> None:
    trying = await attempt(one("a", [error]))
    assert (trying.answer, trying.asked) == ("a", ["a", "a"])


@pytest.mark.parametrize("error", FINAL, ids=str)
async def test_an_error_that_would_come_again_is_final_for_that_candidate(attempt: Try, error: LlmsError) -> None:
    trying = await attempt(one("a", [error]))
    assert (trying.error, trying.asked, trying.waits) == (error, ["a"], [])


async def test_one_that_is_out_is_not_asked_in_later_rounds(attempt: Try) -> None:
    trying = await attempt(one("a", [status(401)]), one("b", [status(500), status(500)]))
    assert (trying.answer, trying.asked) == ("b", ["a", "b", "b", "b"])


async def test_in_each_round_every_candidate_is_asked_in_order(attempt: Try) -> None:
    trying = await attempt(one("a", [status(500)] * 9), one("b", [status(502)] * 9))
    assert trying.asked == ["a", "b"] * 3


@pytest.mark.parametrize("rounds", [1, 2, 5])
async def test_the_number_of_rounds_is_kept(attempt: Try, rounds: int) -> None:
    trying = await attempt(one("a", [status(500)] * 9), rounds=rounds)
    assert len(trying.asked) == rounds
    assert len(trying.waits) == rounds - 1


async def test_when_all_fail_the_first_error_is_raised(attempt: Try) -> None:
    first = status(503)
    trying = await attempt(one("a", [first, status(500), status(500)]), one("b", [status(401)]))
    assert trying.error is first


async def test_an_error_that_is_not_ours_ends_the_trying(attempt: Try) -> None:
    with pytest.raises(ZeroDivisionError):
        await attempt(one("a", [ZeroDivisionError()]), one("b"))


async def test_the_list_of_candidates_stays_as_it_is() -> None:
    candidates = [one("a"), one("b")]

    async def ask(candidate: Candidate) -> str:
        if candidate.id == "a":
            raise status(401)
        return candidate.id

    async def on_retry(_: str) -> None: ...

    await first_answer(candidates, ask, path=new_path(), rounds=3, on_retry=on_retry)
    assert [candidate.id for candidate in candidates] == ["a", "b"]


# -- several keys, several models -------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [401, 402, 403, 429])
async def test_a_failure_of_the_key_is_followed_by_the_next_key(attempt: Try, code: int) -> None:
    trying = await attempt(one("a", [status(code)], key="1"), one("a", key="2"), one("b"))
    assert trying.asked == ["a1", "a2"]


@pytest.mark.parametrize(
    "error", [status(500), status(404), ProviderTimeout("Slow."), ConfigError("Wrong URL.")], ids=str
)
async def test_any_other_failure_is_followed_by_the_next_provider(attempt: Try, error: LlmsError) -> None:
    trying = await attempt(one("a", [error], key="1"), one("a", key="2"), one("b"))
    assert trying.asked == ["a1", "b"]


async def test_other_keys_are_asked_in_the_next_round_after_a_failure_that_was_not_the_keys(attempt: Try) -> None:
    trying = await attempt(one("a", [status(500)], key="1"), one("a", key="2"), one("b", [status(500)]))
    assert trying.asked == ["a1", "b", "a1"]


async def test_a_model_that_is_gone_is_not_asked_for_with_another_key(attempt: Try) -> None:
    trying = await attempt(one("a", [status(404)], key="1"), one("a", key="2"))
    assert trying.asked == ["a1"]


async def test_a_refused_key_is_not_used_for_another_model(attempt: Try) -> None:
    trying = await attempt(one("a", [status(401)], key="1"), one("a", key="1", model="n"), one("a", key="2", model="n"))
    assert trying.asked == ["a1", "a2"]


async def test_where_one_model_is_rate_limited_the_same_key_may_do_for_another(attempt: Try) -> None:
    trying = await attempt(one("a", [status(429)], key="1"), one("a", key="1", model="n"))
    assert trying.asked == ["a1", "a1"]
    assert trying.waits == []


async def test_where_all_are_rate_limited_the_shortest_wait_is_told(attempt: Try) -> None:
    waits = [one(id, [status(429, retry_after=seconds)]) for id, seconds in (("a", 60), ("b", 20), ("c", 40))]
    trying = await attempt(*waits)
    assert trying.error.retry_after == 20


async def test_where_some_failed_otherwise_the_first_error_keeps_its_own_wait(attempt: Try) -> None:
    trying = await attempt(
        one("a", [status(429, retry_after=60)]), one("b", [status(429, retry_after=20)]), one("c", [status(404)])
    )
    assert trying.error.retry_after == 60


# -- waiting ---------------------------------------------------------------------------------------------------


async def test_candidates_of_one_round_do_not_wait_for_each_other(attempt: Try) -> None:
    trying = await attempt(one("a", [status(429, retry_after=3)]), one("b"))
    assert trying.waits == []


async def test_the_wait_between_rounds_doubles_with_some_jitter(attempt: Try) -> None:
    trying = await attempt(one("a", [status(500)] * 9), rounds=4)
    for wait, least in zip(trying.waits, (0.25, 0.5, 1.0), strict=True):
        assert least <= wait <= least * 1.25


async def test_jitter_is_not_always_the_same(attempt: Try) -> None:
    waits = {(await attempt(one("a", [status(500)]))).waits[0] for _ in range(10)}
    assert len(waits) > 1


async def test_a_wait_is_at_least_as_long_as_asked_for(attempt: Try) -> None:
    trying = await attempt(one("a", [status(429, retry_after=3)]))
    assert trying.answer == "a"
    assert 3 <= trying.waits[0] <= 3 * 1.25


async def test_the_longest_wait_asked_for_counts(attempt: Try) -> None:
    trying = await attempt(one("a", [status(429, retry_after=2)]), one("b", [status(429, retry_after=4)]))
    assert 4 <= trying.waits[0] <= 5


async def test_a_wait_asked_for_counts_only_for_the_next_round(attempt: Try) -> None:
    trying = await attempt(one("a", [status(429, retry_after=3), status(500)]))
    assert trying.waits[1] < 1


async def test_a_very_long_wait_is_left_to_the_caller(attempt: Try) -> None:
    error = status(429, retry_after=LONGEST_WAIT + 1)
    trying = await attempt(one("a", [error]))
    assert (trying.error, trying.asked, trying.waits) == (error, ["a"], [])


async def test_one_that_asks_for_a_very_long_wait_does_not_keep_others_from_another_round(attempt: Try) -> None:
    trying = await attempt(one("a", [status(429, retry_after=3600)]), one("b", [status(500)]))
    assert (trying.answer, trying.asked) == ("b", ["a", "b", "b"])
    assert trying.waits[0] < 1


async def test_there_is_no_wait_for_nobody(attempt: Try) -> None:
    trying = await attempt(one("a", [status(401)]), one("b", [status(404)]))
    assert trying.waits == []


# -- telling ---------------------------------------------------------------------------------------------------


async def test_each_attempt_after_a_failure_is_told_with_the_reason(attempt: Try) -> None:
    trying = await attempt(one("a", [status(500)]), one("b", [status(502)]))
    assert trying.told == ["HTTP 500. Now asking b.", "HTTP 502. Now asking a."]


async def test_a_failure_that_no_attempt_follows_is_not_told(attempt: Try) -> None:
    assert (await attempt(one("a", [status(401)]))).told == []
    assert len((await attempt(one("a", [status(500)] * 9), rounds=3)).told) == 2


def test_the_longest_wait_is_longer_than_our_own_first_one() -> None:
    assert failover._FIRST_WAIT < LONGEST_WAIT
