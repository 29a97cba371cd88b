"""Tells somebody of an answer while it grows."""

import time
from collections.abc import Awaitable, Callable

from llms.kernel.types import Message

Tell = Callable[[Message], Awaitable[None]]


class StreamWriter:
    """Called with the message so far, it tells of it, but at most every `interval` seconds.

    `flush()` tells of what came since. A message that says nothing is never told, nor one twice; with nobody to tell,
    nothing happens.
    """

    def __init__(self, tell: Tell | None, *, interval: float) -> None:
        self._tell, self._interval = tell, interval
        self._told_at = float("-inf")
        self._waiting: Message | None = None

    @property
    def is_due(self) -> bool:
        """Whether a message given now would be told at once."""
        return self._tell is not None and time.monotonic() >= self._told_at + self._interval

    async def write(self, message: Message) -> None:
        if any(value for key, value in message.items() if key != "role"):
            self._waiting = message
        if self.is_due:
            await self.flush()

    __call__ = write

    async def flush(self) -> None:
        message, self._waiting = self._waiting, None
        if message is not None and self._tell is not None:
            self._told_at = time.monotonic()
            await self._tell(message)
