"""What the browser tests take from npm, pinned in `browser/package-lock.json`: a Chromium and axe-core."""

import shutil
import tarfile
from pathlib import Path

from ..npm import fetch_packages, node_environment, run

PINNED = Path(__file__).parent / "browser"

# Node can undo brotli; Python's standard library cannot.
INFLATE = (
    "const [from, to] = process.argv.slice(1);"
    "const { createReadStream, createWriteStream } = require('node:fs');"
    "createReadStream(from).pipe(require('node:zlib').createBrotliDecompress()).pipe(createWriteStream(to))"
)


def fetch_browser() -> Path:
    """The folder with the packages, the browser in it unpacked."""
    return fetch_packages(PINNED, finish=_unpack)


def read_axe() -> str:
    """The script of axe-core, to be run inside a page."""
    return (fetch_browser() / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def _unpack(folder: Path) -> None:
    env = node_environment()
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
