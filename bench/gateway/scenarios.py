"""What is measured, and what would be good."""

from dataclasses import dataclass, replace
from typing import Literal

from bench.gateway.mock import Script

_NO_SCRIPT = Script()


@dataclass(frozen=True)
class Goal:
    """The most a metric of ours may be: times the bare proxy's, or by itself when `absolute`."""

    metric: str
    limit: float
    absolute: bool = False


@dataclass(frozen=True)
class Scenario:
    """One kind of load, a subject's answer to it measured in one way."""

    name: str
    title: str
    goals: tuple[Goal, ...]
    kind: Literal["burst", "hold", "start"] = "burst"
    connections: int = 64
    requests: int = 0
    prompt_bytes: int = 1_000
    stream: bool = False
    script: Script = _NO_SCRIPT
    unit: Literal["request", "chunk"] = "request"
    direct: bool = False
    """Also measured without anything between load and mock: is the mock fast enough, what is the floor?"""

    @property
    def units(self) -> int:
        return self.requests * (self.script.chunks if self.unit == "chunk" else 1)


_CPU = Goal("cpu", 2)

SCENARIOS = (
    Scenario("plain", "1 KB, not streamed, 64 connections", (_CPU,), requests=4_000, direct=True),
    Scenario(
        "paced",
        "64 streams, 100 chunks each, about 20 ms between chunks",
        (_CPU,),
        requests=128,
        stream=True,
        script=Script(chunks=100, pause=0.02),
        unit="chunk",
    ),
    Scenario(
        "flood",
        "64 streams, 100 chunks each, all at once",
        (_CPU,),
        requests=1_500,
        stream=True,
        script=Script(chunks=100),
        unit="chunk",
        direct=True,
    ),
    Scenario(
        "single",
        "1 KB, not streamed, 1 connection",
        (Goal("added", 2),),
        connections=1,
        requests=2_000,
        direct=True,
    ),
    Scenario(
        "prompt",
        "100 KB prompt, 16 connections",
        (_CPU,),
        connections=16,
        requests=2_000,
        prompt_bytes=100_000,
        direct=True,
    ),
    Scenario(
        "held",
        "{connections:,} open streams, a chunk every 2 s",
        (Goal("grown", 2),),
        kind="hold",
        connections=2_000,
        requests=2_000,
        stream=True,
        script=Script(chunks=100, pause=2.0),
    ),
    Scenario(
        "start",
        "From start to the first good GET /health, then idle",
        (Goal("start", 0.6, absolute=True), Goal("idle", 90, absolute=True)),
        kind="start",
    ),
)


def quick(scenario: Scenario) -> Scenario:
    """The same, shorter: for a look while working, not for a claim."""
    if scenario.kind == "hold":
        return replace(scenario, connections=scenario.connections // 4, requests=scenario.requests // 4)
    return replace(scenario, requests=scenario.requests // 2)
