"""What an extension can register. Every line is recorded, so that all of it can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llms.host.routes import Route, StaticFiles, web_path
from llms.kernel.errors import ConfigError
from llms.kernel.types import Json

if TYPE_CHECKING:
    import asyncio

    from llms.host.shared import Shared
    from llms.kernel.hooks import Handler
    from llms.kernel.undo import Undo


class Registrations:
    """The half of `ctx` that adds something to the server. `undo` takes each addition back, the last one first."""

    # -- what is the case --------------------------------------------------------------------------------------

    name: str
    """The name of the extension: that of its folder, or of its package's entry point."""

    path: str
    """The folder of the extension, absolute."""

    ext_prefix: str
    """Where its routes lie: `/ext/<name>`."""

    undo: list[Undo]
    """What takes back each thing it has registered. Append a function of your own to have more undone at unload."""

    def __init__(self, shared: Shared, *, name: str, path: Path) -> None:
        self._shared = shared
        self._app = shared.app
        self.name = name
        self.path = str(path)
        self.ext_prefix = f"/ext/{name}"
        self.undo = []
        self._is_closed = False

    def _record(self, undo: Undo) -> None:
        """Notes how a registration is taken back; of an extension that is unloaded by now, it is at once."""
        if self._is_closed:
            undo()
            raise ConfigError(f"Extension '{self.name}' has been unloaded. Nothing of it can be registered any more.")
        self.undo.append(undo)

    def _close(self) -> None:
        """Ends this context: it registers nothing any more."""
        self._is_closed = True

    # -- routes ------------------------------------------------------------------------------------------------

    def add_get(self, path: str, handler: Handler, *, public: bool = False, **kwargs: Any) -> None:
        """Answers GET at `path` below `ext_prefix`, or at `path` itself where that begins with a slash.

        `handler(request)` returns a `web.Response`, a dict or a list. Where people have to sign in, they have to for
        this route too unless it is `public`. Further keywords go to aiohttp's router. Raises ConfigError where the
        place is taken, or not the extension's to take.
        """
        self._route("GET", path, handler, public=public, options=kwargs)

    def add_post(self, path: str, handler: Handler, *, public: bool = False, **kwargs: Any) -> None:
        """As `add_get`, for POST."""
        self._route("POST", path, handler, public=public, options=kwargs)

    def add_put(self, path: str, handler: Handler, *, public: bool = False, **kwargs: Any) -> None:
        """As `add_get`, for PUT."""
        self._route("PUT", path, handler, public=public, options=kwargs)

    def add_delete(self, path: str, handler: Handler, *, public: bool = False, **kwargs: Any) -> None:
        """As `add_get`, for DELETE."""
        self._route("DELETE", path, handler, public=public, options=kwargs)

    def add_patch(self, path: str, handler: Handler, *, public: bool = False, **kwargs: Any) -> None:
        """As `add_get`, for PATCH."""
        self._route("PATCH", path, handler, public=public, options=kwargs)

    def add_static_files(self, ext_dir: str) -> None:
        """Serves every file below `ext_dir` under `ext_prefix`, to everybody. Routes of the extension win over files.

        The folder `ui` is served so without being asked for.
        """
        files = StaticFiles(self.ext_prefix, Path(self.path, ext_dir), self.name)
        self._record(self._shared.routes.add_files(files))

    def web_path(self, method: str, path: str) -> str:
        """The full path of a route, as `add_get` and its siblings use it."""
        return web_path(self.ext_prefix, path)

    def _route(self, method: str, path: str, handler: Handler, *, public: bool, options: Mapping[str, Any]) -> None:
        route = Route(method, self.web_path(method, path), handler, self.name, public, options)
        self._record(self._shared.routes.add(route))

    # -- hooks -------------------------------------------------------------------------------------------------

    def register_startup_handler(self, handler: Handler) -> None:
        """`handler()` runs when the server is about to accept requests."""
        self._hook("startup", handler)

    def register_settings_handler(self, handler: Handler) -> None:
        """`handler(settings)` runs when this extension's settings were changed over HTTP."""
        self._hook("settings_changed", handler)

    def register_setup_user_handler(self, handler: Handler) -> None:
        """`handler(request)` runs on the first request of each user since start."""
        self._hook("setup_user", handler)

    def register_chat_request_filter(self, handler: Handler) -> None:
        """`handler(chat, context)` runs before the first provider call; it may change the chat, or raise to end it."""
        self._hook("chat_request", handler)

    def register_chat_status_filter(self, handler: Handler) -> None:
        """`handler(status, context)` runs when an attempt failed and another follows; `status` says why."""
        self._hook("chat_status", handler)

    def register_chat_delta_filter(self, handler: Handler) -> None:
        """`handler(chunk, context)` sees each streamed chunk; it may return another, or False to drop it."""
        self._hook("chat_delta", handler)

    def register_chat_tool_filter(self, handler: Handler) -> None:
        """`handler(chat, context)` runs after tool calls were asked for, and after each result."""
        self._hook("chat_tool", handler)

    def register_tool_call_filter(self, handler: Handler) -> None:
        """`handler(call, context)` runs before and after each tool call; it may change, refuse or answer it.

        `call` is a [ToolCallEvent](#toolcallevent).
        """
        self._hook("tool_call", handler)

    def register_chat_response_filter(self, handler: Handler) -> None:
        """`handler(response, context)` runs once, on the final answer."""
        self._hook("chat_response", handler)

    def register_chat_error_filter(self, handler: Handler) -> None:
        """`handler(error, context)` runs once, when a chat failed for good; `context["stackTrace"]` is set."""
        self._hook("chat_error", handler)

    def register_cache_saved_filter(self, handler: Handler) -> None:
        """`handler({"url", "info", "user"})` runs after a file was newly written to the cache."""
        self._hook("cache_saved", handler)

    def register_cleanup_handler(self, handler: Handler) -> None:
        """`handler()` runs when the server stops, or the extension is unloaded; the last one first."""
        self._hook("cleanup", handler)

    def register_shutdown_handler(self, handler: Handler) -> None:
        """`handler()` runs when the process ends, command line runs included, or the extension is unloaded."""
        self._hook("shutdown", handler)

    def _hook(self, name: str, handler: Handler) -> None:
        if not callable(handler):
            raise ConfigError(f"The handler for {name} is no function. Pass one.")
        self._record(getattr(self._app.hooks, name).add(handler, extension=self.name))

    # -- tools -------------------------------------------------------------------------------------------------

    def register_tool(self, func: Callable[..., Any], tool_def: Json | None = None, group: str | None = None) -> None:
        """Offers `func`, sync or async, to models, in `group` or else "custom".

        Without `tool_def` the definition is made from its signature, its docstring and that one's `Args:`. A parameter
        called `user` is given the name of who is signed in, and is not shown to models. A tool of the same name is
        replaced. Raises ConfigError for what no model could be offered.
        """
        self._record(self._app.tools.add(func, tool_def, group, extension=self.name))

    # -- providers ---------------------------------------------------------------------------------------------

    def add_provider(self, provider: type) -> None:
        """Makes a provider or generator class eligible by its `sdk`, which `npm` in llms.json names; the last one wins.

        Raises ConfigError where nothing could be made of it.
        """
        self._record(self._app.registry.add_class(provider))

    def register_provider_handler(self, id: str, instance: Any) -> None:
        """Puts a live provider into the registry, in front of one of the same id. Raises ConfigError if it is none."""
        self._record(self._app.registry.register_provider_handler(id, instance))

    # -- the web page ------------------------------------------------------------------------------------------

    def register_ui_extension(self, index: str) -> None:
        """Lists an entry module, such as "index.mjs", for the browser to load. `ui/index.mjs` is listed anyway."""
        path = web_path(self.ext_prefix, index)
        self._record(self._shared.page.add_module({"id": self.name, "path": path}))

    def add_importmaps(self, dict: dict[str, str]) -> None:
        """Lays entries over the page's import map; the last one wins. Raises ConfigError for what is no text."""
        self._record(self._shared.page.add_import_map(dict))

    def add_index_header(self, html: str) -> None:
        """Puts `html` before `</head>` of the page. Raises ConfigError for what is no text."""
        self._record(self._shared.page.add_header(html))

    def add_index_footer(self, html: str) -> None:
        """Puts `html` before `</body>` of the page. Raises ConfigError for what is no text."""
        self._record(self._shared.page.add_footer(html))

    # -- users -------------------------------------------------------------------------------------------------

    def set_auth_provider(self, provider: Any) -> None:
        """Turns authentication on: `provider` says who is signed in. Derive it from `llms.main.AuthProvider`.

        Raises ConfigError where it lacks a method.
        """
        self._record(self._app.auth.set_provider(provider, extension=self.name))

    def _lend(self, name: str, service: Any) -> None:
        self._record(self._shared.services.lend(name, service))

    # -- in the background -------------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs the coroutine `work` until it ends or the extension is unloaded. What it raises is logged."""
        task = self._shared.tasks.spawn(work, extension=self.name)
        if self._is_closed:
            task.cancel()
        return task

    def schedule(self, function: Callable[[], Any], *, every: float, at_once: bool = False) -> Undo:
        """Calls `function` every `every` seconds until the extension is unloaded; what comes back ends it earlier.

        The first time is after so many seconds, or `at_once`. Two calls never overlap, and errors are logged.
        """
        undo = self._shared.tasks.schedule(function, every=every, at_once=at_once, extension=self.name)
        self._record(undo)
        return undo
