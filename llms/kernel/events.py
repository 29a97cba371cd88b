"""What happens in the server, for whoever watches: open pages, above all."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

_MOST_WAITING = 64  # events one watcher may be behind; a slower one loses the oldest


class Events:
    """Publishes to everybody who watches at that moment; nobody waits for a watcher."""

    def __init__(self) -> None:
        self._watchers: list[asyncio.Queue[tuple[str, Any]]] = []

    def publish(self, kind: str, data: Any = None) -> None:
        for queue in self._watchers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait((kind, data))

    async def watch(self) -> AsyncGenerator[tuple[str, Any]]:
        """Every event from now on, as `(kind, data)`."""
        queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(_MOST_WAITING)
        self._watchers.append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._watchers.remove(queue)
