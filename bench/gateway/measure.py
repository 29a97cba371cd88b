"""One scenario against one subject, once: a few numbers."""

import time
from collections.abc import Callable, Iterable, Iterator

import msgspec

from bench.gateway.child import BenchError
from bench.gateway.load import Outcome
from bench.gateway.scenarios import Scenario
from bench.gateway.stage import DIRECT, Server, Stage, Subject

Values = dict[str, float]
"""Metric to number, in the units of `report.METRICS`."""

_MB = 1_000_000
_SETTLE_SECONDS = 1.0
_HOLD_LOOKS = 3


class Sample(msgspec.Struct, frozen=True):
    """What one subject did in one repetition of one scenario."""

    scenario: str
    subject: str
    repetition: int
    values: Values


def burst(stage: Stage, scenario: Scenario, server: Server) -> Values:
    """A fixed number of exchanges as fast as they go: what did each cost?"""
    with stage.load(scenario, server) as load:
        cpu, far_cpu = server.child.cpu(), stage.mock.cpu() + load.cpu()
        load.go_on()
        outcome = msgspec.json.decode(load.hear(), type=Outcome)
        cpu = server.child.cpu() - cpu
        far_cpu = stage.mock.cpu() + load.cpu() - far_cpu
        _check_all_reached_the_mock(stage, scenario)
        values = {
            "cpu": cpu / scenario.units * 1e6,
            "p50": outcome.p50 * 1e3,
            "p99": outcome.p99 * 1e3,
            "rate": scenario.units / outcome.seconds,
            "rss": server.child.rss() / _MB,
            "far": far_cpu / outcome.seconds * 100,
        }
    return values | {"reads": outcome.reads / scenario.units} if scenario.unit == "chunk" else values


def _check_all_reached_the_mock(stage: Stage, scenario: Scenario) -> None:
    answered = stage.chats_answered()
    if answered != scenario.requests:
        raise BenchError(
            f"{scenario.name}: {scenario.requests} requests were sent but {answered} reached the mock; "
            "switch caches and retries off in the subject"
        )


def hold(stage: Stage, scenario: Scenario, server: Server) -> Values:
    """Every connection holds one slow stream open: how much memory does each take?"""
    with stage.load(scenario, server) as load:
        before = server.child.rss()
        load.go_on()
        load.hear()
        seen = 0
        for _ in range(_HOLD_LOOKS):
            time.sleep(_SETTLE_SECONDS)
            seen = max(seen, server.child.rss())
        load.go_on()
        outcome = msgspec.json.decode(load.hear(), type=Outcome)
    return {
        "grown": (seen - before) / scenario.connections / 1024,
        "rss": seen / _MB,
        "p50": outcome.p50 * 1e3,
        "p99": outcome.p99 * 1e3,
    }


def start(stage: Stage, scenario: Scenario, server: Server) -> Values:
    """How soon the server was there, and what it takes while nobody asks anything."""
    time.sleep(_SETTLE_SECONDS)
    return {"start": server.start_seconds, "idle": server.child.rss() / _MB}


_KINDS: dict[str, Callable[[Stage, Scenario, Server], Values]] = {
    "burst": burst,
    "hold": hold,
    "start": start,
}


def repetition(stage: Stage, scenario: Scenario, subjects: Iterable[Subject], number: int) -> Iterator[Sample]:
    """One sample a subject, in turn. At one connection each also tells what it adds to the direct way."""
    floor: float | None = None
    for subject in subjects:
        with stage.serving(subject) as server:
            values = _KINDS[scenario.kind](stage, scenario, server)
        if subject is DIRECT:
            floor = values["p50"]
        elif floor is not None and scenario.connections == 1:
            values["added"] = values["p50"] - floor
        yield Sample(scenario.name, subject.name, number, values)
