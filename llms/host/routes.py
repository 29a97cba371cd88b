"""The HTTP routes that extensions registered. `web` answers them; this file only says which there are."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llms.kernel.errors import ConfigError
from llms.kernel.undo import Undo

# The server's own addresses, which no extension can have; those that end in "/" are whole folders.
RESERVED = frozenset(
    {
        *("/", "/v1/", "/ui/", "/~cache/", "/upload", "/health", "/status", "/config", "/prefs", "/models"),
        *("/providers", "/providers/", "/ext", "/ext/status", "/ext/status/", "/ext/events", "/favicon.ico"),
    }
)
_PARAMETER = re.compile(r"\{[^{}:]+((?::(?:[^{}]|\{[^{}]*\})*)?\})")


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One method at one path. `options` go to the router; `public` routes need no sign-in."""

    method: str
    path: str
    handler: Callable[..., Any]
    extension: str
    public: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def claim(self) -> tuple[str, str]:
        """What only one route can have: the names of parameters make no difference."""
        return self.method, _PARAMETER.sub(r"{\1", self.path)


@dataclass(frozen=True, slots=True, eq=False)
class StaticFiles:
    """Every file below `folder`, under `prefix`."""

    prefix: str
    folder: Path
    extension: str


class Routes:
    """All routes of extensions, in the order they registered. `version` changes whenever they do."""

    def __init__(self) -> None:
        self.all: list[Route] = []
        self.files: list[StaticFiles] = []
        self.version = 0

    def add(self, route: Route) -> Undo:
        """Adds `route`. Raises ConfigError if its place is taken or is not the extension's to take."""
        self._check(route)
        self.all.append(route)
        self.version += 1
        return lambda: self._remove(self.all, route)

    def add_files(self, files: StaticFiles) -> Undo:
        """Serves a folder. An extension's own routes win over its files."""
        self.files.append(files)
        self.version += 1
        return lambda: self._remove(self.files, files)

    def of(self, extension: str) -> list[Route]:
        return [route for route in self.all if route.extension == extension]

    def _remove(self, entries: list[Any], entry: object) -> None:
        kept = [other for other in entries if other is not entry]
        if len(kept) < len(entries):
            entries[:] = kept
            self.version += 1

    def _check(self, route: Route) -> None:
        if not callable(route.handler):
            raise ConfigError(f"The handler of {route.method} {route.path} is no function. Pass one.")
        if owner := _owner(route):
            raise ConfigError(f"{route.method} {route.path} belongs to {owner}. Choose another path.")
        _try(route)
        for other in self.all:
            if other.claim == route.claim:
                raise ConfigError(
                    f"{route.method} {route.path} is taken by extension {other.extension}. Choose another path."
                )


def _try(route: Route) -> None:
    """Raises ConfigError for a path or options that the router does not understand."""
    from aiohttp.web import UrlDispatcher

    try:
        getattr(UrlDispatcher(), f"add_{route.method.lower()}")(route.path, _nothing, **route.options)
    except (ValueError, TypeError, AssertionError) as error:
        raise ConfigError(f"'{route.path}' is no path for {route.method}: {error}. Correct it.") from error


async def _nothing(_: object) -> None: ...


def web_path(prefix: str, path: str) -> str:
    """The full path of `path` below `prefix`; one that begins with a slash is the server's, and stays as it is."""
    if path.startswith("/"):
        return path
    return f"{prefix}/{path}" if path else prefix


def _owner(route: Route) -> str | None:
    """Who else owns the place: the server, or the extension in whose folder it lies."""
    path = route.path
    if any(path == place or (place.endswith("/") and place != "/" and path.startswith(place)) for place in RESERVED):
        return "the server"
    fixed, is_pattern, _ = path.partition("{")
    if is_pattern and any(place.startswith(fixed) for place in RESERVED):
        matched = "every address" if fixed == "/" else "addresses of the server's own"
        return f"the server, since it would match {matched}"
    area = path.removeprefix("/ext/").partition("/")[0] if path.startswith("/ext/") else route.extension
    return None if area == route.extension else f"extension '{area}'"
