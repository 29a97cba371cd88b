"""The processes of one run."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_ROOT = Path(__file__).resolve().parents[2]
_GRACE_SECONDS = 5.0


class BenchError(Exception):
    """A benchmark could not be run; the message says which process failed and shows its last words."""


def environment(**ours: str) -> dict[str, str]:
    """The caller's environment without what would bend the numbers: proxies and settings of `llms`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith("LLMS_")
    }
    return kept | ours


class Child:
    """A process pinned to one core, with its output in a log file; gone when its `with` block ends."""

    def __init__(
        self, command: Sequence[str], *, core: int, log: Path, env: dict[str, str], talks: bool = False
    ) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=_ROOT,
                env=env,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else output,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        self._facts = psutil.Process(self._process.pid)
        if sys.platform == "linux":
            self._facts.cpu_affinity([core])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            with suppress(ProcessLookupError):  # whatever it has started itself
                os.killpg(self._process.pid, signal.SIGKILL)
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe:
                    pipe.close()

    def _tree(self) -> list[psutil.Process]:
        return [self._facts, *self._facts.children(recursive=True)]

    def cpu(self) -> float:
        """Seconds of CPU the process and its children have used, user and system, by their own accounting."""
        try:
            times = [process.cpu_times() for process in self._tree()]
        except psutil.NoSuchProcess as error:
            raise self.failure("it has ended") from error
        return sum(time.user + time.system for time in times)

    def rss(self) -> int:
        """Bytes of resident memory, children included."""
        try:
            return sum(process.memory_info().rss for process in self._tree())
        except psutil.NoSuchProcess as error:
            raise self.failure("it has ended") from error

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def hear(self) -> str:
        """The next line of a child that talks."""
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        if not line:
            raise self.failure("it has ended")
        return line

    def go_on(self) -> None:
        """Answer a child that talks, so that it takes its next step."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def failure(self, reason: str) -> BenchError:
        words = self._log.read_text(errors="replace").strip().splitlines()[-12:]
        told = ["Its last words:", *words] if words else ["It said nothing."]
        return BenchError("\n".join([f"{self._log.stem}: {reason}.", *told]))
