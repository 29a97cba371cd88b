"""The same server, for tests that are plain functions."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar

from llms.testing.app import Reply, TestServer, make_app

T = TypeVar("T")


class SyncServer:
    """A TestServer whose methods return what the others' must be awaited for.

    It serves only as long as one of its methods runs: what happens in the background stands still in between.
    """

    def __init__(self, server: TestServer, runner: asyncio.Runner) -> None:
        self.url, self.app, self.host, self.provider = server.url, server.app, server.host, server.provider
        self._server, self._runner = server, runner

    def chat(self, text: str = "Hi", *, model: str = "fake-model", **fields: Any) -> Reply:
        """Asks over HTTP. `fields` go into the request; with `stream=True` the reply holds the chunks."""
        return self.run(self._server.chat(text, model=model, **fields))

    def get(self, path: str, **options: Any) -> Reply:
        """The answer to GET `path`; a JSON body is decoded."""
        return self.run(self._server.get(path, **options))

    def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        """The answer to POST `path` with `body` as JSON."""
        return self.run(self._server.post(path, body, **options))

    def request(self, method: str, path: str, **options: Any) -> Reply:
        """The answer to `method` at `path`. `options` are those of aiohttp's client, such as `json` or `headers`."""
        return self.run(self._server.request(method, path, **options))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the coroutine `work` returns, run in the server's own event loop."""
        return self._runner.run(work)


@contextmanager
def make_sync_app(*extensions: Any, **options: Any) -> Iterator[SyncServer]:
    """As `make_app`, for a test that is a plain function."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:  # it leaves the thread's own loop alone
        stack = AsyncExitStack()
        server = runner.run(stack.enter_async_context(make_app(*extensions, **options)))
        try:
            yield SyncServer(server, runner)
        finally:
            runner.run(stack.aclose())
