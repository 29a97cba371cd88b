"""The checks that run the extension, in a server that has nothing else."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from llms.host.extension import Extension, Origin, State
from llms.host.owners import Owners
from llms.host.status import status
from llms.host.watchdog import Watchdog
from llms.testing.app import TestServer, make_app
from llms.testing.conformance import tools
from llms.testing.conformance.report import Check, counted, listed
from llms.testing.conformance.routes import ask_all, door, path_for, unguarded
from llms.testing.registries import Registries

CHECKS = ("loads", "tools", "reloads", "loop", "guarded", "unloads")  # in the order they are made


async def run(folder: Path, home: Path, environ: Mapping[str, str], tell: Callable[[Check], None]) -> None:
    """Loads the extension into a running server, asks it, and takes it out again; `tell` hears of each check."""
    async with make_app(home=home, environ=environ) as server:
        trial = Trial(server, folder)
        tell(await trial.load())
        for name, check in trial.checks().items():
            tell(await check() if trial.is_loaded else Check.skipped(name, "It is not loaded."))


class Trial:
    """One extension in one server: first `load` it, then make the other checks in their order."""

    def __init__(self, server: TestServer, folder: Path) -> None:
        assert server.host.shared is not None, "the server runs"
        self._server, self._shared = server, server.host.shared
        self._extension = Extension(folder.name, folder, Origin.USER)
        self._blocked: list[str] = []
        self._tasks, self._threads = asyncio.all_tasks(), set(threading.enumerate())
        self._before = Registries(self._shared)
        self._loaded = self._before
        watchdog = Watchdog(self._note_blocked, limit=server.app.config.limits.block_timeout)
        watchdog.watch(asyncio.get_running_loop())
        server.host.watchdog = watchdog

    def _note_blocked(self, _extension: str, seconds: float, place: str) -> None:
        self._blocked.append(f"{seconds:.1f} s at {place}")

    @property
    def is_loaded(self) -> bool:
        return self._extension.is_loaded

    def checks(self) -> dict[str, Callable[[], Awaitable[Check]]]:
        """What is to be done once it is loaded, by name."""
        methods = (self.tools, self.reload, self.loop, self.guarded, self.unload)
        return dict(zip(CHECKS[1:], methods, strict=True))

    async def load(self) -> Check:
        """Whether it loads in a clean home."""
        await self._server.live.add(self._extension)
        self._loaded = Registries(self._shared)
        if self._extension.state is State.DISABLED:
            return Check.skipped("loads", f"It takes no part: {self._extension.reason}")
        if why := self._trouble():
            return Check.failed("loads", why, "")
        facts = status(self._server.host, self._extension)
        kinds = [counted(len(facts[kind]), kind[:-1]) for kind in ("routes", "tools", "filters") if facts[kind]]
        return Check.ok("loads", f"It loads in a clean home{', with ' if kinds else ''}{', '.join(kinds)}.")

    async def tools(self) -> Check:
        """Whether models can make something of its tools."""
        registry = self._shared.app.tools
        names = registry.of(self._extension.name)
        return tools.check([found for name in names if (found := registry.definition(name)) is not None])

    async def reload(self) -> Check:
        """Whether it is the same when it is loaded again, as whenever its code changes."""
        await self._server.live.renew(self._extension)
        if why := self._trouble():
            return Check.failed(
                "reloads", why, "Release in a cleanup handler what it holds, so that it can be had again."
            )
        if changes := self._loaded.changes_in_words(Registries(self._shared)):
            told = f"Loaded again, it is not the same: {listed(changes)}."
            return Check.failed("reloads", told, "Register through `ctx` alone, and keep nothing elsewhere.")
        return Check.ok("reloads", "Loaded again, it is the same.")

    def _trouble(self) -> str:
        """What has gone wrong since it was last asked; empty for nothing."""
        if not self.is_loaded:
            return f"It is not loaded: {self._extension.reason}"
        account = self._shared.app.hooks.accounts.of(self._extension.name)
        errors, account.errors = account.errors, 0
        return f"It loads, but then this fails: {account.last_error}" if errors else ""

    async def loop(self) -> Check:
        """Whether it leaves the event loop to others while it loads, and while it answers whatever can be got."""
        gettable = [route for route in self._shared.routes.of(self._extension.name) if route.method == "GET"]
        with door(self._server, is_open=True):
            await ask_all(self._server, gettable)
        asked = f" and {counted(len(gettable), 'GET route')}" if gettable else ""
        if self._blocked:
            fix = "Await, or use `asyncio.to_thread`; import what is slow where it is needed."
            return Check.failed("loop", f"It kept the whole server waiting: {listed(self._blocked)}.", fix)
        return Check.ok("loop", f"Its start{asked} kept nobody else waiting.")

    async def guarded(self) -> Check:
        """Whether every route turns away who is not signed in, where people have to be."""
        name, routes = "guarded", self._shared.routes.of(self._extension.name)
        if not routes:
            return Check.skipped(name, "It has no routes.")
        manifest = self._extension.manifest
        declared = manifest is not None and "routes:public" in manifest.permissions
        with door(self._server, is_open=False):
            open_to_all = unguarded(await ask_all(self._server, routes), may_be_public=declared)
        if open_to_all:
            told = f"{listed(open_to_all)} answered somebody who is not signed in."
            return Check.failed(name, told, 'Take `public=True` off, or declare "routes:public" in extension.toml.')
        public = sum(route.public for route in routes)
        told = f"{counted(len(routes) - public, 'route')} turned away who is not signed in"
        unasked = [f"{route.method} {route.path}" for route in routes if path_for(route) is None]
        hint = f"Not asked, for want of a path that fits: {listed(unasked)}." if unasked else ""
        return Check.ok(name, f"{told}; {public} declared as public." if public else f"{told}.", hint)

    async def unload(self) -> Check:
        """Whether nothing of it is left when it is taken out."""
        await self._server.live.drop(self._extension)
        await asyncio.sleep(0)
        left = [*self._before.changes(Registries(self._shared)), *self._running()]
        if left:
            fix = "Register through `ctx`, work in `ctx.spawn` and `ctx.schedule`, stop all else in a cleanup handler."
            return Check.failed("unloads", f"Unloaded, it leaves something: {listed(left)}.", fix)
        return Check.ok("unloads", "Unloaded, it leaves nothing.")

    def _running(self) -> Iterator[str]:
        """What goes on in its code, although it is unloaded."""
        owners = Owners()
        owners.add(self._extension.name, self._extension.path)
        for task in asyncio.all_tasks() - self._tasks:
            if place := next((owners.culprit(frame) for frame in task.get_stack()), None):
                yield f"a task at {place.place}"
        frames = sys._current_frames()
        for thread in set(threading.enumerate()) - self._threads:
            if place := owners.culprit(frames.get(thread.ident or 0)):
                yield f"a thread at {place.place}"
