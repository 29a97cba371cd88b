"""OpenAI's Node client, pinned in `openai-node/package-lock.json`, and a way to play a scenario with it."""

import asyncio
import json
from pathlib import Path
from typing import Any

from ..npm import fetch_packages, node_environment

PINNED = Path(__file__).parent / "openai-node"
PATIENCE = 60.0  # seconds for one scenario


def fetch() -> Path:
    """The folder with the client and its script. Raises FetchError."""
    return fetch_packages(PINNED)


async def run(home: Path, scenario: str, *, url: str) -> Any:
    """What the client made of `scenario` against the server at `url`."""
    process = await asyncio.create_subprocess_exec(
        *("node", str(home / "client.mjs"), scenario),
        env={**node_environment(), "LLMS_URL": f"{url}/v1"},
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
