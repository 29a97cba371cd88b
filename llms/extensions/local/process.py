"""One run of child.py, from spawn to burial."""

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import sys
from pathlib import Path

from llms.api import ProviderUnreachable

from .cores import usable_cores
from .endpoint import Endpoint, private_folder
from .models import LocalModel
from .runtime import import_problem

_CHILD = Path(__file__).with_name("child.py")
_TAIL_BYTES = 4096
_TELLING = re.compile(
    r"error loading model: .*|failed to allocate.*|couldn't bind.*"
    r"|GGML_ASSERT.*|terminate called.*|^\w+Error: .*",
    re.MULTILINE,
)


class ModelProcess:
    """A child process that has `model` loaded. Start it once; end it, or let the parent's death end it.

    `tcp` picks a loopback port with a random key, for systems where asyncio knows no unix sockets.
    """

    def __init__(self, model: LocalModel, *, tcp: bool) -> None:
        self._model = model
        self._folder = None if tcp else private_folder(for_file="model.sock")
        self._socket = self._folder / "model.sock" if self._folder else None
        self._api_key = secrets.token_urlsafe(32) if tcp else None
        self._stderr_tail = b""
        self._process: asyncio.subprocess.Process | None = None
        self._burial: asyncio.Task[str] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self, *, seconds: float) -> Endpoint:
        """Where the loaded model answers. Raises ProviderUnreachable, and then nothing is left running."""
        ready = False
        try:
            await self._spawn()
            endpoint = await self._endpoint(seconds)
            ready = True
            return endpoint
        finally:
            if not ready:
                await self.end()

    async def ended(self) -> str:
        """Waits until the process is gone and its folder removed; what it died of."""
        assert self._burial is not None
        return await asyncio.shield(self._burial)

    async def end(self) -> None:
        """Kill the process, which has nothing to save, and wait until it is gone."""
        if self._process is None or self._burial is None:
            self._remove_folder()
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self.ended()

    async def _spawn(self) -> None:
        pipe = asyncio.subprocess.PIPE
        # -P: a script's own folder would come first in its import path. The spin count is read when the library
        # loads; threads that spin at full length stall as soon as anyone else needs a core.
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", str(_CHILD)),
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env={"GOMP_SPINCOUNT": "1000", **os.environ},
            )
        except OSError as error:
            raise self._failure(f"no process could be made ({error.strerror})") from error
        self._burial = asyncio.create_task(self._bury(self._process))
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(self._settings()).encode() + b"\n")

    def _settings(self) -> dict[str, str | int | None]:
        return {
            "model": str(self._model.path),
            "alias": self._model.id,
            "listen": str(self._socket) if self._socket else "127.0.0.1",
            "api_key": self._api_key,
            "context": self._model.context,
            "slots": self._model.slots,
            "cores": usable_cores(),
        }

    async def _endpoint(self, seconds: float) -> Endpoint:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        except TimeoutError:
            raise self._failure(f"it was not loaded within {seconds:g} seconds") from None
        said: dict[str, str] = json.loads(line) if line.endswith(b"\n") else {}
        if "ready" in said:
            url = "http://local" if self._socket else said["ready"]
            return Endpoint(url, self._socket, self._api_key)
        if said.get("error") == "import":
            raise ProviderUnreachable(import_problem(said["detail"]), provider="local")
        raise self._failure(await self.ended())

    def _failure(self, reason: str) -> ProviderUnreachable:
        return ProviderUnreachable(
            f"The local model {self._model.id} did not start: {reason}. "
            "Download the model file again, or use another model.",
            provider="local",
        )

    async def _bury(self, process: asyncio.subprocess.Process) -> str:
        """Read stderr until it ends, so that the child never blocks on it; then remove what is left."""
        assert process.stderr is not None
        while chunk := await process.stderr.read(_TAIL_BYTES):
            self._stderr_tail = (self._stderr_tail + chunk)[-_TAIL_BYTES:]
        code = await process.wait()
        self._remove_folder()
        stderr = self._stderr_tail.decode("utf-8", "replace")
        return _cause_of_death(code, stderr.replace(f"{self._model.path.parent}{os.sep}", ""))

    def _remove_folder(self) -> None:
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _cause_of_death(code: int, stderr: str) -> str:
    """What happened, and the line of stderr that tells most. Other lines may quote users' prompts."""
    telling: list[str] = _TELLING.findall(stderr)
    words = f" ({telling[-1][:300].strip()})" if telling else ""
    if code >= 0:
        return f"it ended with exit code {code}{words}"
    if code == -signal.SIGKILL:
        return f"it was killed, often because memory ran out{words}"
    if code == -signal.SIGILL:
        return f"this processor lacks instructions it needs (AVX2){words}"
    return f"it died of signal {-code}, {signal.strsignal(-code)}{words}"
