"""`python -m bench.extensions`: start the server with 0, 20 and 100 trivial extensions, and print one table."""

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

COUNTS = (0, 20, 100)
_PATIENCE = 60.0  # seconds for one start
_TRIVIAL = '''"""A route, a tool and a filter."""


async def hello(request):
    return {"hello": "world"}


def add(a: int, b: int = 2) -> int:
    """Adds two numbers."""
    return a + b


async def seen(response, context):
    pass


def install(ctx):
    ctx.add_get("hello", hello)
    ctx.register_tool(add, {"type": "function", "function": {"name": f"add_{ctx.name}"}})
    ctx.register_chat_response_filter(seen)


__install__ = install
'''


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the process's creation to the first good `GET /health`, and its resident memory then."""

    seconds: float
    megabytes: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.extensions", description=__doc__)
    parser.add_argument("--repeat", type=int, default=7, metavar="N", help="repetitions (7)")
    repetitions = parser.parse_args().repeat
    starts: dict[int, list[Start]] = {count: [] for count in COUNTS}
    with tempfile.TemporaryDirectory(prefix="llms-bench-") as folder:
        homes = {count: _home(Path(folder), count) for count in COUNTS}
        for home in homes.values():
            _start(home)  # compiles the bytecode
        for number in range(repetitions):
            print(f"{number + 1}/{repetitions}", file=sys.stderr, flush=True)
            for count, home in homes.items():
                starts[count].append(_start(home))
    print(_table(starts))
    return 0


def _home(folder: Path, count: int) -> Path:
    """A home with `count` extensions, each a folder of its own."""
    home = folder / f"home-{count}"
    for number in range(count):
        extension = home / "extensions" / f"trivial{number:03}"
        extension.mkdir(parents=True)
        (extension / "__init__.py").write_text(_TRIVIAL)
    return home


def _start(home: Path) -> Start:
    port = _free_port()
    began = time.perf_counter()
    with _server(home, port) as process:
        while not _is_healthy(port):
            if process.poll() is not None or time.perf_counter() - began > _PATIENCE:
                raise SystemExit(f"The server with {home.name} did not start.")
            time.sleep(0.002)
        seconds = time.perf_counter() - began
        _check(home, port)
        return Start(seconds, _resident(process.pid))


@contextmanager
def _server(home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    command = [sys.executable, "-m", "llms", "--serve", str(port)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env={**environ, "LLMS_HOME": str(home)}, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_PATIENCE)


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _check(home: Path, port: int) -> None:
    """Every extension answers: what did not load costs nothing."""
    for extension in sorted(home.glob("extensions/*")):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ext/{extension.name}/hello", timeout=5) as answer:
            if answer.read() != b'{"hello":"world"}':
                raise SystemExit(f"{extension.name} answered something else.")


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _table(starts: dict[int, list[Start]]) -> str:
    none = starts[0]
    base = statistics.median(start.seconds for start in none)
    rows = ["| extensions | start, s | / with none | ms per extension | RSS, MB |", "|---|---|---|---|---|"]
    for count, found in starts.items():
        middle = statistics.median(start.seconds for start in found)
        ratios = [start.seconds / other.seconds for start, other in zip(found, none, strict=True)]
        each = f"{(middle - base) / count * 1000:.2f}" if count else ""
        memory = statistics.median(start.megabytes for start in found)
        spread = f"{middle / base:.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        rows.append(f"| {count} | {middle:.3f} | {spread} | {each} | {memory:.0f} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
