"""The few threads in which all images are unpacked, and what one chat may ask of them."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import TypeVar

from llms.kernel.errors import RequestError
from llms.media.images import convert

Convert = Callable[[bytes, str], Awaitable[tuple[bytes, str]]]  # image, media type -> the same, fit for a model

Made = TypeVar("Made")

MAX_CHAT_PIXELS = 2**28  # four images of the largest size, or twenty photos: a few seconds of one core
_AT_ONCE = 2  # one takes up to half a gigabyte


class Converter:
    """Converts the images of every chat of this process, two at once. Call `close()` at the end.

    A chat that was given up keeps its thread until Pillow is done, so the limit holds whatever callers do.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="llms-images")

    def for_chat(self, *, max_size: str = "1536x1024", max_length: int = 1572864) -> Convert:
        """`images.convert` for one chat: all its images together may unpack to `MAX_CHAT_PIXELS`."""
        budget = _PixelBudget(MAX_CHAT_PIXELS)
        return partial(
            self._converted, partial(convert, max_size=max_size, max_length=max_length, before_unpacking=budget.spend)
        )

    async def run(self, work: Callable[[], Made]) -> Made:
        """What `work` returns in one of the threads: for whatever unpacks images."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _converted(
        self, work: Callable[[bytes, str], tuple[bytes, str]], data: bytes, mime: str
    ) -> tuple[bytes, str]:
        return await self.run(partial(work, data, mime))

    def close(self) -> None:
        """Begins no further conversion. May be called twice."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _PixelBudget:
    def __init__(self, pixels: int) -> None:
        self._left = pixels
        self._lock = Lock()  # two images of one chat may be at it at once

    def spend(self, pixels: int) -> None:
        with self._lock:
            self._left -= pixels
            if self._left < 0:
                raise RequestError(
                    f"The large images of the chat have more than {MAX_CHAT_PIXELS // 10**6} megapixels together. "
                    "Send fewer or smaller ones."
                )
