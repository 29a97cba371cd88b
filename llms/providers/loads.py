"""Asks providers which models they have, and lets generators load, while everything else goes on."""

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any

from llms.kernel import foreign
from llms.kernel.errors import LlmsError

logger = logging.getLogger("llms.providers")
LONGEST = 10.0  # seconds one provider may take to list its models
PAUSE = 3.0  # seconds between two times that providers are asked again


class Loads:
    """The loads under way, each a task of its own. `close()` ends them."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], Any] = {}  # and the provider it loads
        self._asked_again = float("-inf")

    def begin(self, providers: Iterable[Any]) -> None:
        """Loads each of `providers` that is not being loaded now."""
        for provider in providers:
            if not any(provider is other for other in self._tasks.values()):
                task = asyncio.create_task(_load(provider))
                self._tasks[task] = provider
                task.add_done_callback(self._tasks.pop)

    def again(self, providers: Iterable[Any]) -> None:
        """As `begin`, for providers that had no models; does nothing if that was tried a moment ago."""
        now = time.monotonic()
        if now - self._asked_again >= PAUSE:
            self._asked_again = now
            self.begin(providers)

    async def ended(self, within: float) -> bool:
        """Waits until every load has ended, `within` seconds at most; gives whether they have."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=within)
        return not self._tasks

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _load(provider: Any) -> None:
    id = str(getattr(provider, "id", None) or type(provider).__name__)
    try:
        async with asyncio.timeout(LONGEST):
            await foreign.call(provider.load, extension=id)
    except TimeoutError:
        logger.warning("Provider %s did not list its models within %g s. Check that its server is well.", id, LONGEST)
    except LlmsError as error:
        logger.warning("Provider %s could not load its models: %s", id, error)
