"""The way of one search for an answer: whom it asked, what came of it, and what others can learn from that."""

import logging

from llms.chat.candidate import Candidate
from llms.chat.cooldown import Cooldowns
from llms.chat.timings import Timings
from llms.chat.verdict import judged, wait_asked_for
from llms.kernel.errors import LlmsError

logger = logging.getLogger("llms.chat")


class Path:
    """Told of each attempt of one search, in order; `ends` writes it into the log, as one line."""

    def __init__(self, request_id: str, cooldowns: Cooldowns, timings: Timings, *, streamed: bool) -> None:
        self.failures = 0
        self.answering: Candidate | None = None
        self._request_id = request_id
        self._cooldowns, self._timings, self._streamed = cooldowns, timings, streamed
        self._steps: list[str] = []
        self._asked: Candidate | None = None  # who has not answered yet
        self._since = 0.0

    def asks(self, candidate: Candidate) -> None:
        """An attempt begins."""
        self._asked = candidate
        self._since = self._timings.clock()
        self._cooldowns.asks(candidate.place)

    def answered(self) -> None:
        """It succeeded, or an answer has begun."""
        if (candidate := self._asked) is not None:
            self._asked, self.answering = None, candidate
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
            logger.debug("chat %s: %s failed: %s", self._request_id, candidate.label, error)
            retry_after = wait_asked_for(error)
            self._cooldowns.failed(candidate.place, verdict, retry_after=retry_after, label=candidate.label)

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
