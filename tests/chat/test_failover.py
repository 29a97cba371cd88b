"""Which provider is tried, how often, and when the trying stops."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from llms.chat import failover
from llms.chat.failover import LONGEST_WAIT, first_answer
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


@dataclass(eq=False)
class Candidate:
    """Raises or gives what it was told to, in order; with nothing left it answers with its id."""

    id: str
    answers: list[Any] = field(default_factory=list)


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
            trying.asked.append(candidate.id)
            answer = candidate.answers.pop(0) if candidate.answers else candidate.id
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def on_retry(status: str) -> None:
            trying.told.append(status)

        with monkeypatch.context() as patched:
            patched.setattr(asyncio, "sleep", wait)
            try:
                trying.answer = await first_answer(candidates, ask, rounds=rounds, on_retry=on_retry)
            except LlmsError as error:
                trying.error = error
        return trying

    return run


def status(code: int, *, retry_after: float | None = None) -> ProviderError:
    return ProviderError(f"HTTP {code}.", status=code, retry_after=retry_after)


async def test_the_first_candidate_that_answers_has_it(attempt: Try) -> None:
    trying = await attempt(Candidate("a"), Candidate("b"))
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
    trying = await attempt(Candidate("a", [error]), Candidate("b"))
    assert (trying.answer, trying.asked) == ("b", ["a", "b"])


@pytest.mark.parametrize("error", TEMPORARY, ids=str)
async def test_a_temporary_error_is_worth_another_round(attempt: Try, error: LlmsError) -> None:
    trying = await attempt(Candidate("a", [error]))
    assert (trying.answer, trying.asked) == ("a", ["a", "a"])


@pytest.mark.parametrize("error", FINAL, ids=str)
async def test_an_error_that_would_come_again_is_final_for_that_candidate(attempt: Try, error: LlmsError) -> None:
    trying = await attempt(Candidate("a", [error]))
    assert (trying.error, trying.asked, trying.waits) == (error, ["a"], [])


async def test_one_that_is_out_is_not_asked_in_later_rounds(attempt: Try) -> None:
    trying = await attempt(Candidate("a", [status(401)]), Candidate("b", [status(500), status(500)]))
    assert (trying.answer, trying.asked) == ("b", ["a", "b", "b", "b"])


async def test_in_each_round_every_candidate_is_asked_in_order(attempt: Try) -> None:
    trying = await attempt(Candidate("a", [status(500)] * 9), Candidate("b", [status(502)] * 9))
    assert trying.asked == ["a", "b"] * 3


@pytest.mark.parametrize("rounds", [1, 2, 5])
async def test_the_number_of_rounds_is_kept(attempt: Try, rounds: int) -> None:
    trying = await attempt(Candidate("a", [status(500)] * 9), rounds=rounds)
    assert len(trying.asked) == rounds
    assert len(trying.waits) == rounds - 1


async def test_when_all_fail_the_first_error_is_raised(attempt: Try) -> None:
    first = status(503)
    trying = await attempt(Candidate("a", [first, status(500), status(500)]), Candidate("b", [status(401)]))
    assert trying.error is first


async def test_an_error_that_is_not_ours_ends_the_trying(attempt: Try) -> None:
    with pytest.raises(ZeroDivisionError):
        await attempt(Candidate("a", [ZeroDivisionError()]), Candidate("b"))


async def test_the_list_of_candidates_stays_as_it_is() -> None:
    candidates = [Candidate("a", [status(401)]), Candidate("b")]

    async def ask(candidate: Candidate) -> str:
        if candidate.answers:
            raise candidate.answers[0]
        return candidate.id

    async def on_retry(_: str) -> None: ...

    await first_answer(candidates, ask, rounds=3, on_retry=on_retry)
    assert [candidate.id for candidate in candidates] == ["a", "b"]


# -- waiting ---------------------------------------------------------------------------------------------------


async def test_candidates_of_one_round_do_not_wait_for_each_other(attempt: Try) -> None:
    trying = await attempt(Candidate("a", [status(429, retry_after=3)]), Candidate("b"))
    assert trying.waits == []


async def test_the_wait_between_rounds_doubles_with_some_jitter(attempt: Try) -> None:
    trying = await attempt(Candidate("a", [status(500)] * 9), rounds=4)
    for wait, least in zip(trying.waits, (0.25, 0.5, 1.0), strict=True):
        assert least <= wait <= least * 1.25


async def test_jitter_is_not_always_the_same(attempt: Try) -> None:
    waits = {(await attempt(Candidate("a", [status(500)]))).waits[0] for _ in range(10)}
    assert len(waits) > 1


async def test_a_wait_is_at_least_as_long_as_asked_for(attempt: Try) -> None:
    trying = await attempt(Candidate("a", [status(429, retry_after=3)]))
    assert trying.answer == "a"
    assert 3 <= trying.waits[0] <= 3 * 1.25


async def test_the_longest_wait_asked_for_counts(attempt: Try) -> None:
    trying = await attempt(Candidate("a", [status(429, retry_after=2)]), Candidate("b", [status(429, retry_after=4)]))
    assert 4 <= trying.waits[0] <= 5


async def test_a_wait_asked_for_counts_only_for_the_next_round(attempt: Try) -> None:
    trying = await attempt(Candidate("a", [status(429, retry_after=3), status(500)]))
    assert trying.waits[1] < 1


async def test_a_very_long_wait_is_left_to_the_caller(attempt: Try) -> None:
    error = status(429, retry_after=LONGEST_WAIT + 1)
    trying = await attempt(Candidate("a", [error]))
    assert (trying.error, trying.asked, trying.waits) == (error, ["a"], [])


async def test_one_that_asks_for_a_very_long_wait_does_not_keep_others_from_another_round(attempt: Try) -> None:
    trying = await attempt(Candidate("a", [status(429, retry_after=3600)]), Candidate("b", [status(500)]))
    assert (trying.answer, trying.asked) == ("b", ["a", "b", "b"])
    assert trying.waits[0] < 1


async def test_there_is_no_wait_for_nobody(attempt: Try) -> None:
    trying = await attempt(Candidate("a", [status(401)]), Candidate("b", [status(404)]))
    assert trying.waits == []


# -- telling ---------------------------------------------------------------------------------------------------


async def test_each_attempt_after_a_failure_is_told_with_the_reason(attempt: Try) -> None:
    trying = await attempt(Candidate("a", [status(500)]), Candidate("b", [status(502)]))
    assert trying.told == ["HTTP 500. Now asking b.", "HTTP 502. Now asking a."]


async def test_a_failure_that_no_attempt_follows_is_not_told(attempt: Try) -> None:
    assert (await attempt(Candidate("a", [status(401)]))).told == []
    assert len((await attempt(Candidate("a", [status(500)] * 9), rounds=3)).told) == 2


def test_the_longest_wait_is_longer_than_our_own_first_one() -> None:
    assert failover._FIRST_WAIT < LONGEST_WAIT
