"""Which providers are left alone for a while, because they failed again and again: circuit breakers."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from llms.chat.routing_settings import RoutingSettings
from llms.chat.verdict import Verdict

Place = tuple[str, str]  # the id of a provider, and what tells its keys apart
_LONGEST = 24 * 3600.0  # seconds that a provider is believed to want no request
logger = logging.getLogger("llms.chat")


@dataclass(slots=True)
class _Record:
    """What happened at one place since it last answered."""

    failures: int = 0  # in a row
    until: float = 0.0  # when it may be asked again
    next: float = 0.0  # for how long it is put aside the next time
    is_probed: bool = False  # its time is over, and one chat is finding out whether that helped


class Cooldowns:
    """Remembers failures by place; a place that answered has no record, so that all is quick while all is well.

    Who is put aside is asked last, never not at all. When its time is over one chat may ask it again: if that fails,
    it is put aside at once, for twice as long. `clock` gives seconds.
    """

    def __init__(self, settings: RoutingSettings, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._settings = settings
        self._records: dict[Place, _Record] = {}

    def is_cooling(self, place: Place) -> bool:
        """Whether others shall be asked before this one."""
        record = self._records.get(place)
        return record is not None and (record.is_probed or record.until > self.clock())

    def asks(self, place: Place) -> None:
        """An attempt begins."""
        if (record := self._records.get(place)) and record.until:
            record.is_probed = True

    def answered(self, place: Place) -> None:
        """The attempt succeeded: all is forgiven."""
        self._records.pop(place, None)

    def left(self, place: Place) -> None:
        """The attempt ended without showing anything: nobody waits for it any more, or the request was to blame."""
        if record := self._records.get(place):
            record.is_probed = False

    def failed(self, place: Place, verdict: Verdict, *, retry_after: float, label: str) -> None:
        """The attempt failed; the provider may have asked for a pause of `retry_after` seconds."""
        if not (verdict.is_fault or verdict.spoils_key):
            self.left(place)
            return
        now, record = self.clock(), self._records.setdefault(place, _Record())
        record.failures += 1
        record.is_probed = False
        if record.until > now:  # one more that was under way, or had nobody else to ask
            record.until = max(record.until, now + min(retry_after, _LONGEST))
        elif pause := max(min(retry_after, _LONGEST), self._pause(record, verdict)):
            record.until = now + pause
            logger.warning("%s is asked last for %g s: %s, failure %d.", label, pause, verdict.why, record.failures)

    def _pause(self, record: _Record, verdict: Verdict) -> float:
        """For how long a place is put aside that does not say so itself; 0 where it is not."""
        if verdict.spoils_key:
            return self._settings.key_cooldown
        if record.failures < self._settings.failures:
            return 0.0
        pause = min(record.next or self._settings.cooldown, self._settings.longest_cooldown)
        record.next = pause * 2
        return pause
