"""Where the CPU of one scenario goes: `python -m bench.gateway.profile plain`. Shares, not times."""

import argparse
import pstats
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.gateway.child import BenchError
from bench.gateway.measure import burst
from bench.gateway.scenarios import SCENARIOS, quick
from bench.gateway.stage import OURS, Stage


def main() -> None:
    bursts = {scenario.name: scenario for scenario in SCENARIOS if scenario.kind == "burst"}
    parser = argparse.ArgumentParser(prog="python -m bench.gateway.profile", description=__doc__)
    parser.add_argument("scenario", nargs="?", default="plain", choices=bursts)
    parser.add_argument("--subject", default=OURS.command, metavar="CMD", help="as in python -m bench.gateway")
    parser.add_argument("--sort", default="tottime", choices=("tottime", "cumtime"))
    parser.add_argument("--top", type=int, default=40)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llms-bench-") as folder, Stage(Path(folder)) as stage:
        profile = Path(folder) / "profile"
        command = asked.subject.replace("{python}", f"{{python}} -m cProfile -o {profile}", 1)
        with stage.serving(replace(OURS, command=command)) as server:
            burst(stage, quick(bursts[asked.scenario]), server)
        if not profile.exists():
            raise BenchError("no profile was written; the server must end by itself on SIGTERM")
        pstats.Stats(str(profile)).sort_stats(asked.sort).print_stats(asked.top)


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
