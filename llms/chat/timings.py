"""How long each provider lets its callers wait, as measured."""

from collections.abc import Callable
from dataclasses import dataclass

Timed = tuple[str, str, bool]  # provider, its model, and whether the answer was streamed: a whole one takes longer
FRESH = 300.0  # seconds after which a measurement is made anew
PATIENCE = 60.0  # seconds before a measurement that was begun is begun once more
_WEIGHT = 0.3  # of the newest measurement
_MOST = 10_000  # what is forgotten first is the oldest


@dataclass(slots=True)
class _Timing:
    average: float | None = None  # seconds, exponentially weighted
    measured: float = float("-inf")
    begun: float = float("-inf")


class Timings:
    """Seconds to the first byte, or to the end of a whole answer. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._timings: dict[Timed, _Timing] = {}

    def note(self, timed: Timed, seconds: float) -> None:
        timing = self._timing(timed)
        known = timing.average
        timing.average = seconds if known is None else known + _WEIGHT * (seconds - known)
        timing.measured = self.clock()

    def expected(self, timed: Timed) -> float | None:
        """Seconds to wait; None where nobody knows, or knows any more."""
        timing = self._timings.get(timed)
        return None if timing is None or timing.measured + FRESH < self.clock() else timing.average

    def explores(self, timed: Timed) -> bool:
        """Whether to measure now what is not known: not where another chat is just doing so."""
        timing, now = self._timing(timed), self.clock()
        if timing.begun + PATIENCE > now:
            return False
        timing.begun = now
        return True

    def _timing(self, timed: Timed) -> _Timing:
        if (timing := self._timings.get(timed)) is None:
            if len(self._timings) >= _MOST:
                del self._timings[next(iter(self._timings))]
            timing = self._timings[timed] = _Timing()
        return timing
