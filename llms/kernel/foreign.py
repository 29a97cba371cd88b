"""Calls code we did not write: sync or async, with a deadline, its failures turned into ours."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from llms.kernel.errors import LlmsError


class ExtensionError(LlmsError):
    """An extension raised, or overran its deadline. The message is the extension's own, so a user can act on it."""

    kind = "extension_error"

    def __init__(self, message: str, *, extension: str) -> None:
        super().__init__(message)
        self.extension = extension


async def call(
    function: Callable[..., Any], *args: Any, extension: str, deadline: float | None = None, **kwargs: Any
) -> Any:
    """What `function` returns. A sync one runs in a worker thread, so that it cannot stop the event loop.

    Raises ExtensionError for whatever foreign error it raises; our own errors pass unchanged.
    """
    async with _border(function, extension, deadline):
        if inspect.iscoroutinefunction(function):
            return await function(*args, **kwargs)
        result = await asyncio.to_thread(_sync, function, *args, **kwargs)
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
    try:
        return function(*args, **kwargs)
    except LlmsError:
        raise
    except Exception as exc:  # the border to code that is not ours
        raise ExtensionError(_told(exc), extension=extension) from exc


@asynccontextmanager
async def _border(function: Callable[..., Any], extension: str, deadline: float | None) -> AsyncIterator[None]:
    limit = asyncio.timeout(deadline)
    try:
        async with limit:
            yield
    except LlmsError:
        raise
    except Exception as exc:  # the border to code that is not ours: hooks and third-party providers pass here
        message = _told(exc)
        if limit.expired():
            message = (
                f"Extension '{extension}' took longer than {deadline:g} s in {_name(function)}. Mend or disable it."
            )
        raise ExtensionError(message, extension=extension) from exc


def _sync(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Calls `function` in its thread. A future cannot carry StopIteration: whoever waits for it would wait for ever."""
    try:
        return function(*args, **kwargs)
    except StopIteration as exc:
        raise RuntimeError("StopIteration") from exc


def _name(function: Callable[..., Any]) -> str:
    function = getattr(function, "func", function)  # of a partial
    return getattr(function, "__name__", type(function).__name__)


def _told(exc: Exception) -> str:
    """What `exc` says, where that means something without its name."""
    if isinstance(exc, KeyError):
        return repr(exc)
    return str(exc) or type(exc).__name__
