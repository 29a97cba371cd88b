"""Bounds what one extension writes to the log, so that the others can be heard."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from llms.kernel.foreign import RUNNING

_EXTENSIONS = ("llms.ext.", "llms_ext_")  # the second begins what `logging.getLogger(__name__)` gives in an extension


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many lines at once, and from then on so many a second."""

    burst: int
    per_second: int


LINES = Allowance(200, 20)
ERRORS = Allowance(100, 10)  # apart, so that an extension that babbles can still be heard to fail


class Flood(logging.Filter):
    """Lets through of each extension what its allowance permits, and says how many lines were left out.

    It belongs on a handler: there it sees what any logger of an extension writes, and what libraries write while the
    code of one is running. Our own lines, and those that are nobody's, always pass.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._allowed: dict[tuple[str, bool], _Allowed] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        extension = _whose(record.name)
        if not extension or getattr(record, "tells_of_flood", False):
            return True
        is_error = record.levelno >= logging.ERROR
        allowed = self._allowed.get((extension, is_error))
        if allowed is None:
            allowed = self._allowed[extension, is_error] = _Allowed(ERRORS if is_error else LINES, self._clock())
        left_out = allowed.take(self._clock())
        if left_out:
            what = "errors" if is_error else "lines"
            logging.getLogger(f"llms.ext.{extension}").warning(
                "%d %s were left out here: it logs too much.", left_out, what, extra={"tells_of_flood": True}
            )
        return left_out is not None


@dataclass(slots=True)
class _Allowed:
    """What is left of an allowance. Used up, it rests until there is enough for a second."""

    allowance: Allowance
    at: float
    left: float = field(init=False)
    left_out: int = 0

    def __post_init__(self) -> None:
        self.left = self.allowance.burst

    def take(self, now: float) -> int | None:
        """None if the line must be left out, else how many were before it since the last that was not."""
        rate = self.allowance.per_second
        self.left = min(self.allowance.burst, self.left + max(0.0, now - self.at) * rate)
        self.at = now
        if self.left < (rate if self.left_out else 1):
            self.left_out += 1
            return None
        self.left -= 1
        left_out, self.left_out = self.left_out, 0
        return left_out


def own_logger(name: str) -> str | None:
    """`thing.db` for both loggers an extension's `db.py` may use, `llms.ext.thing.db` and `llms_ext_thing.db`."""
    prefix = next((prefix for prefix in _EXTENSIONS if name.startswith(prefix)), None)
    return name.removeprefix(prefix) if prefix else None


def _whose(logger: str) -> str:
    """The extension that a record of this logger counts for; "" where it is nobody's."""
    own = own_logger(logger)
    if own is None and (logger == "llms" or logger.startswith("llms.")):
        return ""
    return RUNNING.get() or (own or "").partition(".")[0]
