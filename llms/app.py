"""The one object that owns everything: built once, passed in, never a global."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from llms.chat.pipeline import Pipeline
from llms.kernel import foreign
from llms.kernel.config import Config
from llms.kernel.errors import LlmsError
from llms.kernel.hooks import Hooks
from llms.kernel.paths import Home
from llms.kernel.secrets import Secrets
from llms.media.converter import Converter
from llms.providers.fetch import Fetcher
from llms.providers.http import HttpClient
from llms.providers.registry import Registry

logger = logging.getLogger("llms.app")


@dataclass(slots=True)
class App:
    """The rooms' registries and what they share.

    `start()` makes the providers; `close()` lets go of everything and may be called twice.
    """

    home: Home
    config: Config
    secrets: Secrets
    verbose: bool = False
    debug: bool = False
    hooks: Hooks = field(init=False)
    http: HttpClient = field(init=False)
    fetch: Fetcher = field(init=False)
    converter: Converter = field(init=False)
    registry: Registry = field(init=False)
    pipeline: Pipeline = field(init=False)

    def __post_init__(self) -> None:
        self.hooks = Hooks(deadline=self.config.limits.hook_timeout)
        self.http = HttpClient(self.config.limits)
        self.fetch = Fetcher()
        self.converter = Converter()
        self.registry = Registry(self.http, environ=self.config.environ)
        self.pipeline = Pipeline(
            config=self.config,
            hooks=self.hooks,
            registry=self.registry,
            fetch=self.fetch,
            converter=self.converter,
        )

    async def start(self) -> None:
        """Makes the providers that the configuration names. What models they have may be told later."""
        await self.rebuild_providers()

    async def rebuild_providers(self) -> None:
        """Makes them anew, and from now on masks the secrets that configuration and providers hold."""
        self.secrets.add_from(self.config.data)
        self.registry.rebuild(self.config.data, self.config.catalog)
        for provider in self.registry.live.values():  # theirs may come from the environment, under any name
            if isinstance(key := getattr(provider, "api_key", None), str):
                self.secrets.add(key)

    async def watch_config(self, *, every: float = 1.0) -> None:
        """Takes over changes of the configuration files while the server runs. A broken file changes nothing."""
        while True:
            await asyncio.sleep(every)
            if not self.config.changed():
                continue
            try:
                await foreign.call_here(self._take_changes, extension="configuration")
            except LlmsError as error:
                logger.error("%s The configuration in use stays as it was.", error)

    async def _take_changes(self) -> None:
        self.config.reload()
        for warning in self.config.warnings:
            logger.warning("%s", warning)
        self.http.limits = self.config.limits
        self.hooks.deadline = self.config.limits.hook_timeout
        await self.rebuild_providers()
        await self.hooks.reload_providers()
        logger.info("Configuration reloaded.")

    async def close(self) -> None:
        await self.hooks.shutdown()
        await self.registry.close()
        await self.fetch.close()
        self.converter.close()
        await self.http.close()
