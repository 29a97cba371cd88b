"""Imports extensions once each and calls their hooks. What one of them breaks is its own."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from llms.host.context import ExtensionContext
from llms.kernel import foreign
from llms.kernel.errors import LlmsError

if TYPE_CHECKING:
    from llms.app import App

BUILT_INS = ("local",)  # in the order they load
logger = logging.getLogger("llms.host")


@dataclass(slots=True)
class Extension:
    """An imported extension. `ctx` is there once it is installed."""

    name: str
    module: Any
    path: Path
    ctx: ExtensionContext | None = None

    def hook(self, name: str) -> Any | None:
        return getattr(self.module, name, None)


class ExtensibleParser(Protocol):
    """A parser that notes whose an added flag is."""

    def extended_by(self, extension: str, /) -> AbstractContextManager[None]: ...


class Host:
    """The extensions of this process, in load order."""

    def __init__(self, extensions: Iterable[Extension] = ()) -> None:
        self.extensions = list(extensions)

    @classmethod
    def discover(cls, *, disabled: Collection[str] = ()) -> Host:
        """Every built-in that is not disabled. Of a disabled one no line runs."""
        found = (_import(name) for name in BUILT_INS if name not in disabled)
        return cls(extension for extension in found if extension is not None)

    def context(self, name: str) -> ExtensionContext | None:
        """The context of the extension called `name`, once it is installed."""
        return next((extension.ctx for extension in self.extensions if extension.name == name), None)

    def add_arguments(self, parser: ExtensibleParser) -> None:
        """Lets every extension add its flags and commands to `parser`."""
        for extension in self.extensions[:]:
            if (hook := extension.hook("__parser__")) is None:
                continue
            try:
                with parser.extended_by(extension.name):
                    hook(parser)
            except Exception as exc:  # the border to extensions: a broken one costs only itself
                self._failed("add the flags of", extension, exc)

    async def install(self, app: App, *, cli_args: argparse.Namespace, extra_args: list[str]) -> None:
        """Gives every extension its context. One that fails is taken out again with all it had registered."""
        for extension in self.extensions[:]:
            extension.ctx = ExtensionContext(
                app, name=extension.name, path=extension.path, cli_args=cli_args, extra_args=extra_args
            )
            if await self._call(extension, "__install__"):
                _follow_reloads(app, extension)

    async def load(self) -> None:
        """Calls every `__load__`, all at once. One that fails is taken out again like one that fails to install."""
        await asyncio.gather(*(self._call(extension, "__load__") for extension in self.extensions[:]))

    async def run(self) -> bool:
        """Calls each `__run__` until one says that it handled this command line."""
        for extension in self.extensions:
            if (hook := extension.hook("__run__")) is not None and await foreign.call(
                hook, extension.ctx, extension=extension.name
            ):
                return True
        return False

    async def _call(self, extension: Extension, name: str) -> bool:
        hook = extension.hook(name)
        if hook is None:
            return True
        try:
            await foreign.call_here(hook, extension.ctx, extension=extension.name, deadline=60.0)
        except LlmsError as error:
            self._failed(name.strip("_"), extension, error)
            return False
        return True

    def _failed(self, what: str, extension: Extension, error: Exception) -> None:
        logger.error("Failed to %s extension %s: %s", what, extension.name, error, exc_info=error.__cause__)
        self.extensions.remove(extension)
        for undo in reversed(extension.ctx.undo if extension.ctx else ()):
            undo()


def _follow_reloads(app: App, extension: Extension) -> None:
    hook, ctx = extension.hook("__reload_providers__"), extension.ctx
    if hook is not None and ctx is not None:
        ctx.undo.append(app.hooks.reload_providers.add(partial(hook, ctx), extension=extension.name))


def _import(name: str) -> Extension | None:
    try:
        module: ModuleType = importlib.import_module(f"llms.extensions.{name}")
    except Exception as exc:  # the border to extensions: a broken one costs only itself
        logger.error("Failed to import extension %s: %s", name, exc, exc_info=exc)
        return None
    return Extension(name, module, Path(module.__file__ or "").parent)
