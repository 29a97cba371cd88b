"""Users as they come: each is set up before the first of their requests since start is handled."""

import asyncio

from llms.kernel.hooks import Hook


class Arrivals:
    """Calls the handlers of `setup` once for every user, None included; further requests of the user wait for that.

    Without handlers nothing is done and nothing remembered, so that an extension that comes later meets everybody.
    """

    def __init__(self, setup: Hook) -> None:
        self._setup = setup
        self._met: set[str | None] = set()
        self._under_way: dict[str | None, asyncio.Task[None]] = {}

    async def welcome(self, user: str | None, request: object) -> None:
        """Returns once `user` is set up. A caller who leaves meanwhile does not stop it for the others."""
        if user in self._met or not self._setup:
            return
        task = self._under_way.get(user)
        if task is None:
            task = self._under_way[user] = asyncio.create_task(self._set_up(user, request))
        await asyncio.shield(task)

    async def _set_up(self, user: str | None, request: object) -> None:
        try:
            await self._setup(request)
            self._met.add(user)
        finally:
            del self._under_way[user]
