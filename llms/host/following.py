"""A running server follows what changes around it: installed extensions, the list of disabled ones, edited code."""

import asyncio
import logging
from pathlib import Path
from typing import Any

from llms.host.discovery import disabled_names, discover, files_of
from llms.host.extension import Extension, Origin
from llms.host.live import Live
from llms.kernel import files, foreign
from llms.kernel.errors import ConfigError, LlmsError

logger = logging.getLogger("llms.host")
_CODE = (".py", ".toml")
Signature = tuple[tuple[str, int, int], ...]
_DEVELOPED = (Origin.USER, Origin.DEVELOPMENT)


class Follower:
    """Looks around every second. `dev`: code that changes is loaded anew, and open pages are told to reload."""

    def __init__(self, live: Live, *, dev: bool = False) -> None:
        assert live.host.shared is not None, "a server follows what it has installed"
        self._live, self._host, self._app = live, live.host, live.host.shared.app
        self._dev = dev
        self._was_disabled = self._disabled()
        self._was_installed: dict[str, Any] = {}
        self._was_installed = self._installed()
        self._signatures: dict[str, Signature] = self._all_signatures() if dev else {}

    async def run(self, every: float = 1.0) -> None:
        """Follows until it is cancelled. What cannot be followed is logged; the rest goes on."""
        while True:
            await asyncio.sleep(every)
            try:
                await foreign.call_here(self.look, extension="follower")
            except LlmsError as error:  # whatever went wrong, the next look may be luckier
                logger.error("Extensions could not be followed: %s", error)

    async def look(self) -> None:
        """Takes over whatever has changed since the last look."""
        await self._follow_disabled()
        await self._follow_installed()
        if self._dev:
            await self._follow_code()

    async def _follow_disabled(self) -> None:
        now = self._disabled()
        before, self._was_disabled = self._was_disabled, now
        for extension in self._host.extensions[:]:
            name = extension.name
            if name in now - before and extension.is_loaded:
                await self._live.unload(extension, extension.switched_off())
            elif name in before - now and not extension.is_loaded:
                self._host.crashes.forgive(name)
                await self._live.load(extension)

    async def _follow_installed(self) -> None:
        now = self._installed()
        before, self._was_installed = self._was_installed, now
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name):
                await self._take_over(name)
        for extension in self._host.extensions[:]:
            if extension.origin is Origin.USER and extension.is_loaded and not extension.path.is_dir():
                await self._take_over(extension.name)  # a folder made by hand was removed

    async def _take_over(self, name: str) -> None:
        """Makes the extension called `name` what would be loaded at a start."""
        present = self._host.find(name)
        if present is not None and present.origin is Origin.DEVELOPMENT:
            return
        standing = self._standing(name)
        self._host.crashes.forgive(name)
        if present is not None and standing is not None and present.origin is standing.origin:
            if name not in self._was_disabled:
                await self._live.renew(present)
            return
        if present is not None:
            await self._live.drop(present)
        if standing is not None:
            await self._live.add(standing)

    async def _follow_code(self) -> None:
        now = await asyncio.to_thread(self._all_signatures)
        before, self._signatures = self._signatures, now
        for name in sorted(now):
            extension = self._host.find(name)
            if extension is None or now[name] == before.get(name, now[name]):
                continue
            changed = {entry[0] for entry in set(now[name]) ^ set(before[name])}
            if any(not path.startswith("ui/") for path in changed):
                await self._live.renew(extension)
                logger.warning("Reloaded extension %s%s", name, f": {extension.reason}" if extension.reason else "")
            self._app.events.publish("reload", {"extension": name})

    # -- what there is now -------------------------------------------------------------------------------------

    def _disabled(self) -> set[str]:
        return disabled_names(self._app.config.data, self._app.config.environ)

    def _installed(self) -> dict[str, Any]:
        """The entries of the installer's lock file, by name; while it cannot be read, those that were there before."""
        if not self._app.home.lock_file.exists():
            return {}
        try:
            lock = files.read_json(self._app.home.lock_file)
        except ConfigError:
            return self._was_installed
        found = lock.get("extensions")
        return found if isinstance(found, dict) else {}

    def _standing(self, name: str) -> Extension | None:
        """The extension that a start would load under this name."""
        home = self._app.home
        found = discover(home.extensions, disabled=self._was_disabled, safe_mode=self._host.safe_mode)
        return next((extension for extension in found if extension.name == name), None)

    def _all_signatures(self) -> dict[str, Signature]:
        developed = [extension for extension in self._host.extensions if extension.origin in _DEVELOPED]
        return {
            extension.name: signature(extension.path)
            for extension in developed
            if extension.name not in self._was_disabled
        }


def signature(folder: Path) -> Signature:
    """What changes when code below `folder` does: path, time and size of each file of code, manifest and page.

    Others may be data that the extension writes itself.
    """
    found = []
    for path in files_of(folder):
        if path.suffix not in _CODE and not path.is_relative_to(folder / "ui"):
            continue
        try:
            facts = path.stat()
        except OSError:  # it is gone again
            continue
        found.append((path.relative_to(folder).as_posix(), facts.st_mtime_ns, facts.st_size))
    return tuple(found)
