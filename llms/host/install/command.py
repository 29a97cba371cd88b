"""Runs git, pip and uv: without a shell, without questions, for a bounded time."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from llms.kernel.errors import ConfigError
from llms.kernel.secrets import redact

_LINES_SHOWN = 4


class CommandFailed(ConfigError):
    """A program failed, or took too long. `said` is the end of what it complained of, without passwords."""

    def __init__(self, message: str, *, said: str = "", late: bool = False) -> None:
        super().__init__(message)
        self.said = said
        self.late = late


class Output(NamedTuple):
    """What a program wrote to stdout and to stderr."""

    out: str
    err: str


def run(command: Sequence[str], *, environ: Mapping[str, str], seconds: float, folder: Path | None = None) -> Output:
    """What `command` writes. Nothing it started outlives it.

    Raises CommandFailed, or another ConfigError where there is no such program.
    """
    program = Path(command[0]).name
    try:
        process = subprocess.Popen(  # noqa: S603 - a list of words, each of which was looked at
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            cwd=folder,
            start_new_session=True,  # no terminal to ask at, and one group to end
        )
    except OSError as error:
        raise ConfigError(f"{program} cannot be run ({error.strerror}). Install it, then try again.") from error
    with process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            text = f"{program} took longer than {seconds:g} seconds. Check the network, then try again."
            raise CommandFailed(text, said=f"no end after {seconds:g} seconds", late=True) from error
        finally:
            if process.poll() is None:  # too late, or Ctrl-C
                _end(process)
    if process.returncode != 0:
        said = _last_lines(err) or f"exit code {process.returncode}"
        raise CommandFailed(f"{program} failed: {said}. Correct that, then try again.", said=said)
    return Output(out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)


def _last_lines(stderr: bytes) -> str:
    lines = [line.strip().rstrip(".") for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return str(redact("; ".join(lines[-_LINES_SHOWN:])))
