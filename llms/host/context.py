"""`ctx`: what an extension is given. One line each; the work is done in the rooms."""

from __future__ import annotations

import argparse
import copy
import json
import logging
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from llms.chat import messages, templates, tool_choice
from llms.host.app_extensions import AppExtensions
from llms.host.people import People
from llms.kernel import envelopes
from llms.kernel.abridged import abridged
from llms.kernel.command import run_command
from llms.kernel.paths import Home
from llms.kernel.reading import json_from_file, text_from_file
from llms.kernel.types import Chat, Completion, Context, Json, Message
from llms.media import download, types
from llms.tools import results, schema

if TYPE_CHECKING:
    from llms.host.settings import Settings
    from llms.host.shared import Shared
    from llms.providers.http import HttpClient
    from llms.storage.store import Store


class ExtensionContext(People):
    """One per extension, handed to its hooks. `Registrations` and `People` are parts of it; the rest is here.

    `name` is the folder's name, `path` the folder, `ext_prefix` where its routes lie. Setting `disabled` during
    install, to True or to a sentence that says why, takes back what it has registered.
    """

    # -- what is the case --------------------------------------------------------------------------------------

    app: AppExtensions
    """What all extensions share, under the names that extensions know: see [ctx.app](#ctxapp)."""

    disabled: bool | str
    """Set during install, to True or to a sentence that says why, the extension takes no part: what it has registered
    is taken back, and its other hooks are not called."""

    def __init__(self, shared: Shared, *, name: str, path: Path, settings: Settings | None = None) -> None:
        super().__init__(shared, name=name, path=path)
        self._logger = logging.getLogger(f"llms.ext.{name}")
        self._settings = settings
        self.app = AppExtensions(shared, self)
        self.disabled = False

    @property
    def cli_args(self) -> argparse.Namespace:
        """The flags of the command line, those of extensions among them."""
        return self._shared.cli_args

    @property
    def extra_args(self) -> list[str]:
        """The words of the command line between its flags: a list."""
        return self._shared.extra_args

    @property
    def debug(self) -> bool:
        """Whether everything is logged: `--debug` or `DEBUG=1`."""
        return self._app.debug

    @property
    def verbose(self) -> bool:
        """Whether plain lines are logged: `--verbose` or `VERBOSE=1`."""
        return self._app.verbose

    @property
    def config(self) -> Json:
        """The configuration in use, llms.json: the same dict for the life of the process."""
        return self._app.config.data

    def get_config(self) -> Json:
        """The same as `config`."""
        return self._app.config.data

    @property
    def limits(self) -> dict[str, Any]:
        """The `limits` of the configuration: seconds to wait and bytes to take, by name. A copy."""
        return msgspec.structs.asdict(self._app.config.limits)

    @property
    def mode(self) -> str:
        """What `LLMS_MODE` says, else "local"."""
        return self._app.config.environ.get("LLMS_MODE") or "local"

    @property
    def is_local(self) -> bool:
        """Whether `mode` is "local": the server serves the person at this machine."""
        return self.mode == "local"

    @property
    def MOCK(self) -> bool:  # noqa: N802 - the name extensions use
        """Whether generators shall answer from files in `MOCK_DIR`: `MOCK=1`. The generators have to look at it."""
        return self._app.config.environ.get("MOCK") == "1"

    @property
    def MOCK_DIR(self) -> str | None:  # noqa: N802
        """The folder of answers for `MOCK`, as the variable `MOCK_DIR` names it; None without one."""
        return self._app.config.environ.get("MOCK_DIR")

    @property
    def aspect_ratios(self) -> dict[str, str]:
        """Pixel sizes of images by aspect ratio; one dict for all extensions."""
        return self._shared.aspect_ratios

    @property
    def request_args(self) -> dict[str, type]:
        """The types of the fields a chat may have; one dict for all extensions."""
        return self._shared.request_args

    @property
    def home(self) -> Home:
        """The user's folder, `home.root`, and the places in it, such as `home.config_file`."""
        return self._app.home

    @property
    def settings(self) -> Settings:
        """This extension's own settings, as its [extension.toml](manifest.md#settings) describes them: a mapping."""
        from llms.host.settings import Settings

        self._settings = self._settings or Settings(self.name, {}, self._app.config)
        return self._settings

    # -- logging -----------------------------------------------------------------------------------------------

    def log(self, message: Any) -> Any:
        """Logs `message` when verbose, and returns it."""
        self._logger.info("%s", message)
        return message

    def log_json(self, obj: Any) -> Any:
        """Logs `obj` as JSON when verbose, long strings as their length, and returns it."""
        if self._logger.isEnabledFor(logging.INFO):
            self._logger.info("%s", json.dumps(abridged(obj), indent=2, default=str))
        return obj

    def dbg(self, message: Any) -> None:
        """Logs `message` when debugging."""
        self._logger.debug("%s", message)

    def err(self, message: str, e: BaseException | None = None) -> None:
        """Logs an error always, the stack trace of `e` when verbose."""
        told = f"{message}: {e}" if e is not None else message
        self._logger.error("%s", told, exc_info=e if self.verbose else None)

    # -- tools -------------------------------------------------------------------------------------------------

    def get_tool_definition(self, name: str) -> Json | None:
        """The definition of the tool called `name`, as models are given it; None if there is no such tool."""
        return self._app.tools.definition(name)

    def sanitize_tool_def(self, tool_def: Json) -> Json:
        """`tool_def` with every `$ref` into its `$defs` replaced by what it points at, in place."""
        return schema.sanitize_tool_def(tool_def)

    def get_tools(self) -> Json:
        """All tools: `{"groups": {group: [name]}, "definitions": [definition]}`. A copy."""
        return {"groups": copy.deepcopy(self._app.tools.groups), "definitions": self._app.tools.selected("all")}

    async def exec_tool(self, name: str, args: Json, *, user: str | None = None) -> tuple[str | None, list[Json]]:
        """Runs a tool, for `user` where it asks for one; gives its text and its resources.

        A failure is a text that says so.
        """
        given = args.get("user")
        return await self._app.executor.run(name, args, user=user or (given if isinstance(given, str) else None))

    def tool_result(
        self, result: Any, function_name: str | None = None, function_args: Json | None = None
    ) -> tuple[str, list[Json]]:
        """What a tool returned, as text and resources: of a dict or a list of dicts each goes through
        `tool_result_part`, anything else is its text.
        """
        return self._app.results.whole(result, function_name, function_args)

    def tool_result_part(
        self, result: Json, function_name: str | None = None, function_args: Json | None = None
    ) -> tuple[str | None, Json | None]:
        """One part of what a tool returned, as text and resource; what it holds inline is saved in the cache."""
        return self._app.results.part(result, function_name, function_args)

    def to_content(self, result: Any) -> str:
        """`result` as text: JSON for containers."""
        return results.to_content(result)

    def group_resources(self, resources: Iterable[Json]) -> dict[str, list[Json]]:
        """Resources by kind: images, audios, files, texts, others."""
        return results.group_resources(list(resources))

    # -- chats -------------------------------------------------------------------------------------------------

    def chat_request(
        self,
        template: str | None = None,
        text: str | None = None,
        model: str | None = None,
        system_prompt: str | None = None,
    ) -> Chat:
        """A chat made from a template of `defaults`, by default "text"; without a model anywhere, the default one.

        It is a deep copy: nothing done to it reaches the template. Raises NotFound for a template that is not there.
        """
        chat = templates.chat_from_template(self._app.config.data, template)
        if chosen := model or chat.get("model") or self._app.registry.default_model():
            chat["model"] = chosen
        if system_prompt is not None:
            templates.set_system_prompt(chat, system_prompt)
        if text is not None:
            templates.set_user_text(chat, text)
        return chat

    async def chat_completion(self, chat: Chat, context: Context | None = None) -> Completion | None:
        """The answer to `chat` through the whole pipeline; None where it was cancelled.

        `context["tools"]` says which tools are offered: "all" if it does not, "none", or names with commas. Raises
        LlmsError: the first error, where no provider could answer.
        """
        if context is not None and "user" not in context:
            context["user"] = self.context_to_username(context)
        return await self._app.pipeline.complete(chat, context)

    def create_chat_with_tools(self, chat: Chat, use_tools: str = "all") -> Chat:
        """A copy of `chat` that offers registered tools too: "all", "none", or names with commas.

        A chat with a `response_format` gets none. Raises RequestError where the chat's own `tools` is no list.
        """
        return tool_choice.with_tools(chat, self._app.tools.selected(use_tools))

    def chat_to_prompt(self, chat: Chat) -> str:
        """All that the user said, joined with line ends."""
        return messages.chat_to_prompt(chat)

    def chat_to_system_prompt(self, chat: Chat) -> str | None:
        """The first system message, or None."""
        return messages.chat_to_system_prompt(chat)

    def last_user_prompt(self, chat: Chat) -> str:
        """What the user said last, or an empty text."""
        return messages.last_user_prompt(chat)

    def chat_to_aspect_ratio(self, chat: Chat) -> str | None:
        """The aspect ratio that the chat asks for, such as "16:9"."""
        return messages.chat_to_aspect_ratio(chat)

    def chat_response_to_message(self, response: Any) -> Message:
        """The message of an answer, with a `timestamp` in milliseconds."""
        return messages.chat_response_to_message(response)

    def to_file_info(self, chat: Chat, info: Json | None = None, response: Json | None = None) -> Json:
        """What is worth knowing of a file made by `chat`: model, prompt, image settings, user."""
        return messages.to_file_info(chat, info, response)

    def parse_json_response(self, text: str) -> Any:
        """The JSON in a model's answer, whatever it put around it. Raises ValueError where there is none."""
        return messages.parse_json_response(text)

    def should_cancel_thread(self, context: Context) -> bool:
        """Whether nobody wants the answer to this chat any more: ask it between the steps of long work."""
        return self._app.pipeline.should_cancel(context)

    def context_to_username(self, context: Mapping[str, Any] | None) -> str | None:
        """Who sent the request in `context`, or None."""
        request = (context or {}).get("request")
        return None if request is None else self._app.auth.username(request)

    def next_loading_message(self) -> str:
        """A word to show while something takes time, another one each time."""
        return self._app.loading.next()

    @property
    def compact_messages(self) -> Any:
        """`await compact_messages(messages, target_tokens, chunk_tokens, user)`, once an extension lends it."""
        return self._shared.services.compact_messages

    @compact_messages.setter
    def compact_messages(self, function: Any) -> None:
        self._lend("compact_messages", function)

    # -- files -------------------------------------------------------------------------------------------------

    def text_from_file(self, path: str) -> str | None:
        """The UTF-8 text in a file; None where there is no such file. Raises ConfigError for what cannot be read."""
        return text_from_file(path)

    def json_from_file(self, path: str) -> Any:
        """What the JSON in a file says; None where there is no such file. Raises ConfigError for what is no JSON."""
        return json_from_file(path)

    async def download_file(self, url: str) -> tuple[bytes, Json]:
        """The content at a URL of the public internet, and `{url, type, name, ext}`.

        Raises RequestError, and logs it, for private addresses, more than 20 MB, more than 30 seconds, and failures.
        """
        return await download.download(self._app.fetch, url)

    async def session_download_file(
        self, session: aiohttp.ClientSession, url: str, default_mimetype: str = types.UNKNOWN
    ) -> tuple[bytes, Json]:
        """As `download_file`, through a session of yours: its headers, its timeouts, and wherever it may go.

        `default_mimetype` is the type of what comes without one. Raises RequestError, and logs it.
        """
        return await download.session_download(session, url, default_mimetype=default_mimetype)

    def read_binary_file(self, url: str) -> tuple[bytes, Json]:
        """The content of a cache URL, a place in the cache or an absolute path, and what is known of it.

        Raises NotFound, and RequestError for what cannot be read.
        """
        return self._app.cache.read(url)

    def get_file_mime_type(self, filename: str) -> str:
        """The media type that a file's name tells, else "application/octet-stream"."""
        return types.get_file_mime_type(filename)

    def run_command(self, args: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Runs a program, without a shell, to its end. It blocks: call it where a thread may wait.

        Raises LlmsError, with what the program wrote to stderr, where it fails or is missing.
        """
        return run_command(args)

    # -- the cache ---------------------------------------------------------------------------------------------

    def get_cache_path(self, path: str = "") -> str:
        """The full path of a place in the cache. Raises Forbidden for one outside."""
        return self._app.cache.path(path)

    def get_home_path(self, name: str = "") -> str:
        """The full path of a place in the home folder."""
        return str(self._app.home.root / name)

    def save_image_to_cache(
        self,
        base64_data: str | bytes,
        filename: str,
        image_info: Json,
        ignore_info: bool = False,
        context: Mapping[str, Any] | None = None,
    ) -> tuple[str, Json | None]:
        """Keeps an image, given as bytes or base64; gives its URL and what is known of it, width and height among that.

        With `ignore_info`, None stands for the info of an image that was there already. `context["user"]` is noted.
        Raises RequestError for what is no base64, ConfigError where it cannot be written.
        """
        return self._app.cache.save_image(base64_data, filename, image_info, ignore_info, context)

    def save_bytes_to_cache(
        self,
        bytes_data: str | bytes,
        filename: str,
        file_info: Json | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> tuple[str, Json | None]:
        """Keeps a file, given as bytes or base64; gives its URL and what is known of it. Raises as the method above."""
        return self._app.cache.save_bytes(bytes_data, filename, file_info, context)

    def cache_message_inline_data(self, message: Message, context: Mapping[str, Any] | None = None) -> None:
        """Moves what `message` holds inline to the cache, in place. A part that cannot be saved is logged and stays."""
        self._app.cache.take_inline_data(message, context)

    # -- providers ---------------------------------------------------------------------------------------------

    def get_providers(self) -> dict[str, Any]:
        """The live registry, by id: `{id: provider}`. Assigning into it adds a provider; it is empty during install."""
        return self._app.registry.live

    def get_provider(self, name: str) -> Any | None:
        """The live provider with this id, else the class registered for this sdk, else None."""
        return self._app.registry.get(name)

    def get_registered_provider(self, id: str) -> Any | None:
        """The live provider with this id, or None."""
        return self._app.registry.get_registered_provider(id)

    # -- errors ------------------------------------------------------------------------------------------------

    def error_message(self, e: BaseException) -> str:
        """What an exception says, fit for a user: its `message`, else its `status`, else its text."""
        return envelopes.error_message(e)

    def error_response(self, e: BaseException, stacktrace: bool = False) -> Json:
        """An exception as the body of an answer: `{"responseStatus": {"errorCode", "message"}}`, with a `stackTrace` if
        asked.
        """
        return envelopes.error_response(e, stacktrace)

    def create_error_response(self, message: str, error_code: str = "Error", stack_trace: str | None = None) -> Json:
        """An error with these words as the body of an answer, in the same form."""
        return envelopes.create_error_response(message, error_code, stack_trace)

    # -- what extensions lend each other -----------------------------------------------------------------------

    @property
    def threads(self) -> Any:
        """Stored conversations. Assign an object to lend yours to all; until then every method gives nothing."""
        return self._shared.services.threads

    @threads.setter
    def threads(self, service: Any) -> None:
        self._lend("threads", service)

    @property
    def media(self) -> Any:
        """What is known of files that were made. Assign an object to lend yours to all, as with `threads`."""
        return self._shared.services.media

    @media.setter
    def media(self, service: Any) -> None:
        self._lend("media", service)

    @property
    def projects(self) -> Any:
        """Named workspaces. Assign an object to lend yours to all, as with `threads`."""
        return self._shared.services.projects

    @projects.setter
    def projects(self, service: Any) -> None:
        self._lend("projects", service)

    def notify_sidebar(self) -> None:
        """Tells open pages that the list of conversations has changed: event `sidebar` of `GET /ext/events`."""
        self._app.events.publish("sidebar")

    # -- the network and the database --------------------------------------------------------------------------

    def get_client_timeout(self, streaming: bool = False) -> aiohttp.ClientTimeout:
        """How long a request to a vendor may take: in all, or while streaming between two reads."""
        seconds = self._app.config.limits.client_timeout
        if not streaming:
            return aiohttp.ClientTimeout(total=seconds)
        return aiohttp.ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds)

    @property
    def http(self) -> HttpClient:
        """The client that all share: `http.session` is an aiohttp session with one pool of connections.

        Do not close it.
        """
        return self._app.http

    @property
    def store(self) -> Store:
        """This extension's own place in the database: values by key, and tables. See [below](#ctxstore)."""
        from llms.storage.store import Store

        return Store(self._app.databases, extension=self.name)
