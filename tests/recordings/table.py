"""How many recorded exchanges were replayed, and how many came out as recorded: printed after the tests."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .records import records

COLUMNS = ("whole", "cut anywhere", "byte by byte", "sent")


class Table:
    """Counts by dialect and way of replaying."""

    def __init__(self) -> None:
        self._passed: dict[str, Counter[str]] = defaultdict(Counter)
        self._present: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, dialect: str, column: str, file: Path, failed: Any, *, streams: bool = False) -> None:
        """Counts the records of `file`, or of its streams alone; `failed` has those that came out otherwise."""
        count = sum(1 for record in records(file) if not streams or record["stream"])
        self._present[dialect][column] += count
        self._passed[dialect][column] += count - len(failed)

    def lines(self) -> Iterator[str]:
        """A row for each dialect, and the sum; nothing where nothing was replayed."""
        if not self._present:
            return
        yield f"{'':24}" + "".join(f"{column:>16}" for column in COLUMNS)
        for dialect in sorted(self._present):
            yield self._line(dialect, self._passed[dialect], self._present[dialect])
        yield self._line("all", _sum(self._passed), _sum(self._present))

    def _line(self, name: str, passed: Counter[str], present: Counter[str]) -> str:
        cells = (f"{passed[column]}/{present[column]}" if present[column] else "-" for column in COLUMNS)
        return f"{name:24}" + "".join(f"{cell:>16}" for cell in cells)


def _sum(counts: dict[str, Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counts.values():
        total.update(each)
    return total
