"""The model's own process: loads one GGUF, answers OpenAI requests privately, dies with its parent.

Run by path, so it loads xllamacpp and a little of the standard library, and nothing of the server.

stdin   one JSON line of settings, then silence; its end means that the parent is gone
stdout  one JSON line: {"ready": address}, or {"error": "import" | "load", "detail": text}
"""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn


def main() -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's: it lets streams end first
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # at once, even while native code runs
    settings = json.loads(sys.stdin.buffer.readline() or "null")
    if settings is None:  # the parent was gone before it said what to load
        os._exit(0)
    reply = _claim_stdout()
    try:
        import xllamacpp

        server = xllamacpp.Server(_params(xllamacpp, settings))
    except ImportError as error:
        _say(reply, error="import", detail=str(error))
        os._exit(1)
    except (RuntimeError, ValueError) as error:
        _say(reply, error="load", detail=str(error))
        os._exit(1)
    _say(reply, ready=server.listening_address)
    sys.stdin.buffer.read()
    _remove_socket(settings["listen"])
    os._exit(0)  # a tidy exit would wait for requests whose reader is gone


def _claim_stdout() -> int:
    """A private descriptor for our one line; whatever native code prints goes to stderr instead."""
    reply = os.dup(1)
    os.dup2(2, 1)
    return reply


def _params(xllamacpp: Any, settings: dict[str, Any]) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.model_alias = {settings["alias"]}  # else replies carry the file's path
    params.hostnames = [settings["listen"]]
    params.api_keys = [settings["api_key"]] if settings["api_key"] else []
    params.cors_origins, params.cors_credentials = "", False  # else any web page may call it
    params.ui, params.offline = False, True
    params.n_parallel = settings["slots"]
    params.n_ctx = settings["slots"] * settings["context"]  # it is divided among the slots
    params.n_batch = params.n_ubatch = 128  # between two batches a cancelled prompt is noticed
    params.cpuparams.n_threads = max(1, settings["cores"] // 2)  # threads spin: more than that starves everyone
    params.cpuparams_batch.n_threads = settings["cores"]
    params.cache_ram_mib = 0  # else 8 GiB
    params.verbosity = 1  # errors only: they say why a model doesn't load
    return params


def _say(reply: int, **words: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(reply, json.dumps(words).encode() + b"\n")
    os.close(reply)


def _remove_socket(listen: str) -> None:
    """What the parent would have removed, had it lived."""
    socket = Path(listen)
    if socket.is_absolute():
        with contextlib.suppress(OSError):
            socket.unlink()
            socket.parent.rmdir()


if __name__ == "__main__":
    main()
