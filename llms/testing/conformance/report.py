"""What the checks have found, for a person or as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from llms.cli.answer import visible
from llms.kernel.types import Json


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"  # it did not apply, or it could not be done


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `told` is a sentence; `fix` says what to do about it, where there is anything."""

    name: str
    outcome: Outcome
    told: str
    fix: str = ""

    @classmethod
    def ok(cls, name: str, told: str, hint: str = "") -> "Check":
        return cls(name, Outcome.OK, told, hint)

    @classmethod
    def failed(cls, name: str, told: str, fix: str) -> "Check":
        return cls(name, Outcome.FAILED, told, fix)

    @classmethod
    def skipped(cls, name: str, told: str, fix: str = "") -> "Check":
        return cls(name, Outcome.SKIPPED, told, fix)

    def __str__(self) -> str:
        return f"{_sentence(self.told)} {_sentence(self.fix)}".rstrip()


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of one extension."""

    folder: Path
    checks: Sequence[Check]

    @property
    def is_passed(self) -> bool:
        return not any(check.outcome is Outcome.FAILED for check in self.checks)

    def as_json(self) -> Json:
        """For programs."""
        return {
            "extension": self.folder.name,
            "path": str(self.folder),
            "passed": self.is_passed,
            "checks": [asdict(check) for check in self.checks],
        }

    def as_text(self) -> str:
        """For the person at the terminal."""
        width = max(len(check.name) for check in self.checks)
        counts = [(outcome, sum(check.outcome is outcome for check in self.checks)) for outcome in Outcome]
        lines = [
            f"{self.folder.name}  {self.folder}",
            *(f"  {_MARKS[check.outcome]} {check.name:<{width}}  {check}" for check in self.checks),
            ", ".join(f"{count} {outcome}" for outcome, count in counts if count) + ".",
        ]
        return "\n".join(map(visible, lines))


_MARKS = {Outcome.OK: "✓", Outcome.FAILED: "✗", Outcome.SKIPPED: "–"}
_MOST = 5  # of a list that a sentence can hold


def listed(words: Iterable[str]) -> str:
    """`a, b and 3 more`"""
    found = list(dict.fromkeys(words))
    if len(found) <= _MOST:
        return ", ".join(found)
    return f"{', '.join(found[:_MOST])} and {len(found) - _MOST} more"


def counted(number: int, noun: str) -> str:
    """`1 file` or `2 files`"""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _sentence(text: str) -> str:
    """`text`, of which a part may be somebody else's words, on one line and with its full stop."""
    line = " ".join(text.split())
    return line if not line or line.endswith((".", "!", "?", "`")) else f"{line}."
