"""What the tests of engines share: a client, a process's fate, and patience."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from llms.extensions.local.endpoint import Endpoint
from llms.extensions.local.engine import Engine
from llms.extensions.local.models import LocalModel

MakeModel = Callable[[str], LocalModel]
MakeEngine = Callable[..., Engine]


def starts(model: LocalModel) -> list[int]:
    """Process ids of every start of a model on the fake runtime."""
    log = model.path.with_suffix(".starts")
    return [int(line) for line in log.read_text().splitlines()] if log.exists() else []


def session(endpoint: Endpoint) -> aiohttp.ClientSession:
    """A client as the provider uses it; the far end closes streams it promised to keep, so we always close."""
    headers = {"Authorization": f"Bearer {endpoint.api_key}"} if endpoint.api_key else {}
    path = endpoint.socket
    connector = (
        aiohttp.UnixConnector(path=str(path), force_close=True) if path else aiohttp.TCPConnector(force_close=True)
    )
    return aiohttp.ClientSession(base_url=endpoint.url, connector=connector, headers=headers)


async def get(endpoint: Endpoint, path: str = "/") -> Any:
    async with session(endpoint) as http, http.get(path) as reply:
        return json.loads(await reply.read())


def is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())


async def eventually(claim: Callable[[], object]) -> None:
    """Waits, at most ten seconds, until the claim is true."""
    async with asyncio.timeout(10):
        while not claim():  # noqa: ASYNC110 - processes and folders set no event
            await asyncio.sleep(0.01)


def is_gone(pid: int) -> bool:
    """No such process, or only its entry, waiting for a parent to read it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def kill(engine: Engine) -> None:
    """What the system does when memory runs out."""
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)


async def crash(engine: Engine) -> None:
    """Kill the process in the middle of a use, and wait until the engine has noticed."""
    async with engine.use():
        kill(engine)
        await eventually(lambda: engine.pid is None)
