"""All that is registered in a server at one moment, to be compared with another."""

import json
from collections import Counter
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from llms.app import App
from llms.host.page import Page
from llms.host.routes import Routes
from llms.host.shared import Shared
from llms.kernel.hooks import Hooks
from llms.tools.registry import Tools

Entry = tuple[str, object]  # what it is in words, and the very thing; None where the words say all


class Registries:
    """What stands in every registry that extensions add to. Later changes of the server do not reach it."""

    def __init__(self, shared: Shared) -> None:
        self._entries: list[Entry] = [
            *_routes(shared.routes),
            *_hooks(shared.app.hooks),
            *_tools(shared.app.tools),
            *_app(shared.app),
            *_page(shared.page),
            *_others(shared),
        ]

    def changes(self, later: "Registries") -> list[str]:
        """One line for each thing that is there `later` and was not, or is not there any more; none if all is the same.

        Another thing that goes by the same words is a change.
        """
        return _told(
            Counter((label, id(thing)) for label, thing in self._entries),
            Counter((label, id(thing)) for label, thing in later._entries),
        )

    def changes_in_words(self, later: "Registries") -> list[str]:
        """As `changes`, where other things may go by the same words, as after a reload."""
        return _told(
            Counter((label, 0) for label, _ in self._entries),
            Counter((label, 0) for label, _ in later._entries),
        )


def _told(before: Counter[tuple[str, int]], after: Counter[tuple[str, int]]) -> list[str]:
    added = [f"added {label}" for label, _ in (after - before).elements()]
    return [*added, *(f"missing {label}" for label, _ in (before - after).elements())]


def _routes(routes: Routes) -> Iterator[Entry]:
    for route in routes.all:
        yield f"route {route.method} {route.path}", route
    for files in routes.files:
        yield f"files under {files.prefix}", files


def _hooks(hooks: Hooks) -> Iterator[Entry]:
    for hook in hooks:
        for handler, extension in hook.handlers:
            yield f"{hook.name} handler {_name(handler)} of {extension}", handler


def _tools(tools: Tools) -> Iterator[Entry]:
    for name, function in tools.functions.items():
        yield f"tool {name}", function
    for definition in tools.definitions:
        yield "tool definition", definition
    for group, members in tools.groups.items():
        yield f"tool group {group}: {', '.join(members)}", None
    for provider in tools.contextual:
        yield f"contextual tools of {_name(provider)}", provider


def _app(app: App) -> Iterator[Entry]:
    for cls in app.registry.classes:
        yield f"provider class {cls.__name__}", cls
    for id, provider in app.registry.live.items():
        yield f"provider {id}, a {type(provider).__name__}", None  # the configured ones are often built anew
    for user, folders in app.directories.allowed.items():
        yield f"folders that tools of {user or 'everybody'} may touch: {_text(folders)}", None
    yield f"auth provider {_name(app.auth.provider)}", app.auth.provider


def _page(page: Page) -> Iterator[Entry]:
    for name, url in page.import_maps.items():
        yield f"import map entry {name}: {_text(url)}", None
    for html in page.headers:
        yield f"page header {_text(html)}", None
    for html in page.footers:
        yield f"page footer {_text(html)}", None
    for module in page.modules:
        yield f"page module {_text(module)}", None


def _others(shared: Shared) -> Iterator[Entry]:
    for name, service in vars(shared.services).items():
        yield f"service {name}, a {_name(service)}", service
    for name, size in shared.aspect_ratios.items():
        yield f"aspect ratio {name}: {_text(size)}", None
    for name, kind in shared.request_args.items():
        yield f"request argument {name}", kind
    for extension in shared.host.extensions:
        for task in shared.tasks.of(extension.name):
            yield f"task of {extension.name}", task


def _text(value: Any) -> str:
    """`value`, which should be made of texts: extensions put into lists whatever they like."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return type(value).__name__


def _name(thing: Any) -> str:
    """What to call `thing`. Nothing is asked of an object of somebody's own class."""
    kind = type(thing)
    return str(thing.__name__) if issubclass(kind, _NAMED) else kind.__name__


_NAMED = (FunctionType, MethodType, BuiltinFunctionType, type)
