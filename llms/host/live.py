"""Changing which extensions are loaded while everything goes on."""

import argparse
import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from llms.host import discovery
from llms.host.extension import Extension, Origin, State
from llms.host.loader import Host
from llms.kernel.errors import ConfigError, NotFound, RequestError
from llms.kernel.types import Json

logger = logging.getLogger("llms.host")
DISABLED = "disable_extensions"  # of llms.json


class Live:
    """One change at a time. Each leaves the extension loaded, or not loaded with nothing left of it.

    A change that has begun goes on to its end, even if whoever asked for it has left.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.serving = False  # startup handlers have run
        self._one_at_a_time = asyncio.Lock()
        self._changes: set[asyncio.Task[None]] = set()

    # -- what users ask for ------------------------------------------------------------------------------------

    async def enable(self, name: str) -> Extension:
        """Takes `name` off `disable_extensions`, forgives its crashes, and loads it."""
        extension = self._named(name)

        if name in self._environ_disables():
            raise RequestError(f"LLMS_DISABLE names '{name}'. Take it out there, and restart the server.")

        async def change() -> None:
            await self._list(name, disabled=False)
            self.host.crashes.forgive(name)
            await self._load(extension)

        await self._alone(change())
        return extension

    async def disable(self, name: str) -> Extension:
        """Puts `name` on `disable_extensions`, and unloads it."""
        extension = self._named(name)

        async def change() -> None:
            await self._list(name, disabled=True)
            await self._unload(extension, extension.switched_off())

        await self._alone(change())
        return extension

    async def reload(self, name: str) -> Extension:
        """Unloads `name` and loads it as its folder is now."""
        extension = self._named(name)
        if extension.origin is Origin.BUILT_IN:
            raise RequestError(f"'{name}' is built in. Restart the server instead.")
        if extension.state is State.DISABLED:
            raise RequestError(f"Extension '{name}' is not loaded: {extension.reason}")
        await self.renew(extension)
        return extension

    # -- what that takes ---------------------------------------------------------------------------------------

    async def load(self, extension: Extension) -> None:
        """Imports, installs and loads an extension that is not loaded, as at a start."""
        await self._alone(self._load(extension))

    async def unload(self, extension: Extension, reason: str) -> None:
        """Lets it clean up, takes back all it registered, and forgets its code."""
        await self._alone(self._unload(extension, reason))

    async def renew(self, extension: Extension) -> None:
        """Unloads it, if it is loaded, and loads it as its folder is now."""

        async def change() -> None:
            await self._unload(extension, "")
            await self._load(extension)

        await self._alone(change())

    async def add(self, extension: Extension) -> None:
        """Lists an extension that was not there before, and loads it if nothing speaks against that."""

        async def change() -> None:
            self.host.extensions.append(extension)
            if extension.may_load:
                await self._load(extension)

        await self._alone(change())

    async def drop(self, extension: Extension) -> None:
        """Unloads an extension whose folder is gone, and forgets that it was there."""

        async def change() -> None:
            await self._unload(extension, "")
            self.host.extensions.remove(extension)

        await self._alone(change())

    async def _alone(self, change: Coroutine[Any, Any, None]) -> None:
        async def run() -> None:
            async with self._one_at_a_time:
                await change

        task = asyncio.ensure_future(run())
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        await asyncio.shield(task)

    def _environ_disables(self) -> set[str]:
        assert self.host.shared is not None, "a server has installed its extensions"
        return discovery.disabled_names({}, self.host.shared.app.config.environ)

    async def _load(self, extension: Extension) -> None:
        host = self.host
        assert host.shared is not None, "a server has installed its extensions"
        if extension.state is State.LOADED:
            return
        if host.standing is not None:
            host.standing.renew()
        extension.resign(State.FOUND, "")
        extension.seconds = 0.0
        discovery.judge(extension, safe_mode=host.safe_mode)
        if extension.may_load:
            self._import(extension)
        if extension.may_load:
            self._add_flags(extension, host.shared.cli_args)
        if extension.may_load:
            await host.install_one(extension)
        if extension.is_loaded:
            await self._rebuild_providers()
            await host.load_one(extension)
        if extension.is_loaded:
            if self.serving:
                await host.shared.app.hooks.startup.run_for(extension.name)
            host.crashes.clean(extension.name)
        elif extension.ctx is None and extension.state is State.FAILED:
            await self._rebuild_providers()  # without the classes of what failed
        host.crashes.close()
        logger.info("Extension %s: %s %s", extension.name, extension.state, extension.reason)

    async def _unload(self, extension: Extension, reason: str) -> None:
        host = self.host
        if host.shared is not None and extension.is_loaded:
            hooks = host.shared.app.hooks
            if self.serving:
                await hooks.cleanup.run_for(extension.name)
            await hooks.shutdown.run_for(extension.name)
            await host.shared.tasks.end(extension.name)
            host.take_back(extension)
            await host.shared.app.databases.release(extension.name)
            await self._rebuild_providers()
        host.unload(extension)
        extension.resign(State.DISABLED, reason)

    def _import(self, extension: Extension) -> None:
        """Imports its code: here, as at a start, so this may keep the event loop for as long as it may there."""
        watchdog, allowed = self.host.watchdog, self.host.limits.install_timeout
        before, watchdog.limit = watchdog.limit, max(watchdog.limit, allowed)
        try:
            self.host.import_one(extension)
        finally:
            watchdog.limit = before

    async def _rebuild_providers(self) -> None:
        assert self.host.shared is not None
        app = self.host.shared.app
        await app.rebuild_providers()
        await app.hooks.reload_providers()

    def _add_flags(self, extension: Extension, options: argparse.Namespace) -> None:
        """Gives the flags it adds their defaults: the command line was read before it was there."""
        parser = FlagsOnly(add_help=False)
        self.host.add_arguments_of(extension, parser)
        for name, value in vars(parser.parse_args([])).items() if extension.may_load else ():
            if not hasattr(options, name):
                setattr(options, name, value)

    # -- the configuration -------------------------------------------------------------------------------------

    def _named(self, name: str) -> Extension:
        extension = self.host.find(name)
        if extension is None:
            known = ", ".join(extension.name for extension in self.host.extensions)
            raise NotFound(f"There is no extension '{name}'. There are: {known}.")
        return extension

    async def _list(self, name: str, *, disabled: bool) -> None:
        """Writes to llms.json whether `name` is disabled."""
        assert self.host.shared is not None
        await self.host.shared.app.change_config(listing(name, disabled=disabled))


class FlagsOnly(argparse.ArgumentParser):
    """A parser whose flags nobody gives any more, for an extension that comes late."""

    def add_command(self, *_: Any, **__: Any) -> None:
        """A command line has been read already: no further command can be on it."""

    @contextmanager
    def extended_by(self, _extension: str, /) -> Iterator[None]:
        """Whatever is added inside the block must work without anybody giving it. Raises ConfigError."""
        yield
        self.parse_args([])

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"Its flags cannot be left out: {message}. Give each a default in `__parser__`.")


def listing(name: str, *, disabled: bool) -> Callable[[Json], None]:
    """An edit of llms.json that says whether the extension called `name` is disabled."""

    def edit(raw: Json) -> None:
        names = [other for other in raw.get(DISABLED) or () if other != name]
        raw[DISABLED] = [*names, name] if disabled else names
        if not raw[DISABLED]:
            del raw[DISABLED]

    return edit
