"""What happens in the server, for whoever watches: open pages, above all."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

_MOST_WAITING = 64  # events one watcher may be behind; a slower one loses the oldest


class Events:
    """Publishes to everybody who watches at that moment; nobody waits for a watcher."""

    def __init__(self) -> None:
        self._watchers: list[asyncio.Queue[tuple[str, Any] | None]] = []

    def publish(self, kind: str, data: Any = None) -> None:
        self._put((kind, data))

    def close(self) -> None:
        """Tells everybody who watches that nothing follows."""
        self._put(None)

    def _put(self, event: tuple[str, Any] | None) -> None:
        for queue in self._watchers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    async def watch(self) -> AsyncGenerator[tuple[str, Any]]:
        """Every event from now on, as `(kind, data)`, until `close`."""
        queue: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue(_MOST_WAITING)
        self._watchers.append(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._watchers.remove(queue)
