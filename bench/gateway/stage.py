"""Where the measuring takes place: the mock upstream, a home for `llms`, one core a side."""

import http.client
import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from bench.gateway.child import BenchError, Child, environment
from bench.gateway.load import Spec
from bench.gateway.mock import Script
from bench.gateway.scenarios import Scenario

_HEALTHY_WITHIN_SECONDS = 30.0
_POLL_SECONDS = 0.005
_LOAD_SECONDS = 120.0


@dataclass(frozen=True)
class Subject:
    """One server that is measured; the command's words may hold `{python}`, `{port}` and `{upstream}`."""

    name: str
    command: str


DIRECT = Subject("direct", "")
BARE = Subject("bare", "{python} -m bench.gateway.bare_proxy {port} {upstream}")
OURS = Subject("ours", "{python} -m llms --serve {port}")


@dataclass(frozen=True)
class Server:
    """A subject that is up."""

    child: Child
    port: int
    start_seconds: float


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def health(port: int) -> int | None:
    """The status of GET /health, or None while nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def wait_until_healthy(child: Child, port: int) -> None:
    deadline = time.perf_counter() + _HEALTHY_WITHIN_SECONDS
    while health(port) != 200:
        if child.has_ended():
            raise child.failure("it ended before its first good GET /health")
        if time.perf_counter() > deadline:
            raise child.failure(f"no good GET /health within {_HEALTHY_WITHIN_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def write_home(home: Path, upstream: str) -> None:
    """A home whose only provider is the mock, so that `llms` starts without network and without a model."""
    model = {
        "id": "mock-model",
        "name": "Mock",
        "cost": {"input": 1, "output": 2},
        "modalities": {"input": ["text"], "output": ["text"]},
    }
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "api": f"{upstream}/v1",
        "api_key": "x",
        "models": {"mock-model": model},
    }
    message = {"role": "user", "content": [{"type": "text", "text": ""}]}
    defaults = {"headers": {"Content-Type": "application/json"}, "text": {"messages": [message]}}
    config = {"version": 3, "defaults": defaults, "providers": {"mock": provider}}
    home.mkdir()
    (home / "llms.json").write_bytes(msgspec.json.encode(config))
    (home / "providers.json").write_text("{}")


class Stage:
    """The subject has one core, mock and load generator share the other; `folder` takes home and logs."""

    def __init__(self, folder: Path) -> None:
        cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else [0]
        self._subject_core, self._far_core = cores[-1], cores[0]
        self._folder = folder
        self._mock_port = free_port()
        self._home = folder / "home"
        self.upstream = f"http://127.0.0.1:{self._mock_port}"
        write_home(self._home, self.upstream)
        if sys.platform == "linux":
            os.sched_setaffinity(0, {self._far_core})

    def __enter__(self) -> Self:
        self.mock = self._child("mock", [sys.executable, "-m", "bench.gateway.mock", str(self._mock_port)])
        wait_until_healthy(self.mock, self._mock_port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mock.__exit__(kind, error, trace)

    def _child(self, name: str, command: list[str], *, talks: bool = False) -> Child:
        log = self._folder / f"{name}.log"
        return Child(command, core=self._far_core, log=log, env=environment(), talks=talks)

    @contextmanager
    def serving(self, subject: Subject) -> Iterator[Server]:
        """The subject, freshly started and healthy; stopped in the end."""
        if not subject.command:
            yield Server(self.mock, self._mock_port, 0.0)
            return
        port = free_port()
        words = subject.command.format(python=shlex.quote(sys.executable), port=port, upstream=self.upstream)
        env = environment(LLMS_HOME=str(self._home), LLMS_DISABLE="local", LLMS_DISABLE_UPDATE="1")
        log = self._folder / f"{subject.name}.log"
        started = time.perf_counter()
        with Child(shlex.split(words), core=self._subject_core, log=log, env=env) as child:
            wait_until_healthy(child, port)
            server = Server(child, port, time.perf_counter() - started)
            try:
                yield server
            except BenchError as error:
                raise child.failure(str(error)) from error

    @contextmanager
    def load(self, scenario: Scenario, server: Server) -> Iterator[Child]:
        """A load generator that has warmed the server up and waits for `go_on`; the script is in force."""
        self.play(Script(chunks=scenario.script.chunks))
        spec = Spec(
            port=server.port,
            connections=scenario.connections,
            requests=scenario.requests,
            warmup=max(100, min(scenario.connections * 4, 256)),
            prompt_bytes=scenario.prompt_bytes,
            stream=scenario.stream,
            chunks=scenario.script.chunks,
            hold=scenario.kind == "hold",
            seconds=_LOAD_SECONDS,
        )
        command = [sys.executable, "-m", "bench.gateway.load", msgspec.json.encode(spec).decode()]
        with self._child("load", command, talks=True) as load:
            load.hear()
            self.play(scenario.script)
            yield load

    def play(self, script: Script) -> None:
        """Tell the mock how to answer from now on."""
        self._ask_mock("PUT", "/script", msgspec.json.encode(script))

    def chats_answered(self) -> int:
        """How many chats have reached the mock since the script in force began."""
        reply = msgspec.json.decode(self._ask_mock("GET", "/health"), type=dict[str, object])
        return int(str(reply["chats"]))

    def _ask_mock(self, method: str, path: str, body: bytes = b"") -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._mock_port, timeout=5)
        try:
            connection.request(method, path, body)
            return connection.getresponse().read()
        except OSError as error:
            raise BenchError(f"the mock upstream does not answer: {error}") from error
        finally:
            connection.close()
