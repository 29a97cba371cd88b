"""The HTTP server: where it listens, and how it ends."""

import asyncio
import errno
import gc
import signal
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from aiohttp import web

from llms.app import App
from llms.kernel.errors import ConfigError
from llms.web.guard import Guard, is_loopback
from llms.web.keys import APP, EXTENSIONS
from llms.web.middleware import border, sign
from llms.web.routes import chat, models, page, status


def web_app(app: App, *, host: str, extensions: Collection[str] = ()) -> web.Application:
    """The aiohttp application with every route, behind the border."""
    guard = Guard(bound=host, allowed=lambda: app.config.data.get("allowed_hosts") or ())
    application = web.Application(
        middlewares=[border(guard, app.secrets)], client_max_size=app.config.limits.client_max_size
    )
    application.on_response_prepare.append(sign)
    application[APP] = app
    application[EXTENSIONS] = list(extensions)
    for noun in (chat, models, status, page):
        application.add_routes(noun.routes())
    return application


class Server:
    """A server that listens. `url` tells where, once it is started."""

    def __init__(self, app: App, *, host: str, port: int, extensions: Collection[str] = ()) -> None:
        self.app, self.host, self.port = app, host, port
        self._runner = web.AppRunner(
            web_app(app, host=host, extensions=extensions),
            handler_cancellation=True,  # a client that leaves cancels its handler, and so the provider's connection
            access_log=None,
            handle_signals=False,
            keepalive_timeout=75.0,
            shutdown_timeout=app.config.limits.shutdown_timeout,
        )

    async def start(self) -> None:
        """Begins to accept requests. Raises ConfigError if the address cannot be had."""
        await self._runner.setup()
        await self.app.hooks.startup()
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
        await self.app.hooks.cleanup()


async def serve(app: App, *, host: str, port: int, insecure: bool = False, extensions: Collection[str] = ()) -> None:
    """Serves until SIGINT or SIGTERM. A second signal ends at once what the first lets finish."""
    if not insecure and not is_loopback(host):
        raise ConfigError(
            f"Refusing to listen on {host}: whoever can reach this machine could spend your money and read your chats. "
            "Leave out --host to stay on 127.0.0.1, or force it with --insecure."
        )
    server = Server(app, host=host, port=port, extensions=extensions)
    with _stop_signals() as told:
        await server.start()
        gc.freeze()  # what is loaded by now stays: the collector need not walk it again and again
        print(f"llms is ready at {server.url}", file=sys.stderr, flush=True)  # noqa: T201
        watcher = asyncio.create_task(app.watch_config())
        try:
            await told.acquire()
            print("Stopping when open answers have ended. Press Ctrl-C again to stop now.", file=sys.stderr)  # noqa: T201
        finally:
            watcher.cancel()
            cutter = asyncio.create_task(_cut_when(told, server))
            await server.stop()
            cutter.cancel()
            with suppress(asyncio.CancelledError):
                await watcher


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
