"""`python -m bench.gateway`: measure, then print one table."""

import argparse
import resource
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from bench.gateway import report
from bench.gateway.child import BenchError
from bench.gateway.measure import Sample, repetition
from bench.gateway.scenarios import SCENARIOS, Scenario, quick
from bench.gateway.stage import BARE, DIRECT, OURS, Stage, Subject

_OPEN_FILES = 10_000


def parser() -> argparse.ArgumentParser:
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="python -m bench.gateway", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter and fewer repetitions: a look, not a claim")
    parser.add_argument("--only", nargs="+", choices=names, metavar="SCENARIO", help=", ".join(names))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every sample to FILE")
    parser.add_argument("--repeat", type=int, metavar="N", help="repetitions (7, with --quick 3)")
    parser.add_argument(
        "--subject",
        default=OURS.command,
        metavar="CMD",
        help="measure this command in the place of ours; {python}, {port} and {upstream} are filled in",
    )
    return parser


def allow_many_files() -> None:
    """Children inherit the limit; a relay needs two sockets a stream."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def measure(
    stage: Stage, scenarios: Sequence[Scenario], ours: Subject, repetitions: int
) -> tuple[list[Sample], list[str]]:
    """All samples, and why scenarios were given up."""
    samples: list[Sample] = []
    failures: list[str] = []
    for scenario in scenarios:
        subjects = [DIRECT, BARE, ours] if scenario.direct else [BARE, ours]
        for number in range(repetitions):
            print(f"{scenario.name} {number + 1}/{repetitions}", file=sys.stderr, flush=True)
            try:
                samples.extend(repetition(stage, scenario, subjects, number))
            except BenchError as error:
                failures.append(f"{scenario.name}: {error}")
                break
    return samples, failures


def main() -> int:
    asked = parser().parse_args()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    allow_many_files()
    chosen = [scenario for scenario in SCENARIOS if not asked.only or scenario.name in asked.only]
    scenarios = [quick(scenario) for scenario in chosen] if asked.quick else chosen
    facts = report.facts()
    with tempfile.TemporaryDirectory(prefix="llms-bench-") as folder, Stage(Path(folder)) as stage:
        repetitions = asked.repeat or (3 if asked.quick else 7)
        ours = replace(OURS, command=asked.subject)
        samples, failures = measure(stage, scenarios, ours, repetitions)
    facts |= {"load average after": report.facts()["load average"], "repetitions": str(repetitions)}
    print(report.table(scenarios, samples), end="\n\n")
    print("Medians (min–max). " + "; ".join(f"{name}: {value}" for name, value in facts.items()))
    for failure in failures:
        print(f"\nFAILED {failure}")
    if asked.json:
        content = {"facts": facts, "samples": samples, "failures": failures}
        asked.json.write_bytes(msgspec.json.format(msgspec.json.encode(content)))
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
