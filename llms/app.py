"""The one object that owns everything: built once, passed in, never a global."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from llms.chat.attachments import Attachments
from llms.chat.loading import LoadingWords
from llms.chat.pipeline import Pipeline
from llms.kernel import foreign
from llms.kernel.config import Config
from llms.kernel.errors import LlmsError
from llms.kernel.events import Events
from llms.kernel.hooks import Hooks
from llms.kernel.paths import Home
from llms.kernel.secrets import Secrets
from llms.kernel.types import Chat, Json
from llms.media.cache import Cache
from llms.media.converter import Converter
from llms.media.documents import Documents
from llms.providers.fetch import Fetcher
from llms.providers.http import HttpClient
from llms.providers.registry import Registry
from llms.storage.databases import Databases
from llms.tools.execute import Executor
from llms.tools.registry import Tools
from llms.tools.results import Results
from llms.users.auth import Auth
from llms.users.directories import Directories
from llms.users.prefs import Prefs

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
    auth_extension: str = "credentials"  # the one that may ask people to sign in
    events: Events = field(default_factory=Events)
    hooks: Hooks = field(init=False)
    http: HttpClient = field(init=False)
    fetch: Fetcher = field(init=False)
    converter: Converter = field(init=False)
    documents: Documents = field(init=False)
    cache: Cache = field(init=False)
    registry: Registry = field(init=False)
    tools: Tools = field(init=False)
    results: Results = field(init=False)
    executor: Executor = field(init=False)
    databases: Databases = field(init=False)
    auth: Auth = field(init=False)
    prefs: Prefs = field(init=False)
    directories: Directories = field(init=False)
    loading: LoadingWords = field(init=False)
    pipeline: Pipeline = field(init=False)
    _saving: set[asyncio.Task[None]] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None

    def __post_init__(self) -> None:
        self.hooks = Hooks(deadline=self.config.limits.hook_timeout)
        self.http = HttpClient(self.config.limits)
        self.fetch = Fetcher()
        self.converter = Converter()
        self.documents = Documents()
        self.cache = Cache(self.home.cache, saved=self._cache_saved)
        self.registry = Registry(self.http, environ=self.config.environ, resolve=self._inside)
        self.tools = Tools()
        self.results = Results(self.cache.save_image, self.cache.save_bytes)
        self.executor = Executor(
            self.tools,
            self.results,
            deadline=lambda: self.config.limits.tool_timeout,
            accounts=self.hooks.accounts,
        )
        self.databases = Databases(self.home)
        self.auth = Auth(self.auth_extension)
        self.prefs = Prefs(self.home)
        places = {"$TEMP": tempfile.gettempdir(), "$WORKSPACE": str(Path.cwd())}
        self.directories = Directories(places, start=[*places, str(self.home.root / ".agent")])
        self.loading = LoadingWords(self.config.data)
        self.pipeline = Pipeline(
            config=self.config,
            hooks=self.hooks,
            registry=self.registry,
            fetch=self.fetch,
            converter=self.converter,
            documents=self.documents,
            cache=self.cache,
            tools=self.tools,
            executor=self.executor,
        )

    async def start(self) -> None:
        """Makes the providers that the configuration names. What models they have may be told later."""
        self._loop = asyncio.get_running_loop()
        await self.rebuild_providers()

    async def rebuild_providers(self) -> None:
        """Makes them anew, and from now on masks the secrets that configuration and providers hold."""
        self.secrets.add_from(self.config.data)
        self.registry.rebuild(self.config.data, self.config.catalog)
        for key in self.registry.keys():  # noqa: SIM118 - API keys, not those of a dict
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

    async def change_config(self, edit: Callable[[Json], None]) -> None:
        """Lets `edit` change llms.json, and takes over what it says then. Raises ConfigError, and changes nothing."""
        self.config.update(edit)
        await self._take_over()

    async def _take_changes(self) -> None:
        self.config.reload()
        for warning in self.config.warnings:
            logger.warning("%s", warning)
        await self._take_over()
        logger.info("Configuration reloaded.")

    async def _take_over(self) -> None:
        """Lets everything know what the configuration says now."""
        self.http.limits = self.config.limits
        self.hooks.deadline = self.config.limits.hook_timeout
        await self.rebuild_providers()
        await self.hooks.reload_providers()

    async def _inside(self, chat: Chat) -> Chat:
        """`chat` with what its attachments link to inside, for providers that are asked outside the pipeline."""
        found = Attachments(
            config=self.config, fetch=self.fetch, converter=self.converter, cache=self.cache, again=False
        )
        return await found.inside(chat, {})

    def _cache_saved(self, saved: Json) -> None:
        """Tells the filters of a new file, from whatever thread it was saved in."""
        if not self.hooks.cache_saved or self._loop is None or self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._tell_saved, saved)

    def _tell_saved(self, saved: Json) -> None:
        task = asyncio.ensure_future(self.hooks.cache_saved(saved))
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def close(self) -> None:
        await self.hooks.shutdown()
        await asyncio.sleep(0)  # what was saved a moment ago in another thread is told too
        await asyncio.gather(*self._saving)
        await self.registry.close()
        await self.fetch.close()
        await self.databases.close()
        await self.documents.close()
        self.converter.close()
        await self.http.close()
