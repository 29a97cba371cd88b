"""The server as the process a user starts: `python -m llms --serve`."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import llms
from llms.kernel.types import Json

from .wire import PATIENCE

ROOT = Path(llms.__file__).parents[1]
START = 60.0  # seconds; only a machine that is very busy, or a broken program, takes so long


def environment(home: Path) -> dict[str, str]:
    """What the process may see: its home, and nothing of ours."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home.parent),
        "LLMS_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
    }


def configure(home: Path, config: Json) -> Path:
    """A home with `config`, and with no catalogue."""
    home.mkdir(exist_ok=True)
    for name in ("providers.json", "providers-extra.json"):
        (home / name).write_text("{}", "utf-8")
    fresh = home / "llms.json.fresh"
    fresh.write_text(json.dumps({"version": 3, **config}), "utf-8")
    fresh.rename(home / "llms.json")
    return home


class Serving:
    """A running server: its `url`, and what it has written to stderr so far."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.err = ""
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.err += line.decode()
            self._changed.set()
        self._changed.set()

    @property
    def url(self) -> str:
        found = re.search(r"ready at (http://\S+)", self.err)
        assert found, self.err
        return found[1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def says(self, text: str, *, within: float = PATIENCE) -> None:
        """Returns once `text` stands on stderr."""
        async with asyncio.timeout(within):
            while text not in self.err:
                assert not self._reading.done(), f"It ended without {text!r}: {self.err}"
                self._changed.clear()
                await self._changed.wait()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    async def ends(self) -> int:
        """Its exit code, once it has ended by itself."""
        code = await asyncio.wait_for(self.process.wait(), PATIENCE)
        await self._reading
        return code

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._reading


@asynccontextmanager
async def serving(home: Path, *flags: str, port: int = 0) -> AsyncIterator[Serving]:
    """A server that accepts requests; killed at the end of the block if it still runs."""
    async with started(home, "--serve", str(port), *flags) as server:
        await server.says("ready at", within=START)
        yield server


@asynccontextmanager
async def started(home: Path, *words: str) -> AsyncIterator[Serving]:
    """The program as it starts, which may as well end at once."""
    command: tuple[Any, ...] = (sys.executable, "-m", "llms", *words)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, env=environment(home)
    )
    server = Serving(process)
    try:
        yield server
    finally:
        await server.kill()
