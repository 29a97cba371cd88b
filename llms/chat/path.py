"""The way of one search for an answer: whom it asked, what came of it, and what others can learn from that."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from llms.chat.candidate import Candidate
from llms.chat.cooldown import Cooldowns
from llms.chat.timings import Timings
from llms.chat.turns import Turns
from llms.chat.verdict import judged, wait_asked_for
from llms.kernel.errors import LlmsError

T = TypeVar("T")
logger = logging.getLogger("llms.chat")


class Path:
    """Told of each attempt of one search, in order; `ends` writes it into the log, as one line."""

    def __init__(
        self, request_id: str, cooldowns: Cooldowns, timings: Timings, turns: Turns, *, streamed: bool
    ) -> None:
        self.failures = 0
        self.answering: Candidate | None = None
        self._request_id = request_id
        self._cooldowns, self._timings, self._turns, self._streamed = cooldowns, timings, turns, streamed
        self._steps: list[str] = []
        self._asked: Candidate | None = None  # who has not answered yet
        self._since = 0.0

    def asks(self, candidate: Candidate) -> None:
        """An attempt begins."""
        self._asked = candidate
        self._since = self._timings.clock()
        self._turns.asks(candidate)
        self._cooldowns.asks(candidate.place)

    def calls(self) -> None:
        """Only now the provider itself is called: what came before was ours to do, and is not its slowness."""
        self._since = self._timings.clock()

    def answered(self) -> None:
        """It succeeded; where it is streamed, it has begun, and whether it succeeds is for `followed` to see."""
        if (candidate := self._asked) is not None:
            self._asked, self.answering = None, candidate
            if not self._streamed:
                self._cooldowns.answered(candidate.place)
            self._timings.note((*candidate.offer, self._streamed), self._timings.clock() - self._since)

    def failed(self, error: LlmsError) -> None:
        """It did not."""
        if (candidate := self._asked) is not None:
            self._asked = None
            self.failures += 1
            verdict, took = judged(error), self._timings.clock() - self._since
            status = getattr(error, "upstream_status", None)
            self._steps.append(
                f"{candidate.label} {f'{status} ' if status else ''}({verdict.why}, {took:.1f} s)",
            )
            self._blames(candidate, error)

    async def followed(self, stream: AsyncGenerator[T]) -> AsyncGenerator[T]:
        """What `stream`, the answer that has begun, brings; how it ends is remembered of who gives it."""
        candidate, is_over = self.answering, False
        assert candidate is not None
        try:
            async with aclosing(stream):
                async for each in stream:
                    yield each
            is_over = True
            self._cooldowns.answered(candidate.place)
        except LlmsError as error:
            is_over = True
            self._blames(candidate, error)
            raise
        finally:
            if not is_over:
                self._cooldowns.left(candidate.place)

    def waited(self, seconds: float) -> None:
        """Everybody had been asked, and a new round begins after a pause."""
        self._steps.append(f"waited {seconds:.1f} s")

    def ends(self) -> None:
        """The search is over, also where nobody waits for its end any more."""
        if (candidate := self._asked) is not None:
            self._cooldowns.left(candidate.place)
            self._steps.append(f"{candidate.label} (given up)")
        elif self.answering is not None:
            self._steps.append(f"{self.answering.label} ok")
        level = logging.INFO if len(self._steps) > 1 else logging.DEBUG
        if logger.isEnabledFor(level):
            logger.log(level, "chat %s: %s", self._request_id, " -> ".join(self._steps))

    def _blames(self, candidate: Candidate, error: LlmsError) -> None:
        logger.debug("chat %s: %s failed: %s", self._request_id, candidate.label, error)
        verdict, retry_after = judged(error), wait_asked_for(error)
        self._cooldowns.failed(candidate.place, verdict, retry_after=retry_after, label=candidate.label)
