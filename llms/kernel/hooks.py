"""Every hook of the product on one screen, and how a handler is run.

*Stop*: an error raised by a handler ends the request and reaches `chat_error`. All others *observe*: an error is
logged with the extension's name and skipped. Every handler may be sync (it runs in a worker thread) or async,
has a deadline, and its time and errors are counted against its extension.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any, Literal

from llms.kernel import foreign
from llms.kernel.accounts import Accounts
from llms.kernel.errors import LlmsError
from llms.kernel.undo import Undo

Handler = Callable[..., Any]
DROP: Literal[False] = False


class Hooks:
    """The hooks in the order of a request's life. One is called like a function: `await hooks.startup()`."""

    def __init__(self, *, deadline: float = 30.0) -> None:
        self.deadline = deadline  # seconds one handler may take
        self.accounts = Accounts()

        def hook(name: str, args: str, doc: str, **kind: bool) -> Hook:
            return Hook(self, name, args, doc, **kind)

        self.startup = hook("startup", "", "The server is about to accept requests.")
        self.reload_providers = hook("reload_providers", "", "The providers were built anew; add yours again.")
        self.settings_changed = hook(
            "settings_changed", "settings", "This extension's settings were changed; others' handlers are not called."
        )
        self.setup_user = hook("setup_user", "request", "First request of a user since start.")
        self.chat_request = hook(
            "chat_request",
            "chat, context",
            "Before the first provider call. May edit `chat` in place.",
            stop=True,
        )
        self.chat_status = hook(
            "chat_status", "status, context", "An attempt failed and another will follow; `status` says why."
        )
        self.chat_delta = hook(
            "chat_delta",
            "chunk, context",
            "One streamed chunk. Edit it in place, return another to replace it, return False to drop it.",
        )
        self.chat_tool = hook("chat_tool", "chat, context", "After a tool call was asked for, and after each result.")
        self.tool_call = hook(
            "tool_call",
            "call, context",
            "Before a tool runs and after it ran; may change the arguments, refuse, or answer in its place.",
            stop=True,
        )
        self.chat_response = hook("chat_response", "response, context", "Once, on the final answer.")
        self.chat_error = hook("chat_error", "error, context", "Once, when a chat failed for good.")
        self.cache_saved = hook("cache_saved", "saved", "A file was newly written to the cache.")
        self.cleanup = hook("cleanup", "", "The server stops: handlers run in reverse order.", backwards=True)
        self.shutdown = hook("shutdown", "", "The process ends, command line runs included.")

    def __iter__(self) -> Iterator["Hook"]:
        """Every hook, in the order above."""
        return (hook for hook in vars(self).values() if isinstance(hook, Hook))


class Hook:
    """One hook: its handlers in the order they registered."""

    __slots__ = ("args", "backwards", "doc", "handlers", "hooks", "name", "stop")

    def __init__(
        self, hooks: Hooks, name: str, args: str, doc: str, *, stop: bool = False, backwards: bool = False
    ) -> None:
        self.hooks, self.name, self.args, self.doc = hooks, name, args, doc
        self.stop, self.backwards = stop, backwards
        self.handlers: list[tuple[Handler, str]] = []

    def __bool__(self) -> bool:
        return bool(self.handlers)

    def add(self, handler: Handler, *, extension: str) -> Undo:
        """Registers `handler`; calling what comes back takes it out again."""
        entry = (handler, extension)
        self.handlers.append(entry)

        def undo() -> None:
            self.handlers = [other for other in self.handlers if other is not entry]

        return undo

    @property
    def functions(self) -> list[Handler]:
        """The handlers alone. A copy."""
        return [handler for handler, _ in self.handlers]

    async def __call__(self, *args: Any) -> None:
        for handler, extension in self.handlers[:: -1 if self.backwards else 1]:
            await self._run(handler, extension, args)

    async def transform(self, value: Any, *args: Any) -> Any:
        """`value` as the handlers leave it; None when one of them dropped it."""
        for handler, extension in self.handlers[:]:
            answer = await self._run(handler, extension, (value, *args))
            if answer is DROP:
                return None
            value = value if answer is None else answer
        return value

    async def run_for(self, extension: str, *args: Any) -> None:
        """Calls the handlers of one extension alone."""
        for handler, owner in self.handlers[:: -1 if self.backwards else 1]:
            if owner == extension:
                await self._run(handler, extension, args)

    async def _run(self, handler: Handler, extension: str, args: tuple[Any, ...]) -> Any:
        try:
            with self.hooks.accounts.charge(extension):
                return await foreign.call(handler, *args, extension=extension, deadline=self.hooks.deadline)
        except LlmsError as error:
            if self.stop:
                raise
            logging.getLogger(f"llms.ext.{extension}").error("%s failed: %s", self.name, error, exc_info=error)
            return None
