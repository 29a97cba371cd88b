"""The inference runtime: is xllamacpp here, does it load, and how to get it."""

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from .pip import InstallError, Pip

REQUIREMENT = "xllamacpp==2026.10.11549"
HASHES = Path(__file__).with_name("runtime.txt")


def is_installed() -> bool:
    return importlib.util.find_spec("xllamacpp") is not None


def install(pip: Pip | None = None) -> None:
    """Make sure that xllamacpp is here and loads. Raises InstallError."""
    if not is_installed():
        (pip or Pip()).install(REQUIREMENT, hashes=HASHES)
        importlib.invalidate_caches()
    # In a process of its own: its libraries stay out of ours, and a crash ends only that process.
    command = [sys.executable, "-P", "-c", "import xllamacpp"]
    run = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own words
    if run.returncode != 0:
        said = run.stderr.decode("utf-8", "replace").strip().splitlines()
        raise InstallError(import_problem(said[-1] if said else f"exit code {run.returncode}"))


def import_problem(detail: str) -> str:
    """One sentence, with the fix, for the text of a failed `import xllamacpp`."""
    if "libgomp" in detail:
        return (
            "The local model needs the system library libgomp.so.1: install it "
            "(Debian, Ubuntu: `apt install libgomp1`; Fedora: `dnf install libgomp`)."
        )
    if "No module named" in detail:
        return "The local model's runtime is not installed: run `llms local install`."
    return (
        f"The local model's runtime does not load on this machine ({detail}): use another provider, for example Ollama."
    )
