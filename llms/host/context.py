"""`ctx`: what an extension is given. One line each; the work is done in the rooms."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llms.chat import templates
from llms.kernel.limits import Limits
from llms.kernel.paths import Home
from llms.kernel.types import Chat, Completion, Context, Json

if TYPE_CHECKING:
    from llms.app import App
    from llms.kernel.hooks import Handler

Undo = Callable[[], None]


class ExtensionContext:
    """One per extension, handed to its hooks.

    `name` is the folder's name, `path` the folder, `cli_args` the parsed flags, `extra_args` the words left over.
    """

    def __init__(self, app: App, *, name: str, path: Path, cli_args: argparse.Namespace, extra_args: list[str]) -> None:
        self._app = app
        self._logger = logging.getLogger(f"llms.ext.{name}")
        self.name = name
        self.path = str(path)
        self.ext_prefix = f"/ext/{name}"
        self.cli_args = cli_args
        self.extra_args = extra_args
        self.undo: list[Undo] = []  # takes back what this extension registered, last first

    # -- settings ----------------------------------------------------------------------------------------------

    @property
    def debug(self) -> bool:
        return self._app.debug

    @property
    def verbose(self) -> bool:
        return self._app.verbose

    @property
    def home(self) -> Home:
        """The user's folder and the places in it."""
        return self._app.home

    @property
    def limits(self) -> Limits:
        """How long we wait and how much we take."""
        return self._app.config.limits

    def get_config(self) -> Json:
        """The configuration in use: the same dict for the life of the process."""
        return self._app.config.data

    # -- logging -----------------------------------------------------------------------------------------------

    def log(self, message: Any) -> Any:
        """Logs when verbose, and returns its argument."""
        self._logger.info("%s", message)
        return message

    def log_json(self, obj: Any) -> Any:
        """Logs `obj` as JSON when verbose, and returns it."""
        self._logger.info("%s", json.dumps(obj, indent=2, default=str))
        return obj

    def dbg(self, message: Any) -> None:
        self._logger.debug("%s", message)

    def err(self, message: str, e: BaseException | None) -> None:
        """Logs an error always, its stack trace when verbose."""
        self._logger.error("%s: %s", message, e, exc_info=e if self.verbose else None)

    # -- providers ---------------------------------------------------------------------------------------------

    def get_providers(self) -> dict[str, Any]:
        """The live registry, by id. Assigning into it adds a provider."""
        return self._app.registry.live

    def get_provider(self, name: str) -> Any | None:
        """The live provider with this id, else the class registered for this sdk, else None."""
        return self._app.registry.live.get(name) or self._app.registry.class_for(name)

    def add_provider(self, provider: type) -> None:
        """Makes a provider class eligible by its `sdk`."""
        self._app.registry.add_class(provider)
        self.undo.append(lambda: self._app.registry.classes.remove(provider))

    # -- chats -------------------------------------------------------------------------------------------------

    def chat_request(
        self,
        template: str | None = None,
        text: str | None = None,
        model: str | None = None,
        system_prompt: str | None = None,
    ) -> Chat:
        """A chat made from a template of `defaults`; without a model anywhere, the default one."""
        chat = templates.chat_from_template(self._app.config.data, template)
        if chosen := model or chat.get("model") or self._app.registry.default_model():
            chat["model"] = chosen
        if system_prompt is not None:
            templates.set_system_prompt(chat, system_prompt)
        if text is not None:
            templates.set_user_text(chat, text)
        return chat

    async def chat_completion(self, chat: Chat, context: Context | None = None) -> Completion:
        """The answer to `chat` through the whole pipeline. Raises the first error."""
        return await self._app.pipeline.complete(chat, context)

    # -- hooks -------------------------------------------------------------------------------------------------

    def register_startup_handler(self, handler: Handler) -> None:
        self._hook("startup", handler)

    def register_setup_user_handler(self, handler: Handler) -> None:
        self._hook("setup_user", handler)

    def register_chat_request_filter(self, handler: Handler) -> None:
        self._hook("chat_request", handler)

    def register_chat_status_filter(self, handler: Handler) -> None:
        self._hook("chat_status", handler)

    def register_chat_delta_filter(self, handler: Handler) -> None:
        self._hook("chat_delta", handler)

    def register_chat_response_filter(self, handler: Handler) -> None:
        self._hook("chat_response", handler)

    def register_chat_error_filter(self, handler: Handler) -> None:
        self._hook("chat_error", handler)

    def register_cleanup_handler(self, handler: Handler) -> None:
        self._hook("cleanup", handler)

    def register_shutdown_handler(self, handler: Handler) -> None:
        self._hook("shutdown", handler)

    def _hook(self, name: str, handler: Handler) -> None:
        self.undo.append(getattr(self._app.hooks, name).add(handler, extension=self.name))
