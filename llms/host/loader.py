"""Imports extensions once each and calls their hooks. What one of them breaks is its own."""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from llms.host import discovery
from llms.host.context import ExtensionContext
from llms.host.crashes import Crashes
from llms.host.declared import register_declared
from llms.host.extension import Extension, State
from llms.host.importing import contained_calls, import_folder, import_package
from llms.host.install.journal import recover_unfinished
from llms.host.settings import Settings
from llms.host.shared import Shared
from llms.host.snapshot import Snapshot
from llms.host.standing import Standing
from llms.host.watchdog import Watchdog
from llms.kernel import foreign
from llms.kernel.errors import LlmsError
from llms.kernel.limits import Limits
from llms.kernel.paths import Home
from llms.kernel.undo import Undo

if TYPE_CHECKING:
    from llms.app import App

logger = logging.getLogger("llms.host")


class ExtensibleParser(Protocol):
    """A parser that notes whose an added flag is."""

    def extended_by(self, extension: str, /) -> AbstractContextManager[None]: ...


class Host:
    """The extensions of this process, in load order, those that are not loaded among them."""

    def __init__(
        self,
        extensions: Iterable[Extension],
        *,
        crashes: Crashes,
        limits: Limits | None = None,
        safe_mode: bool = False,
    ) -> None:
        self.extensions = list(extensions)
        self.crashes = crashes
        self.safe_mode = safe_mode
        self.watchdog = Watchdog(self._blocked)
        self._unwatch: dict[str, Undo] = {}  # by extension
        self.limits = limits or Limits()
        self.shared: Shared | None = None
        self.standing: Standing | None = None
        self._snapshots: list[Snapshot] = []

    @classmethod
    def discover(
        cls,
        home: Home,
        *,
        disabled: Collection[str] = (),
        development: Sequence[Path] = (),
        safe_mode: bool = False,
        limits: Limits | None = None,
    ) -> Host:
        """Every extension there is. Of one that is disabled no line runs."""
        try:
            foreign.call_now(recover_unfinished, home, extension="installer")
        except LlmsError as error:
            logger.error("%s", error)  # the rest can be loaded all the same
        crashes = Crashes(home.crashes)
        found = discovery.discover(
            home.extensions,
            development=development,
            disabled=disabled,
            safe_mode=safe_mode,
            crashed=crashes.reason,
        )
        return cls(found, crashes=crashes, limits=limits, safe_mode=safe_mode)

    @property
    def loaded(self) -> list[Extension]:
        return [extension for extension in self.extensions if extension.is_loaded]

    def find(self, name: str) -> Extension | None:
        return next((extension for extension in self.extensions if extension.name == name), None)

    def context(self, name: str) -> ExtensionContext | None:
        """The context of the extension called `name`, once it is installed."""
        found = self.find(name)
        return found.ctx if found else None

    # -- the order of a start ----------------------------------------------------------------------------------

    def import_code(self, wanted: Callable[[Extension], bool] = lambda _: True) -> None:
        """Imports every extension that may be loaded and is `wanted`."""
        for extension in self.extensions:
            if extension.may_load and extension.imported is None and wanted(extension):
                self.import_one(extension)

    def import_one(self, extension: Extension) -> None:
        """Imports the code of one extension."""
        self._unwatch.pop(extension.name, _nothing)()
        self._unwatch[extension.name] = self.watchdog.add(extension.name, extension.path)
        with self._phase(extension, "install"):
            if extension.package:
                extension.imported = import_package(extension.package, name=extension.name)
            else:
                extension.imported = import_folder(extension.name, extension.path)

    def add_arguments(self, parser: ExtensibleParser) -> None:
        """Lets every extension add its flags and commands to `parser`."""
        for extension in self._imported():
            self.add_arguments_of(extension, parser)

    def add_arguments_of(self, extension: Extension, parser: ExtensibleParser) -> None:
        """Lets one extension add its flags and commands to `parser`."""
        if (hook := extension.hook("__parser__")) is not None:
            with self._phase(extension, "add the flags of"), parser.extended_by(extension.name):
                foreign.call_now(contained_calls(hook, extension.imported), parser, extension=extension.name)

    async def install(self, app: App, *, cli_args: argparse.Namespace, extra_args: list[str]) -> None:
        """Gives every extension its context. One that fails is taken out again with all it had registered."""
        self.shared = Shared(app, self, cli_args, extra_args)
        self.standing = Standing(self.shared.containers(), app.tools)
        self.limits = app.config.limits
        for extension in self._imported():
            await self.install_one(extension)

    async def install_one(self, extension: Extension) -> None:
        """Installs one extension; afterwards it is loaded, or it has left nothing."""
        assert self.shared is not None and self.standing is not None, "install() has made them"
        self.standing.renew()
        ctx = ExtensionContext(
            self.shared,
            name=extension.name,
            path=extension.path,
            settings=Settings.of(extension, self.shared.app.config),
        )
        extension.ctx = ctx
        with self._phase(extension, "install"):
            snapshot = Snapshot(self.shared.containers(), self.shared.app.tools, self._snapshots)
            ctx.undo.append(snapshot.undo)
            try:
                await self._call(extension, "__install__")
                register_declared(ctx, extension.modules)
                self._offer_ui(extension)
            finally:
                snapshot.close()
            extension.state = State.LOADED
        if ctx.disabled and extension.is_loaded:
            self.take_back(extension)
            why = ctx.disabled if isinstance(ctx.disabled, str) else "It disabled itself: it has nothing to do here."
            extension.resign(State.DISABLED, why)
        await self._let_go(extension)

    async def load(self) -> None:
        """Calls every `__load__`, all at once. One that fails is taken out again like one that fails to install."""
        if self.standing is not None:
            self.standing.renew()
        suspects = [extension for extension in self.loaded if self.crashes.is_suspected(extension.name)]
        others = [extension for extension in self.loaded if extension not in suspects]
        for extension in suspects:  # alone, so that another crash names nobody else
            await self.load_one(extension)
        await asyncio.gather(*(self.load_one(extension) for extension in others))
        if self.shared is not None and not all(extension.is_loaded for extension in [*suspects, *others]):
            await self.shared.app.rebuild_providers()  # without the classes of those that failed

    async def load_one(self, extension: Extension) -> None:
        """Calls the `__load__` of one extension; afterwards it is loaded still, or it has left nothing."""
        with self._phase(extension, "load"):
            await self._call(extension, "__load__")
            self._follow_reloads(extension)
        await self._let_go(extension)

    async def start(self) -> None:
        """Calls the startup handlers. Whoever got so far has not crashed."""
        assert self.shared is not None, "a server has installed its extensions"
        startup = self.shared.app.hooks.startup
        owners = {owner for _, owner in startup.handlers}
        with ExitStack() as stack:
            for extension in self.loaded:
                if extension.is_third_party and extension.name in owners:
                    stack.enter_context(self.crashes.during(extension.name, "start"))
            await startup()
        self.settle()

    def settle(self) -> None:
        """Forgives the crashes of everything that is loaded by now."""
        for extension in self.loaded:
            self.crashes.clean(extension.name)
        self.crashes.close()

    async def run(self) -> bool:
        """Calls each `__run__` until one says that it handled this command line. Raises what one raised if none did."""
        errors: list[LlmsError] = []
        for extension in self.loaded:
            if (hook := extension.hook("__run__")) is None:
                continue
            try:
                if await foreign.call(hook, extension.ctx, extension=extension.name):
                    return True
            except LlmsError as error:
                logger.info("Failed to run extension %s: %s", extension.name, error)
                errors.append(error)
        if errors:
            raise errors[0]
        return False

    async def end_tasks(self) -> None:
        """Ends what extensions do in the background; names those that will not end."""
        if self.shared is not None:
            await self.shared.tasks.end()

    async def close(self) -> None:
        """Ends what extensions do in the background, and forgets their code. May be called twice."""
        await self.end_tasks()
        self.forget()

    def forget(self) -> None:
        """Forgets the code of all extensions, and stops watching. May be called twice."""
        self.watchdog.stop()
        self.crashes.close()
        for extension in self.extensions:
            if extension.imported is not None:
                extension.imported.unload()

    # -- one extension -----------------------------------------------------------------------------------------

    def take_back(self, extension: Extension) -> None:
        """Takes back whatever the extension has registered, the last first."""
        ctx = extension.ctx
        extension.ctx = None
        if ctx is None or self.shared is None:
            return
        ctx._close()
        for undo in reversed(ctx.undo):
            try:
                foreign.call_now(undo, extension=extension.name)
            except LlmsError as error:
                logger.error("A registration of %s could not be taken back: %s", extension.name, error)
        ctx.undo.clear()
        self.shared.tasks.cancel(extension.name)
        self.shared.app.registry.forget(extension.name)
        if self.standing is not None:
            self.standing.renew()

    def unload(self, extension: Extension) -> None:
        """Forgets its code."""
        imported, extension.imported = extension.imported, None
        if imported is not None:
            imported.unload()

    async def _let_go(self, extension: Extension) -> None:
        """Leaves nothing of an extension that is not loaded after all."""
        if not extension.is_loaded and self.shared is not None:
            await self.shared.app.databases.release(extension.name)
            self.unload(extension)

    def _imported(self) -> list[Extension]:
        return [e for e in self.extensions if e.may_load and e.imported is not None]

    async def _call(self, extension: Extension, name: str) -> None:
        if (hook := extension.hook(name)) is not None:
            hook = contained_calls(hook, extension.imported)
            deadline = self.limits.install_timeout
            await foreign.call_here(hook, extension.ctx, extension=extension.name, deadline=deadline)

    def _offer_ui(self, extension: Extension) -> None:
        """Serves the `ui` folder, after the extension's own routes, and lists its `index.mjs`."""
        ctx, folder = extension.ctx, extension.path / "ui"
        assert ctx is not None and self.shared is not None
        if not folder.is_dir() or ctx.disabled:
            return
        ctx.add_static_files(str(folder))
        listed = {module["id"] for module in self.shared.page.modules}
        if (folder / "index.mjs").is_file() and extension.name not in listed:
            ctx.register_ui_extension("index.mjs")

    def _follow_reloads(self, extension: Extension) -> None:
        hook, ctx = extension.hook("__reload_providers__"), extension.ctx
        if hook is not None and ctx is not None:
            assert self.shared is not None
            hooks = self.shared.app.hooks
            ctx.undo.append(hooks.reload_providers.add(partial(hook, ctx), extension=extension.name))

    @contextmanager
    def _phase(self, extension: Extension, what: str) -> Iterator[None]:
        """Runs code of `extension`: watched, timed, and with what it does to the process taken back.

        Whatever it raises ends here: the extension has failed, and nothing of it is left.
        """
        started = time.perf_counter()
        try:
            with ExitStack() as stack:
                if extension.is_third_party:
                    stack.enter_context(self.crashes.during(extension.name, what))
                    stack.enter_context(self.watchdog.deadline(extension.name, self.limits.install_timeout))
                stack.callback(self._put_back, extension, what)
                yield
        except (Exception, SystemExit, asyncio.CancelledError) as exc:  # the border: it costs only the extension
            if isinstance(exc, asyncio.CancelledError) and _is_cancelled():
                raise
            why = str(exc) or type(exc).__name__
            logger.error("Failed to %s extension %s: %s", what, extension.name, why, exc_info=exc)
            self.take_back(extension)
            self.unload(extension)
            extension.resign(State.FAILED, why)
        finally:
            extension.seconds += time.perf_counter() - started

    def _put_back(self, extension: Extension, what: str) -> None:
        """Brings back what code of one extension has taken from the others."""
        if self.standing is None:
            return
        if self.standing.put_back():
            told = "While extension %s was to %s, what others had registered was taken out. It was put back."
            logger.warning(told, extension.name, what)
        self.standing.renew()

    def _blocked(self, extension: str, seconds: float, where: str) -> None:
        """Notes that an extension has kept the event loop from everybody else."""
        if self.shared is not None:
            account = self.shared.app.hooks.accounts.of(extension)
            account.errors += 1
            account.last_error = f"It kept the server waiting for {seconds:.1f} s at {where}."


def _is_cancelled() -> bool:
    """Whether it is our own task that shall end, not one that an extension has cancelled and then awaited."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs yet
        return False
    return task is not None and task.cancelling() > 0


def _nothing() -> None: ...
