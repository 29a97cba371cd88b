"""The HTTP server: where it listens, and how it ends."""

import asyncio
import errno
import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from aiohttp import web

from llms.host.following import Follower
from llms.host.live import Live
from llms.kernel.errors import ConfigError
from llms.providers.refresh import keep_fresh
from llms.web.dispatch import ExtensionFiles, ExtensionRoutes
from llms.web.gate import gate
from llms.web.guard import Guard, is_loopback
from llms.web.keys import APP, DEV, LIVE, SHARED
from llms.web.middleware import border, sign
from llms.web.routes import cache, chat, embeddings, extensions, models, page, prefs, providers, status, upload


def web_app(live: Live, *, host: str, dev: bool = False) -> web.Application:
    """The aiohttp application with every route, behind the border. The extensions of `live` are installed."""
    shared = live.host.shared
    assert shared is not None, "the extensions are installed before the server is made"
    app = shared.app
    guard = Guard(bound=host, allowed=lambda: app.config.data.get("allowed_hosts") or ())
    application = web.Application(
        middlewares=[border(guard, app.secrets, verbose=app.verbose), gate(app)],
        client_max_size=app.config.limits.client_max_size,
    )
    application.on_response_prepare.append(sign)
    application.on_shutdown.append(_end_events)
    application[APP], application[SHARED], application[LIVE], application[DEV] = app, shared, live, dev
    for place in ("/ext", "/"):  # before the server's own routes at the same place
        application.router.register_resource(ExtensionRoutes(shared, place=place))
    for noun in (chat, embeddings, models, status, providers, prefs, cache, upload, extensions, page):
        application.add_routes(noun.routes())
    application.router.register_resource(ExtensionFiles(shared, place="/ext"))
    return application


async def _end_events(application: web.Application) -> None:
    """Open pages listen for ever: the server would wait for them as long as it may."""
    application[APP].events.close()


class Server:
    """A server that listens. `url` tells where, once it is started."""

    def __init__(self, live: Live, *, host: str, port: int, dev: bool = False) -> None:
        application = web_app(live, host=host, dev=dev)
        self.app, self.live, self.host, self.port = application[APP], live, host, port
        app = self.app
        self._runner = web.AppRunner(
            application,
            handler_cancellation=True,  # a client that leaves cancels its handler, and so the provider's connection
            access_log=None,
            handle_signals=False,
            keepalive_timeout=75.0,
            shutdown_timeout=app.config.limits.shutdown_timeout,
        )

    async def start(self) -> None:
        """Begins to accept requests. Raises ConfigError if the address cannot be had."""
        await self._runner.setup()
        await self.live.host.start()
        self.live.serving = True
        self.app.auth.seal()
        try:
            await web.TCPSite(self._runner, self.host, self.port, backlog=2048).start()
        except OSError as exc:
            await self.stop()
            raise ConfigError(_cannot_listen(exc, self.host, self.port)) from exc
        self.port = self._runner.addresses[0][1]

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def cut(self) -> None:
        """Ends every open answer now."""
        for connection in self._runner.server.connections if self._runner.server else ():
            connection.force_close()

    async def stop(self) -> None:
        """Accepts nothing new, lets open answers end for `limits.shutdown_timeout` seconds, then cleans up."""
        await self._runner.cleanup()
        self.live.serving = False
        await self.app.hooks.cleanup()


async def serve(live: Live, *, host: str, port: int, insecure: bool = False, dev: bool = False) -> None:
    """Serves until SIGINT or SIGTERM. A second signal ends at once what the first lets finish."""
    shared = live.host.shared
    asks_to_sign_in = shared is not None and shared.app.auth.is_enabled
    if not (insecure or asks_to_sign_in or is_loopback(host)):
        raise ConfigError(
            f"Refusing to listen on {host}: whoever can reach this machine could spend your money and read your chats. "
            "Leave out --host to stay on 127.0.0.1, or force it with --insecure."
        )
    server = Server(live, host=host, port=port, dev=dev)
    with _stop_signals() as told:
        await server.start()
        gc.freeze()  # what is loaded by now stays: the collector need not walk it again and again
        print(f"llms is ready at {server.url}", file=sys.stderr, flush=True)  # noqa: T201
        watching = _watch(server, dev=dev)
        try:
            await told.acquire()
            print("Stopping when open answers have ended. Press Ctrl-C again to stop now.", file=sys.stderr)  # noqa: T201
        finally:
            for task in watching:
                task.cancel()
            cutter = asyncio.create_task(_cut_when(told, server))
            await server.stop()
            cutter.cancel()
            await asyncio.wait(watching)


def _watch(server: Server, *, dev: bool) -> list[asyncio.Task[None]]:
    """Makes the server follow its files and its extensions, and has its event loop looked after."""
    app, host = server.app, server.live.host
    host.watchdog.limit = app.config.limits.block_timeout
    host.watchdog.watch(asyncio.get_running_loop())
    follower = Follower(server.live, dev=dev)
    following = (app.watch_config(), follower.run(), keep_fresh(app.config, app.http))
    return [asyncio.create_task(each) for each in following]


async def _cut_when(told: asyncio.Semaphore, server: Server) -> None:
    await told.acquire()
    server.cut()


@contextmanager
def _stop_signals() -> Iterator[asyncio.Semaphore]:
    """Inside the block every SIGINT and SIGTERM releases the semaphore once, and does nothing else."""
    loop = asyncio.get_running_loop()
    told = asyncio.Semaphore(0)

    def from_signal(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(told.release)

    before = {number: signal.signal(number, from_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _cannot_listen(exc: OSError, host: str, port: int) -> str:
    if exc.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8000
        return f"Port {port} is in use. Stop what uses it, or choose another: `llms --serve {other}`."
    if exc.errno == errno.EACCES:
        return f"Port {port} needs more rights than you have. Choose one above 1023: `llms --serve 8000`."
    return f"Cannot listen on {host}:{port}: {exc.strerror or exc}. Choose another --host or port."
