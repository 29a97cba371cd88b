"""Runs `python -m llms` as a child, with a home of its own and a vendor that does as it is told."""

import asyncio
import json
import os
import pty
import re
import signal
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llms
from llms.kernel.types import Json
from llms.testing import FakeUpstream
from llms.testing.app import upstream_config

from .screen import Screen

if sys.platform != "win32":
    import fcntl
    import termios

DEADLINE = 60.0  # seconds; only a hang takes that long
ROOT = Path(llms.__file__).parents[1]


@dataclass(frozen=True)
class Ran:
    """How a run ended, and what it wrote."""

    code: int
    out: str
    err: str


class Program:
    """The program, its home and its only provider. `await program("hi")` runs it to its end."""

    def __init__(self, home: Path, upstream: FakeUpstream) -> None:
        self.home = home
        self.upstream = upstream
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home.parent),
            "LLMS_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
        }

    # -- its configuration -------------------------------------------------------------------------------------

    def configure(self, edit: Json | None = None, **entry: Any) -> None:
        """The packaged llms.json with `upstream` as its only provider; `entry` goes into that, `edit` over the top."""
        packaged = json.loads((ROOT / "llms/llms.json").read_text("utf-8"))
        self.home.mkdir(exist_ok=True)
        for name in ("providers.json", "providers-extra.json"):
            (self.home / name).write_text("{}")
        self.write_config({**packaged, **upstream_config(self.upstream, **entry), **(edit or {})})

    @property
    def config(self) -> Json:
        found: Json = json.loads((self.home / "llms.json").read_text("utf-8"))
        return found

    def write_config(self, config: Json) -> None:
        (self.home / "llms.json").write_text(json.dumps(config), "utf-8")

    # -- running it --------------------------------------------------------------------------------------------

    async def __call__(self, *words: str, stdin: str | bytes | None = None, **environ: str) -> Ran:
        async with self.started(*words, stdin=DEVNULL if stdin is None else PIPE, **environ) as process:
            given = stdin.encode() if isinstance(stdin, str) else stdin
            out, err = await asyncio.wait_for(process.communicate(given), DEADLINE)
            return Ran(process.returncode or 0, out.decode(), err.decode())

    @asynccontextmanager
    async def started(
        self, *words: str, stdin: Any = DEVNULL, stdout: Any = PIPE, **environ: str
    ) -> AsyncIterator[Process]:
        """The running program, killed when the block is left."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "llms", *words),
            stdin=stdin,
            stdout=stdout,
            stderr=PIPE,
            env={**self.environ, **environ},
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()  # what is left unread, so that nothing stays open

    @asynccontextmanager
    async def on_terminal(
        self, *words: str, width: int = 80, height: int = 24, **environ: str
    ) -> AsyncIterator["Terminal"]:
        """The program with a terminal for stdin, stdout and stderr."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "llms", *words),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**self.environ, "TERM": "xterm-256color", **environ},
            preexec_fn=lambda: os.login_tty(0),  # so that Ctrl-C typed there reaches the program
        )
        os.close(theirs)
        terminal = Terminal(process, ours, Screen(width, height))
        try:
            yield terminal
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            terminal.close()


class Terminal:
    """What a person at the terminal sees and types."""

    def __init__(self, process: Process, descriptor: int, screen: Screen) -> None:
        self.process = process
        self.raw = ""
        self._descriptor = descriptor
        self._screen = screen
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    @property
    def text(self) -> str:
        """The screen and what has scrolled off it."""
        return self._screen.text

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:  # EIO: the far end is closed
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self._ended.set()
        self.raw += data.decode(errors="replace")
        self._screen.feed(data.decode(errors="replace"))
        self._changed.set()

    async def sees(self, pattern: str) -> None:
        """Returns once `pattern` is on the screen."""
        async with asyncio.timeout(DEADLINE):
            while not re.search(pattern, self.text):
                assert not self._ended.is_set(), f"{pattern!r} never appeared in:\n{self.text}"
                self._changed.clear()
                await self._changed.wait()

    def types(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def presses_ctrl_c(self) -> None:
        self.process.send_signal(signal.SIGINT)

    async def ends(self) -> int:
        """The exit code, once the program has ended and all its output is here."""
        code = await asyncio.wait_for(self.process.wait(), DEADLINE)
        await asyncio.wait_for(self._ended.wait(), DEADLINE)
        return code

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
