"""Calls code we did not write: sync or async, with a deadline, its failures turned into ours."""

import asyncio
import contextvars
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

from llms.kernel.errors import LlmsError

MOST_STUCK = 32  # threads of one extension that nobody waits for any more
RUNNING: contextvars.ContextVar[str] = contextvars.ContextVar("extension", default="")  # whose code runs here


class ExtensionError(LlmsError):
    """An extension raised, or overran its deadline. The message is the extension's own, so a user can act on it."""

    kind = "extension_error"

    def __init__(self, message: str, *, extension: str) -> None:
        super().__init__(message)
        self.extension = extension


async def call(
    function: Callable[..., Any], *args: Any, extension: str, deadline: float | None = None, **kwargs: Any
) -> Any:
    """What `function` returns. A sync one runs in a thread of its own, so that it can stop neither the event loop
    nor, where it never ends, other calls or the end of the process.

    Raises ExtensionError for whatever foreign error it raises; our own errors pass unchanged.
    """
    async with _border(function, extension, deadline):
        if inspect.iscoroutinefunction(function):
            return await function(*args, **kwargs)
        result = await _in_thread(partial(function, *args, **kwargs), extension)
        return await result if inspect.isawaitable(result) else result


async def call_here(
    function: Callable[..., Any], *args: Any, extension: str, deadline: float | None = None, **kwargs: Any
) -> Any:
    """As `call`, but a sync function runs on the event loop's own thread: for hooks that register things."""
    async with _border(function, extension, deadline):
        result = function(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result


def call_now(function: Callable[..., Any], *args: Any, extension: str, **kwargs: Any) -> Any:
    """As `call`, for a function that is sync and quick, where nothing can be awaited."""
    with border(extension):
        return function(*args, **kwargs)


@contextmanager
def border(extension: str) -> Iterator[None]:
    """Raises ExtensionError for whatever foreign error the block raises; our own errors pass unchanged."""
    before = RUNNING.get()
    RUNNING.set(extension)
    try:
        yield
    except (LlmsError, KeyboardInterrupt, GeneratorExit):
        raise
    except asyncio.CancelledError as exc:
        if is_cancelled():
            raise
        raise ExtensionError("It was cancelled by itself.", extension=extension) from exc
    except BaseException as exc:  # the border to code that is not ours, whose SystemExit is one more way to fail
        raise ExtensionError(_told(exc), extension=extension) from exc
    finally:
        RUNNING.set(before)


def is_cancelled() -> bool:
    """Whether the task that runs here shall end itself: an extension may have awaited one that it had cancelled."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs here
        return False
    return task is not None and task.cancelling() > 0


@asynccontextmanager
async def _border(function: Callable[..., Any], extension: str, deadline: float | None) -> AsyncIterator[None]:
    """As `border`, with a deadline."""
    limit = asyncio.timeout(deadline)
    try:
        with border(extension):
            async with limit:
                yield
    except KeyboardInterrupt as exc:  # on the loop Ctrl-C comes as a cancellation: this one is the extension's own
        raise ExtensionError("It raised KeyboardInterrupt.", extension=extension) from exc
    except ExtensionError as error:
        if not limit.expired():
            raise
        message = f"Extension '{extension}' took longer than {deadline:g} s in {_name(function)}. Mend or disable it."
        raise ExtensionError(message, extension=extension) from error.__cause__


async def _in_thread(function: Callable[[], Any], extension: str) -> Any:
    """What `function` returns in a thread of its own."""
    threads = (thread for thread in threading.enumerate() if isinstance(thread, _Thread))
    if sum(thread.extension == extension and thread.given_up for thread in threads) >= MOST_STUCK:
        message = f"Extension '{extension}' has {MOST_STUCK} calls that never end. Mend or disable it, then restart."
        raise ExtensionError(message, extension=extension)
    thread = _Thread(function, extension)
    thread.start()
    try:
        return await asyncio.wrap_future(thread.outcome)
    except asyncio.CancelledError:
        thread.given_up = True
        raise


class _Thread(threading.Thread):
    """One call. No process waits for it at its end."""

    def __init__(self, function: Callable[[], Any], extension: str) -> None:
        super().__init__(name=f"llms-{extension}", daemon=True)
        self.extension = extension
        self.given_up = False  # nobody waits for its outcome any more
        self.outcome: Future[Any] = Future()
        self._function = function
        self._context = contextvars.copy_context()

    def run(self) -> None:
        if not self.outcome.set_running_or_notify_cancel():
            return
        try:
            result = self._context.run(_sync, self._function)
        except BaseException as exc:  # whatever it is, who waits shall have it
            self.outcome.set_exception(exc)
        else:
            self.outcome.set_result(result)


def _sync(function: Callable[[], Any]) -> Any:
    """Calls `function`. A future cannot carry StopIteration, and the others would end more than this call."""
    try:
        return function()
    except (StopIteration, SystemExit, KeyboardInterrupt, GeneratorExit) as exc:
        raise RuntimeError(type(exc).__name__) from exc


def _name(function: Callable[..., Any]) -> str:
    function = getattr(function, "func", function)  # of a partial
    return getattr(function, "__name__", type(function).__name__)


def _told(exc: BaseException) -> str:
    """What `exc` says, where that means something without its name."""
    if isinstance(exc, KeyError):
        return repr(exc)
    return str(exc) or type(exc).__name__
