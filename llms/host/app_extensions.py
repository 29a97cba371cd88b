"""`ctx.app`: what all extensions share, under the names that extensions know."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

from llms.kernel import envelopes
from llms.kernel.types import Json

if TYPE_CHECKING:
    from llms.host.context import ExtensionContext
    from llms.host.routes import Route
    from llms.host.shared import Shared
    from llms.kernel.hooks import Handler


class AppExtensions:
    """One view of the shared state for each context. What is a dict or a list here is live unless it says otherwise."""

    def __init__(self, shared: Shared, ctx: ExtensionContext | None) -> None:
        self._shared = shared
        self._app = shared.app
        self._ctx = ctx

    # -- what is the case --------------------------------------------------------------------------------------

    @property
    def cli_args(self) -> argparse.Namespace:
        """The flags of the command line, those of extensions among them."""
        return self._shared.cli_args

    @property
    def extra_args(self) -> list[str]:
        """The words of the command line between its flags."""
        return self._shared.extra_args

    @property
    def config(self) -> Json:
        """The configuration in use."""
        return self._app.config.data

    def set_config(self, config: Json) -> None:
        """Lays `config` over the configuration in use, in this process alone; no file is written."""
        self._app.config.data.update(config)

    @property
    def extensions(self) -> list[SimpleNamespace]:
        """Every loaded extension as `name`, `module`, `ctx`, `load`, `run`. A copy."""
        return [
            SimpleNamespace(
                name=extension.name,
                module=extension.module,
                ctx=extension.ctx,
                load=extension.hook("__load__"),
                run=extension.hook("__run__"),
            )
            for extension in self._shared.host.loaded
        ]

    @property
    def loaded(self) -> list[str]:
        """The names of the loaded extensions, in load order. A copy."""
        return [extension.name for extension in self._shared.host.loaded]

    @property
    def aspect_ratios(self) -> dict[str, str]:
        """Pixel sizes of images by aspect ratio."""
        return self._shared.aspect_ratios

    @property
    def request_args(self) -> dict[str, type]:
        """The types of the fields a chat may have."""
        return self._shared.request_args

    @property
    def last_seen(self) -> dict[str, float]:
        """When each user was last seen, in seconds since 1970."""
        return self._app.auth.last_seen

    # -- registries --------------------------------------------------------------------------------------------

    @property
    def tools(self) -> dict[str, Callable[..., Any]]:
        """Tool functions by name."""
        return self._app.tools.functions

    @property
    def tool_definitions(self) -> list[Json]:
        """The definitions of tools, as models are given them."""
        return self._app.tools.definitions

    @property
    def tool_groups(self) -> dict[str, list[str]]:
        """Names of tools by group."""
        return self._app.tools.groups

    @property
    def contextual_tool_providers(self) -> list[Any]:
        """A list for objects that offer tools for one user or one turn. Nothing asks them yet."""
        return self._app.tools.contextual

    @property
    def all_providers(self) -> list[type]:
        """Every provider class, the one registered last at the end."""
        return self._app.registry.classes

    @property
    def import_maps(self) -> dict[str, str]:
        """The page's import map: modules by name."""
        return self._shared.page.import_maps

    @property
    def index_headers(self) -> list[str]:
        """What stands before `</head>` of the page."""
        return self._shared.page.headers

    @property
    def index_footers(self) -> list[str]:
        """What stands before `</body>` of the page."""
        return self._shared.page.footers

    @property
    def ui_extensions(self) -> list[Any]:
        """The entry modules the browser loads."""
        return self._shared.page.modules

    @property
    def server_add_get(self) -> list[tuple[str, Any, Json]]:
        """The GET routes of extensions, each as `(path, handler, options)`. A copy."""
        return self._routes("GET")

    @property
    def server_add_post(self) -> list[tuple[str, Any, Json]]:
        """The POST routes of extensions. A copy."""
        return self._routes("POST")

    @property
    def server_add_put(self) -> list[tuple[str, Any, Json]]:
        """The PUT routes of extensions. A copy."""
        return self._routes("PUT")

    @property
    def server_add_delete(self) -> list[tuple[str, Any, Json]]:
        """The DELETE routes of extensions. A copy."""
        return self._routes("DELETE")

    @property
    def server_add_patch(self) -> list[tuple[str, Any, Json]]:
        """The PATCH routes of extensions. A copy."""
        return self._routes("PATCH")

    def _routes(self, method: str) -> list[tuple[str, Any, Json]]:
        def told(route: Route) -> tuple[str, Any, Json]:
            return route.path, route.handler, dict(route.options)

        return [told(route) for route in self._shared.routes.all if route.method == method]

    # -- users -------------------------------------------------------------------------------------------------

    @property
    def auth_enabled(self) -> bool:
        """Whether one has to sign in."""
        return self._app.auth.is_enabled

    def is_auth_enabled(self) -> bool:
        """Whether one has to sign in."""
        return self._app.auth.is_enabled

    @property
    def auth_provider(self) -> Any | None:
        """Who says who is signed in, or None."""
        return self._app.auth.provider

    @property
    def auth_extension(self) -> str | None:
        """The name of the extension that asks people to sign in, or None."""
        return self._app.auth.extension

    @property
    def sessions(self) -> dict[str, Json]:
        """Sessions by token. Live."""
        return self._app.auth.sessions

    @property
    def oauth_states(self) -> dict[str, Json]:
        """Sign-ins under way, by state."""
        return self._app.auth.oauth_states

    @property
    def error_auth_required(self) -> Json:
        """What a handler returns to a caller who is not signed in."""
        return envelopes.auth_required()

    @property
    def aliased_directories(self) -> dict[str, str]:
        """Folders by alias, such as `$TEMP`."""
        return self._app.directories.aliases

    @property
    def allowed_directories(self) -> dict[str | None, list[str]]:
        """The folders tools may touch, by user; None stands for everybody else."""
        return self._app.directories.allowed

    # -- hooks -------------------------------------------------------------------------------------------------

    @property
    def chat_request_filters(self) -> list[Handler]:
        """The handlers of `chat_request`, in order. A copy, like those of the other hooks."""
        return self._app.hooks.chat_request.functions

    @property
    def chat_tool_filters(self) -> list[Handler]:
        """The handlers of `chat_tool`. A copy."""
        return self._app.hooks.chat_tool.functions

    @property
    def chat_status_filters(self) -> list[Handler]:
        """The handlers of `chat_status`. A copy."""
        return self._app.hooks.chat_status.functions

    @property
    def chat_response_filters(self) -> list[Handler]:
        """The handlers of `chat_response`. A copy."""
        return self._app.hooks.chat_response.functions

    @property
    def chat_error_filters(self) -> list[Handler]:
        """The handlers of `chat_error`. A copy."""
        return self._app.hooks.chat_error.functions

    @property
    def cache_saved_filters(self) -> list[Handler]:
        """The handlers of `cache_saved`. A copy."""
        return self._app.hooks.cache_saved.functions

    @property
    def startup_handlers(self) -> list[Handler]:
        """The handlers of `startup`. A copy."""
        return self._app.hooks.startup.functions

    @property
    def cleanup_handlers(self) -> list[Handler]:
        """The handlers of `cleanup`. A copy."""
        return self._app.hooks.cleanup.functions

    @property
    def shutdown_handlers(self) -> list[Handler]:
        """The handlers of `shutdown`. A copy."""
        return self._app.hooks.shutdown.functions

    @property
    def setup_user_handlers(self) -> list[Handler]:
        """The handlers of `setup_user`. A copy."""
        return self._app.hooks.setup_user.functions

    async def on_chat_error(self, e: BaseException, context: Any) -> None:
        """Calls the chat error filters."""
        await self._app.hooks.chat_error(e, context)

    async def on_chat_status(self, status: str, context: Any) -> None:
        """Calls the chat status filters."""
        await self._app.hooks.chat_status(status, context)

    async def on_chat_tool(self, chat: Any, context: Any) -> None:
        """Calls the chat tool filters."""
        await self._app.hooks.chat_tool(chat, context)

    async def on_cache_saved_filters(self, saved: Json) -> None:
        """Calls the cache saved filters."""
        await self._app.hooks.cache_saved(saved)

    # -- the process -------------------------------------------------------------------------------------------

    async def shutdown(self) -> None:
        """Calls the shutdown handlers."""
        await self._app.hooks.shutdown()

    def exit(self, code: int = 0) -> NoReturn:
        """Ends a command line run with `code`."""
        sys.exit(code)

    def __setattr__(self, name: str, value: Any) -> None:
        """`app.index_headers += […]` has changed the shared list by the time it assigns it: nothing is left to do."""
        if isinstance(getattr(type(self), name, None), property) and getattr(self, name) is value:
            return
        if not name.startswith("_") and isinstance(getattr(type(self._ctx), name, None), property):
            setattr(self._ctx, name, value)  # a service that is lent to all
            return
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        """Whatever else a context has, this has too."""
        if name.startswith("_") or self._ctx is None:
            raise AttributeError(name)
        return getattr(self._ctx, name)
