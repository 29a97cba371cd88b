"""Which candidate is tried, how often, and when to stop trying."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypedDict, TypeVar

from llms.chat.candidate import Candidate
from llms.chat.path import Path
from llms.chat.verdict import LONGEST_WAIT, is_rate_limit, judged, wait_asked_for
from llms.kernel.errors import LlmsError, ProviderError

T = TypeVar("T")
_FIRST_WAIT = 0.25


class Retrying(TypedDict):
    """How often to try, and whom to tell that another attempt follows."""

    rounds: int
    on_retry: Callable[[str], Awaitable[None]]


async def first_answer(
    candidates: Sequence[Candidate],
    attempt: Callable[[Candidate], Awaitable[T]],
    *,
    path: Path,
    rounds: int,
    on_retry: Callable[[str], Awaitable[None]],
) -> T:
    """What `attempt` gives for the first candidate that succeeds; otherwise the first error is raised."""
    errors: list[LlmsError] = []
    attempts = Attempts(candidates, rounds, path)
    try:
        while (candidate := await attempts.next()) is not None:
            if errors:
                await on_retry(f"{errors[-1]} Now asking {candidate.id}.")
            path.asks(candidate)
            try:
                answer = await attempt(candidate)
            except LlmsError as error:
                path.failed(error)
                errors.append(error)
                attempts.failed(candidate, error)
            else:
                path.answered()
                return answer
    finally:
        path.ends()
    raise _cause(errors)


class Attempts:
    """The candidates to ask, one after another.

    In each round every candidate is asked once, in order; those who have the same provider's other keys only after a
    failure that is the key's. Who answers 4xx (other than 408, 409, 429), or with a `Retry-After` longer than
    LONGEST_WAIT, is not asked again. Between rounds there is a wait with jitter, at least as long as those left have
    asked for.
    """

    def __init__(self, candidates: Sequence[Candidate], rounds: int, path: Path) -> None:
        self._left = list(candidates)
        self._this_round = deque(self._left)
        self._rounds = rounds
        self._round = 1
        self._asked_to_wait = 0.0
        self._path = path

    async def next(self) -> Candidate | None:
        """Whom to ask now, after a wait where a new round begins; None when there is nobody left to ask."""
        if not self._this_round:
            if self._round >= self._rounds or not await self._waited():
                return None
            self._round += 1
            self._this_round.extend(self._left)
        return self._this_round.popleft()

    def failed(self, candidate: Candidate, error: LlmsError) -> None:
        """Takes note of an attempt that failed."""
        verdict, asked_to_wait = judged(error), wait_asked_for(error)

        def is_alike(other: Candidate) -> bool:
            """Whether it would fail in the same way."""
            if verdict.spoils_key:
                return other.place == candidate.place
            return other.offer == candidate.offer and (other is candidate or not verdict.is_of_key)

        if verdict.is_final or asked_to_wait > LONGEST_WAIT:
            self._left = [other for other in self._left if not is_alike(other)]
        else:
            self._asked_to_wait = max(self._asked_to_wait, asked_to_wait)
        self._this_round = deque(other for other in self._this_round if not is_alike(other))

    async def _waited(self) -> bool:
        """Waits for the next round; False at once where there is nobody left to ask."""
        if not self._left:
            return False
        asked, self._asked_to_wait = self._asked_to_wait, 0.0
        jitter = random.uniform(1.0, 1.25)  # noqa: S311 - spreads retries, guards nothing
        seconds = max(asked, _FIRST_WAIT * 2 ** (self._round - 1)) * jitter
        self._path.waited(seconds)
        await asyncio.sleep(seconds)
        return True


def _cause(errors: list[LlmsError]) -> LlmsError:
    """The first error. Where all candidates are rate limited, it says when the first of them can be asked again."""
    first = errors[0]
    if isinstance(first, ProviderError) and all(map(is_rate_limit, errors)):
        first.retry_after = min((wait for wait in map(wait_asked_for, errors) if wait), default=first.retry_after)
    return first
