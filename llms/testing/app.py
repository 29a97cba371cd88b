"""The whole server in the test's own event loop, on a loopback port, with a home of its own."""

import json
import tempfile
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp

from llms.app import App
from llms.host.loader import Extension, Host
from llms.kernel.config import Config
from llms.kernel.paths import Home
from llms.kernel.secrets import Secrets
from llms.kernel.types import Json
from llms.testing.provider import FakeProvider
from llms.testing.upstream import FakeUpstream
from llms.web.server import Server

Install = Callable[[Any], Any]


@dataclass
class Reply:
    """What came back from a chat. `chunks` holds a streamed answer's events."""

    status: int
    headers: Any
    body: Any
    chunks: list[Json] = field(default_factory=list)

    @property
    def text(self) -> str:
        if self.chunks:
            return "".join(
                (c["delta"].get("content") or "") for chunk in self.chunks for c in chunk.get("choices") or ()
            )
        return str(self.body["choices"][0]["message"]["content"])


class TestServer:
    """A running server: `url`, its `app`, a `provider` that answers, and `chat` to ask."""

    __test__ = False  # not a test class, whatever its name says to pytest

    def __init__(self, app: App, server: Server, provider: FakeProvider, http: aiohttp.ClientSession) -> None:
        self.app, self.server, self.provider, self.http = app, server, provider, http

    @property
    def url(self) -> str:
        return self.server.url

    async def chat(self, text: str = "Hi", *, model: str = "fake-model", **fields: Any) -> Reply:
        """Asks over HTTP. `fields` go into the request; with `stream=True` the reply holds the chunks."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        async with self.http.post(f"{self.url}/v1/chat/completions", json=body) as response:
            if response.content_type != "text/event-stream":
                return Reply(response.status, response.headers, await response.json())
            raw = await response.text()
            return Reply(response.status, response.headers, raw, list(events(raw)))


def events(raw: str) -> list[Json]:
    """The JSON of every event in `raw`; `[DONE]` and comments are left out."""
    lines = (line[6:] for line in raw.splitlines() if line.startswith("data: "))
    return [json.loads(line) for line in lines if line != "[DONE]"]


def upstream_config(upstream: FakeUpstream, **entry: Any) -> Json:
    """A configuration whose only provider is `upstream`, offering `fake-model`."""
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "api": upstream.url,
        "api_key": "test-key-0123456789",
        "models": {"fake-model": {"id": "fake-model", "name": "Fake Model"}},
        **entry,
    }
    return {"providers": {"upstream": provider}}


@asynccontextmanager
async def make_app(
    *extensions: Install | Any,
    config: Json | None = None,
    home: Path | None = None,
    host: str = "127.0.0.1",
) -> AsyncIterator[TestServer]:
    """A server with these extensions (`install(ctx)` functions, or objects with hooks) and `config` as its llms.json.

    Its `provider` answers `fake-model` unless `config` names providers.
    """
    with tempfile.TemporaryDirectory() as temporary:
        app = _app(home or Path(temporary), config or {})
        provider = FakeProvider()
        loaded = Host([_extension(extension, i) for i, extension in enumerate(extensions)])
        await loaded.install(app, cli_args=Namespace(), extra_args=[])
        if len(loaded.extensions) < len(extensions):
            raise AssertionError("An extension failed to install: the log tells why.")
        await app.start()
        await app.registry.loaded(within=10.0)
        if not (config or {}).get("providers"):
            app.registry.live[provider.id] = provider
        await loaded.load()
        server = Server(app, host=host, port=0, extensions=[extension.name for extension in loaded.extensions])
        await server.start()
        try:
            async with aiohttp.ClientSession() as http:
                yield TestServer(app, server, provider, http)
        finally:
            await server.stop()
            await app.close()


def _app(root: Path, config: Json) -> App:
    home = Home(root)
    home.prepare()
    home.config_file.write_text(json.dumps({"version": 3, "providers": {}, **config}))
    home.providers_file.write_text("{}")
    home.extras_file.write_text("{}")
    return App(home=home, config=Config.load(home, environ={}), secrets=Secrets())


def _extension(given: Any, index: int) -> Extension:
    """A function stands for an extension whose `__install__` it is."""
    module = SimpleNamespace(__install__=given) if callable(given) else given
    name = getattr(given, "__name__", f"extension{index}").rpartition(".")[2]
    return Extension(name, module, Path(__file__).parent)
