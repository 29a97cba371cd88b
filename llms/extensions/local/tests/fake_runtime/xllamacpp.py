"""Stands in for the runtime, so that supervision is tested without a model. The model file's name is the script."""

import json
import os
import resource
import socketserver
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class CommonParams(SimpleNamespace):
    def __init__(self) -> None:
        super().__init__(model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace())


class Server:
    """Answers every request with the parameters, the spin count and the modules it was loaded among."""

    def __init__(self, params: CommonParams) -> None:
        path = Path(params.model.path)
        with path.with_suffix(".starts").open("a") as starts:
            starts.write(f"{os.getpid()}\n")
        _PLAYS[path.stem](path)
        self.listening_address = _serve(params)


def _print(descriptor: int, text: str) -> None:
    """As native code does: past Python's own streams."""
    with os.fdopen(os.dup(descriptor), "w") as stream:
        stream.write(text)


def _fine(_: Path) -> None:
    return


def _slow(_: Path) -> None:
    time.sleep(0.5)


def _hang(_: Path) -> None:
    time.sleep(60)


def _noisy(_: Path) -> None:
    _print(1, "x" * 1_000_000)
    _print(2, "x" * 1_000_000)


def _refuse(path: Path) -> None:
    _print(2, f"error loading model: {path} is torn\n")
    raise RuntimeError("Failed to init server")


def _abort(_: Path) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _print(2, "GGML_ASSERT(sense) failed\n")
    os.abort()


_PLAYS = {
    "fine": _fine,
    "mute": _fine,
    "slow": _slow,
    "hang": _hang,
    "noisy": _noisy,
    "refuse": _refuse,
    "abort": _abort,
}


def _serve(params: CommonParams) -> str:
    said = json.dumps(
        _plain(params) | {"spin": os.environ.get("GOMP_SPINCOUNT"), "modules": list(sys.modules), "path": sys.path}
    )

    class Reply(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            if Path(params.model.path).stem == "mute":
                time.sleep(60)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n"
            self.wfile.write((head + said).encode())

    host: str = params.hostnames[0]
    if host.startswith("/"):
        return _run(socketserver.ThreadingUnixStreamServer(host, Reply), f"unix://{host}")
    server = socketserver.ThreadingTCPServer((host, 0), Reply)
    return _run(server, f"http://{host}:{server.socket.getsockname()[1]}")


def _run(server: socketserver.BaseServer, address: str) -> str:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return address


def _plain(params: Any) -> dict[str, Any]:
    return {
        name: _plain(value) if isinstance(value, SimpleNamespace) else list(value) if isinstance(value, set) else value
        for name, value in vars(params).items()
    }
