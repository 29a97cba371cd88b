"""OpenAI's Node client, pinned in `node/package-lock.json`: fetched once into `.cache`, then used from there."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

PINNED = Path(__file__).parent / "node"
CACHE = Path(__file__).parents[2] / ".cache"
OLDEST = 18
PATIENCE = 60.0  # seconds for one scenario


def missing() -> str | None:
    """Why the client cannot be run here, or None."""
    if not (shutil.which("node") and shutil.which("npm")):
        return f"Node is not installed. Install Node {OLDEST} or newer to run these tests."
    found = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(found.removeprefix("v").partition(".")[0]) < OLDEST:
        return f"Node {found} is too old. Install Node {OLDEST} or newer to run these tests."
    return None


def fetch() -> Path:
    """The folder with the client and its script: one for each state of both."""
    content = b"".join(file.read_bytes() for file in sorted(PINNED.iterdir()) if file.is_file())
    home = CACHE / f"openai-node-{hashlib.sha256(content).hexdigest()[:12]}"
    if home.exists():
        return home
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        fresh = Path(work) / "node"
        shutil.copytree(PINNED, fresh)
        done = subprocess.run(["npm", "ci", "--prefer-offline"], cwd=fresh, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"`npm ci` failed. Connect to the npm registry once.\n{done.stderr[-800:]}", pytrace=False)
        try:
            fresh.rename(home)
        except OSError:
            if not home.exists():  # else another run was quicker, and its folder is as good
                raise
    return home


async def run(home: Path, scenario: str, *, url: str) -> Any:
    """What the client made of `scenario` against the server at `url`."""
    process = await asyncio.create_subprocess_exec(
        *("node", str(home / "client.mjs"), scenario),
        env={**os.environ, "LLMS_URL": f"{url}/v1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, err.decode()
    return json.loads(out)
