"""What the pytest fixture `ext_app` gives: a server with an extension, however the test is written."""

from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack
from types import TracebackType
from typing import Any

from llms.testing.app import TestServer, make_app
from llms.testing.sync import SyncServer, make_sync_app


class Starting:
    """A server that is about to start: `await` it, or enter it with `async with`, or in a plain function with `with`.

    One that was awaited stops at the end of the test, the others at the end of their block.
    """

    def __init__(self, extensions: tuple[Any, ...], options: dict[str, Any], stack: AsyncExitStack | None) -> None:
        self._extensions, self._options, self._stack = extensions, options, stack
        self._here: AbstractAsyncContextManager[TestServer] | None = None
        self._apart: AbstractContextManager[SyncServer] | None = None

    def __await__(self) -> Generator[Any, Any, TestServer]:
        if self._stack is None:
            raise RuntimeError(
                "Nobody would stop this server. Install pytest-asyncio, or write `async with ext_app(…)`."
            )
        return self._stack.enter_async_context(make_app(*self._extensions, **self._options)).__await__()

    async def __aenter__(self) -> TestServer:
        self._here = make_app(*self._extensions, **self._options)
        return await self._here.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._here is not None, "it was entered"
        await self._here.__aexit__(kind, error, trace)

    def __enter__(self) -> SyncServer:
        self._apart = make_sync_app(*self._extensions, **self._options)
        return self._apart.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._apart is not None, "it was entered"
        self._apart.__exit__(kind, error, trace)


class ExtApp:
    """Called with the folder of an extension, or several, and the options of `make_app`, it gives a `Starting`.

    What was awaited ends with `stack`; without one nothing can be awaited.
    """

    def __init__(self, stack: AsyncExitStack | None = None) -> None:
        self._stack = stack

    def __call__(self, *extensions: Any, **options: Any) -> Starting:
        return Starting(extensions, options, self._stack)
