"""The whole server in the test's own event loop, on a loopback port, with a home of its own."""

import json
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import aiohttp

from llms.app import App
from llms.host import discovery
from llms.host.crashes import Crashes
from llms.host.extension import HOOKS, Extension, Origin, State
from llms.host.importing import Imported
from llms.host.live import FlagsOnly, Live
from llms.host.loader import Host
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
    """A running server: `url`, its `app`, its `host` of extensions, a `provider` that answers, and `chat` to ask."""

    __test__ = False  # not a test class, whatever its name says to pytest

    def __init__(self, server: Server, provider: FakeProvider, http: aiohttp.ClientSession) -> None:
        self.server, self.provider, self.http = server, provider, http
        self.app, self.live, self.host = server.app, server.live, server.live.host

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

    async def get(self, path: str, **options: Any) -> Reply:
        """The answer to GET `path`; a JSON body is decoded."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        """The answer to POST `path` with `body` as JSON."""
        return await self.request("POST", path, json=body, **options)

    async def request(self, method: str, path: str, **options: Any) -> Reply:
        """The answer to `method` at `path`. `options` are those of aiohttp's client, such as `json` or `headers`."""
        async with self.http.request(method, f"{self.url}{path}", **options) as response:
            is_json = response.content_type == "application/json"
            return Reply(response.status, response.headers, await (response.json() if is_json else response.text()))


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
    *extensions: Install | Path | Any,
    config: Json | None = None,
    home: Path | None = None,
    host: str = "127.0.0.1",
    environ: Mapping[str, str] | None = None,
    dev: bool = False,
) -> AsyncIterator[TestServer]:
    """A server with these extensions and `config` as its llms.json; built-in extensions are not loaded.

    An extension is a folder, loaded as a user's would be, an `install(ctx)` function, or an object with hooks. The
    server's `provider` answers `fake-model` unless `config` names providers. AssertionError if one fails to load.
    """
    with tempfile.TemporaryDirectory() as temporary:
        app = _app(home or Path(temporary), config or {}, environ or {})
        provider = FakeProvider()
        loaded = _host(app, extensions)
        try:
            loaded.import_code()
            flags = FlagsOnly(add_help=False)
            loaded.add_arguments(flags)
            await loaded.install(app, cli_args=flags.parse_args([]), extra_args=[])
            await app.start()
            await app.registry.loaded(within=10.0)
            if not (config or {}).get("providers"):
                app.registry.live[provider.id] = provider
            await loaded.load()
            _complain(loaded)
            server = Server(Live(loaded), host=host, port=0, dev=dev)
            await server.start()
            try:
                async with aiohttp.ClientSession() as http:
                    yield TestServer(server, provider, http)
            finally:
                await server.stop()
        finally:
            try:
                await app.close()
            finally:
                await loaded.close()


def _app(root: Path, config: Json, environ: Mapping[str, str]) -> App:
    home = Home(root)
    home.prepare()
    packaged = json.loads((home.package / "llms.json").read_text("utf-8"))
    written = {"version": 3, "providers": {}, "defaults": packaged["defaults"], **config}
    home.config_file.write_text(json.dumps(written))
    home.providers_file.write_text("{}")
    home.extras_file.write_text("{}")
    return App(home=home, config=Config.load(home, environ=environ), secrets=Secrets())


def _host(app: App, extensions: Sequence[Any]) -> Host:
    found = [_extension(extension, i) for i, extension in enumerate(extensions)]
    for extension in found:
        discovery.judge(extension)
    return Host(found, crashes=Crashes(app.home.crashes), limits=app.config.limits)


def _extension(given: Any, index: int) -> Extension:
    """A function stands for an extension whose `__install__` it is."""
    if isinstance(given, str | Path):
        path = Path(given).absolute()
        return Extension(path.name, path, Origin.USER)
    name = getattr(given, "__name__", f"extension{index}").rpartition(".")[2]
    module = ModuleType(f"llms_ext_{name}")
    if callable(given):
        given = SimpleNamespace(__install__=given)
    vars(module).update({hook: found for hook in HOOKS if (found := getattr(given, hook, None)) is not None})
    return Extension(name, Path(__file__).parent / "nowhere", Origin.USER, imported=Imported(module))


def _complain(host: Host) -> None:
    """Raises AssertionError for an extension that is not loaded."""
    failed = [f"{e.name}: {e.reason}" for e in host.extensions if e.state is State.FAILED]
    if failed:
        raise AssertionError(f"An extension failed to load. {'; '.join(failed)}")
