"""Which provider is tried, how often, and when to stop trying."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypedDict, TypeVar

from llms.kernel.errors import LlmsError, ProviderError


class Named(Protocol):
    """What is asked: as far as this file goes, something with an id."""

    id: str


T = TypeVar("T")
P = TypeVar("P", bound=Named)
logger = logging.getLogger("llms.chat")
LONGEST_WAIT = 5.0  # seconds; a caller told to wait longer can decide better than we can
_FIRST_WAIT = 0.25
_TEMPORARY = (408, 409, 429)


class Retrying(TypedDict):
    """How often to try, and whom to tell that another attempt follows."""

    rounds: int
    on_retry: Callable[[str], Awaitable[None]]


async def first_answer(
    candidates: Sequence[P],
    attempt: Callable[[P], Awaitable[T]],
    *,
    rounds: int,
    on_retry: Callable[[str], Awaitable[None]],
) -> T:
    """What `attempt` gives for the first candidate that succeeds; otherwise the first error is raised."""
    errors: list[LlmsError] = []
    attempts = Attempts(candidates, rounds)
    while (provider := await attempts.next()) is not None:
        if errors:
            await on_retry(f"{errors[-1]} Now asking {provider.id}.")
        try:
            return await attempt(provider)
        except LlmsError as error:
            logger.info("Provider %s failed: %s", provider.id, error)
            errors.append(error)
            attempts.failed(provider, error)
    raise errors[0]


class Attempts(Generic[P]):
    """The providers to ask, one after another.

    In each round every candidate is asked once, in order. One that answers 4xx (other than 408, 409, 429), or with a
    `Retry-After` longer than LONGEST_WAIT, is not asked again. Between rounds there is a wait with jitter, at least as
    long as those left have asked for.
    """

    def __init__(self, candidates: Sequence[P], rounds: int) -> None:
        self._left = list(candidates)
        self._this_round = deque(self._left)
        self._rounds = rounds
        self._round = 1
        self._asked_to_wait = 0.0

    async def next(self) -> P | None:
        """The provider to ask now, after a wait where a new round begins; None when there is nobody left to ask."""
        if not self._this_round:
            if self._round >= self._rounds or not await self._waited():
                return None
            self._round += 1
            self._this_round.extend(self._left)
        return self._this_round.popleft()

    def failed(self, provider: P, error: LlmsError) -> None:
        """Takes note of an attempt that failed."""
        asked_to_wait = getattr(error, "retry_after", None) or 0.0
        if _is_final(error) or asked_to_wait > LONGEST_WAIT:
            self._left.remove(provider)
        else:
            self._asked_to_wait = max(self._asked_to_wait, asked_to_wait)

    async def _waited(self) -> bool:
        """Waits for the next round; False at once where there is nobody left to ask."""
        if not self._left:
            return False
        asked, self._asked_to_wait = self._asked_to_wait, 0.0
        jitter = random.uniform(1.0, 1.25)  # noqa: S311 - spreads retries, guards nothing
        await asyncio.sleep(max(asked, _FIRST_WAIT * 2 ** (self._round - 1)) * jitter)
        return True


def _is_final(error: LlmsError) -> bool:
    """Whether the same request to the same provider would fail in the same way."""
    if not isinstance(error, ProviderError):
        return True
    status = error.upstream_status
    return status is not None and 400 <= status < 500 and status not in _TEMPORARY
