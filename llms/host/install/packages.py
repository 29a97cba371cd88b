"""pip, or uv where it exists, for one Python. Source packages are not built unless the user says so."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Protocol

from packaging.utils import canonicalize_name

from llms.host.install.command import run
from llms.kernel.errors import ConfigError

_RESOLVE_SECONDS = 300.0
_INSTALL_SECONDS = 1800.0
_UV_ADDS = re.compile(r"^ \+ (?P<name>[\w.-]+)==(?P<version>[\w.!+-]+)", re.MULTILINE | re.ASCII)


class Packages(Protocol):
    """Each method raises CommandFailed. `scratch` is a folder for files that nobody needs later."""

    def resolve(self, wanted: Sequence[str], pins: Sequence[str], scratch: Path, *, upgrade: bool) -> dict[str, str]:
        """What installing `wanted` under the constraints `pins` would add or change. Installs nothing."""

    def install(self, wanted: Sequence[str], scratch: Path, *, into: Path | None = None) -> None:
        """Installs exactly `wanted` and nothing they need, beside the server or into the folder `into`."""

    def uninstall(self, name: str) -> None: ...


def choose(environ: Mapping[str, str], python: str = sys.executable) -> Packages:
    """uv if there is one, else the pip of `python`. Raises ConfigError if there is neither."""
    if uv := which("uv", path=environ.get("PATH", "")):
        return Uv(uv, environ, python)
    if python == sys.executable and find_spec("pip") is None:
        raise ConfigError(f"This Python has no pip. Run `{python} -m ensurepip --upgrade`, then try again.")
    return Pip(environ, python)


class Pip:
    """`python -m pip`."""

    def __init__(self, environ: Mapping[str, str], python: str) -> None:
        # -P: no module of the folder we happen to be in is taken for pip's
        self._command = (python, "-P", "-m", "pip", "--no-input", "--disable-pip-version-check")
        self._environ = {"PIP_ONLY_BINARY": ":all:", "PIP_RETRIES": "2", **environ}

    def resolve(self, wanted: Sequence[str], pins: Sequence[str], scratch: Path, *, upgrade: bool) -> dict[str, str]:
        words = ("--dry-run", "--upgrade") if upgrade else ("--dry-run",)
        files = ("-r", _lines(scratch, "wanted", wanted), "-c", _lines(scratch, "pins", pins))
        report = self._run(_RESOLVE_SECONDS, "install", "--quiet", "--report", "-", *words, *files)
        found = (entry["metadata"] for entry in json.loads(report)["install"])
        return {canonicalize_name(package["name"]): package["version"] for package in found}

    def install(self, wanted: Sequence[str], scratch: Path, *, into: Path | None = None) -> None:
        words = ("--target", str(into)) if into else ()
        quietly = ("--quiet", "--no-deps", "--no-warn-script-location")
        self._run(_INSTALL_SECONDS, "install", *quietly, *words, "-r", _lines(scratch, "wanted", wanted))

    def uninstall(self, name: str) -> None:
        self._run(_RESOLVE_SECONDS, "uninstall", "--quiet", "--yes", name)

    def _run(self, seconds: float, *words: str) -> str:
        return run([*self._command, *words], environ=self._environ, seconds=seconds).out


class Uv:
    """`uv pip`, which is faster."""

    def __init__(self, uv: str, environ: Mapping[str, str], python: str) -> None:
        self._uv, self._python = uv, python
        self._environ = {"UV_NO_BUILD": "1", "UV_NO_PROGRESS": "1", "NO_COLOR": "1", **environ}

    def resolve(self, wanted: Sequence[str], pins: Sequence[str], scratch: Path, *, upgrade: bool) -> dict[str, str]:
        words = ("--upgrade-package", wanted[0].partition("==")[0]) if upgrade else ()
        files = ("-r", _lines(scratch, "wanted", wanted), "-c", _lines(scratch, "pins", pins))
        told = self._run(_RESOLVE_SECONDS, "install", "--dry-run", *words, *files)
        return {canonicalize_name(found["name"]): found["version"] for found in _UV_ADDS.finditer(told)}

    def install(self, wanted: Sequence[str], scratch: Path, *, into: Path | None = None) -> None:
        words = ("--target", str(into)) if into else ()
        self._run(_INSTALL_SECONDS, "install", "--quiet", "--no-deps", *words, "-r", _lines(scratch, "wanted", wanted))

    def uninstall(self, name: str) -> None:
        self._run(_RESOLVE_SECONDS, "uninstall", "--quiet", name)

    def _run(self, seconds: float, verb: str, *words: str) -> str:
        command = [self._uv, "pip", verb, "--python", self._python, *words]
        return run(command, environ=self._environ, seconds=seconds).err  # where uv tells its plan


def _lines(scratch: Path, name: str, lines: Sequence[str]) -> str:
    """The path of a requirements file with these lines."""
    path = scratch / f"{name}.txt"
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return str(path)
