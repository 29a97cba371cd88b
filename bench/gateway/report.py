"""Numbers to a Markdown table."""

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.gateway.measure import Sample
from bench.gateway.scenarios import Goal, Scenario
from bench.gateway.stage import BARE, DIRECT, OURS

_LIBRARIES = ("aiohttp", "uvloop", "msgspec", "psutil")
_HEAD = ("scenario", "metric", "direct", "bare", "ours", "ours / bare", "target", "verdict")


@dataclass(frozen=True)
class Metric:
    label: str
    digits: int = 0


METRICS = {
    "cpu": Metric("CPU µs per {unit}", 1),
    "added": Metric("added p50, ms", 3),
    "grown": Metric("RSS growth per stream, KiB", 1),
    "start": Metric("start, s", 2),
    "idle": Metric("idle RSS, MB"),
    "p50": Metric("p50, ms", 2),
    "p99": Metric("p99, ms", 2),
    "rate": Metric("{unit}s per second"),
    "rss": Metric("RSS after, MB"),
    "reads": Metric("reads per chunk at the client", 2),
    "far": Metric("mock + load, % of their core"),
}


class Series:
    """All repetitions of one metric of one subject, or of the ratio of two."""

    def __init__(self, values: Sequence[float], median: float | None = None) -> None:
        self.median = statistics.median(values) if values and median is None else median
        self._values = values

    def over(self, other: "Series") -> "Series":
        """The ratio of the medians, with the ratios inside each repetition for its spread."""
        if self.median is None or not other.median:
            return Series([])
        pairs = zip(self._values, other._values, strict=False)  # ours may have failed half-way
        return Series([mine / theirs for mine, theirs in pairs if theirs], self.median / other.median)

    def cell(self, digits: int) -> str:
        if self.median is None:
            return ""
        low, high = min(self._values), max(self._values)
        return f"{self.median:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def facts() -> dict[str, str]:
    """The machine and what runs on it, as far as the numbers depend on it."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return {
        "cores": str(os.cpu_count()),
        "cpu": _cpu_name(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": libraries,
        "load average": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def table(scenarios: Iterable[Scenario], samples: Sequence[Sample]) -> str:
    rows = [_HEAD, ("---", "---", *["---:"] * 5, "---")]
    for scenario in scenarios:
        rows += _rows(scenario, [sample for sample in samples if sample.scenario == scenario.name])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _rows(scenario: Scenario, samples: Sequence[Sample]) -> list[tuple[str, ...]]:
    goals = {goal.metric: goal for goal in scenario.goals}
    measured = {metric for sample in samples for metric in sample.values} | set(goals)
    rows: list[tuple[str, ...]] = []
    for name, metric in METRICS.items():
        if name in measured:
            title = scenario.title.format(connections=scenario.connections)
            first = "" if rows else f"**{scenario.name}**: {title}"
            label = metric.label.format(unit=scenario.unit)
            rows.append((first, label, *_figures(name, metric, samples, goals.get(name))))
    return rows


def _figures(name: str, metric: Metric, samples: Sequence[Sample], goal: Goal | None) -> tuple[str, ...]:
    direct, bare, ours = (_series(name, samples, subject.name) for subject in (DIRECT, BARE, OURS))
    ratio = ours.over(bare)
    cells = [series.cell(metric.digits) for series in (direct, bare, ours)]
    if goal is None:
        return (*cells, "" if ratio.median is None else f"{ratio.median:.2f}", "", "")
    judged = (ours if goal.absolute else ratio).median
    verdict = "pass" if judged is not None and judged <= goal.limit else "**MISS**"
    return (*cells, ratio.cell(2), f"≤ {goal.limit:g}" + ("" if goal.absolute else " ×"), verdict)


def _series(name: str, samples: Iterable[Sample], subject: str) -> Series:
    return Series([s.values[name] for s in samples if s.subject == subject and name in s.values])
