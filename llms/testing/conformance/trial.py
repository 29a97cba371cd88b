"""Tries an extension in a process of its own, and tells how that went, however it ended."""

import json
import os
import site
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from llms.testing.conformance.report import Check, Outcome
from llms.testing.conformance.running import CHECKS

PATIENCE = 300.0  # seconds for all checks; whatever hangs is ended long before


def tried(folder: Path, environ: Mapping[str, str], *, patience: float = PATIENCE) -> Iterator[Check]:
    """The checks that run the extension. Its home, and what it takes for the user's, are empty folders."""
    with TemporaryDirectory() as temporary:
        place = Path(temporary)
        why = _run(folder, place, environ, patience)
        checks = list(_told(place / "checks"))
        yield from checks
        for number, name in enumerate(CHECKS[len(checks) :]):
            if number == 0 and why:
                yield Check.failed(name, why, "Mend that, and test again.")
            else:
                yield Check.skipped(name, "It was not reached.")


def _run(folder: Path, place: Path, environ: Mapping[str, str], patience: float) -> str:
    """Runs the process to its end. Says how that was, where it was no good one."""
    command = [
        sys.executable,
        "-P",
        "-X",
        "faulthandler",
        "-m",
        "llms.testing.conformance",
        str(folder),
        str(place / "checks"),
    ]
    with (place / "stderr").open("wb") as stderr:  # no pipe: a program that it has started could keep that open
        try:
            done = subprocess.run(
                command,
                cwd=place,
                env={**environ, **_own_places(place)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"The process that it was tried in was stopped after {patience:g} s: something in it never ends."
    if done.returncode == 0:
        return ""
    return f"It ended the process that it was tried in, {_how(done.returncode, place / 'stderr', folder)}."


def _how(code: int, stderr: Path, folder: Path) -> str:
    """How the process ended, and at which line of the extension, as far as Python could still tell."""
    lines = stderr.read_text("utf-8", "replace").splitlines()
    line = next((line.strip() for line in lines if line.lstrip().startswith("File ") and str(folder) in line), "")
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return f"{how}, at {line}" if line else how


def _own_places(place: Path) -> dict[str, str]:
    """Variables that lead it into folders of its own. Packages that the user has installed stay in reach."""
    (place / "home").mkdir()
    home = str(place / "home")
    return {
        "HOME": home,
        "USERPROFILE": home,
        "LLMS_HOME": os.path.join(home, ".llms"),  # noqa: PTH118 - a text
        "PYTHONUSERBASE": site.getuserbase(),
    }


def _told(file: Path) -> Iterator[Check]:
    """What the process has told, up to where it ended."""
    if not file.exists():
        return
    for line in file.read_text("utf-8").splitlines():
        found = json.loads(line)
        yield Check(found["name"], Outcome(found["outcome"]), found["told"], found["fix"])
