"""Registering by decorators, as in `@ext.get("hello")`: what an `install` would do, said where the function stands.

    from llms.api import ext

    @ext.get("hello")
    async def hello(request): ...

    @ext.tool(group="demo")
    def add(a: int, b: int) -> int: ...

    @ext.filter("chat_request")
    async def be_brief(chat, context): ...

A function with a parameter called `ctx` is given it. The decorators only leave a note on the function; the host reads
the notes of an extension's modules after its `__install__`, if it has one.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from llms.kernel.errors import ConfigError

if TYPE_CHECKING:
    from llms.host.registrations import Registrations
    from llms.kernel.types import Json

F = TypeVar("F", bound=Callable[..., Any])
_NOTES = "__llms_declared__"
_FILTERS = (
    *("chat_request", "chat_status", "chat_delta", "chat_tool", "tool_call", "chat_response", "chat_error"),
    "cache_saved",
)
_HANDLERS = ("startup", "setup_user", "settings", "cleanup", "shutdown")


@dataclass(frozen=True, slots=True)
class Declared:
    """A note: the method of `ctx` to call, and with what. The function takes the place called `function`."""

    method: str
    before: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


class Declarations:
    """The decorators. One object without state serves all extensions."""

    def get(self, path: str, *, public: bool = False) -> Callable[[F], F]:
        """Answers GET, as `ctx.add_get`."""
        return _note(Declared("add_get", (path,), {"public": public}))

    def post(self, path: str, *, public: bool = False) -> Callable[[F], F]:
        """Answers POST, as `ctx.add_post`."""
        return _note(Declared("add_post", (path,), {"public": public}))

    def put(self, path: str, *, public: bool = False) -> Callable[[F], F]:
        """Answers PUT, as `ctx.add_put`."""
        return _note(Declared("add_put", (path,), {"public": public}))

    def delete(self, path: str, *, public: bool = False) -> Callable[[F], F]:
        """Answers DELETE, as `ctx.add_delete`."""
        return _note(Declared("add_delete", (path,), {"public": public}))

    def patch(self, path: str, *, public: bool = False) -> Callable[[F], F]:
        """Answers PATCH, as `ctx.add_patch`."""
        return _note(Declared("add_patch", (path,), {"public": public}))

    @overload
    def tool(self, function: F) -> F: ...
    @overload
    def tool(self, *, group: str | None = None, definition: "Json | None" = None) -> Callable[[F], F]: ...
    def tool(self, function: Any = None, *, group: str | None = None, definition: "Json | None" = None) -> Any:
        """Offers the function to models, as `ctx.register_tool`. With or without parentheses."""
        decorate = _note(Declared("register_tool", (), {"tool_def": definition, "group": group}))
        return decorate if function is None else decorate(function)

    def filter(self, hook: str) -> Callable[[F], F]:
        """Takes part in a hook, such as "chat_request" or "startup", as the `ctx.register_…` method of that name."""
        if hook in _FILTERS:
            return _note(Declared(f"register_{hook}_filter"))
        if hook in _HANDLERS:
            return _note(Declared(f"register_{hook}_handler"))
        raise ConfigError(f"There is no hook '{hook}'. Choose from: {', '.join(_FILTERS + _HANDLERS)}.")

    def schedule(self, *, every: float, at_once: bool = False) -> Callable[[F], F]:
        """Calls the function every `every` seconds, as `ctx.schedule`."""
        return _note(Declared("schedule", (), {"every": every, "at_once": at_once}))


def register_declared(ctx: "Registrations", modules: Iterable[ModuleType]) -> None:
    """Registers every noted function of an extension's `modules`, in the order they stand."""
    for module in modules:
        functions = {id(value): value for value in vars(module).values()}  # one may have several names
        for function in functions.values():
            if getattr(function, "__module__", None) == module.__name__:  # else it is imported from another one
                for note in getattr(function, _NOTES, ()):
                    getattr(ctx, note.method)(*note.before, _given(function, ctx), **note.options)


def _given(function: Callable[..., Any], ctx: "Registrations") -> Callable[..., Any]:
    """`function` with its parameter `ctx` filled in, where it has one."""
    return partial(function, ctx=ctx) if "ctx" in inspect.signature(function).parameters else function


def _note(declared: Declared) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        notes = (*getattr(function, _NOTES, ()), declared)
        setattr(function, _NOTES, notes)
        return function

    return decorate


ext = Declarations()
