"""Asks the routes of an extension over HTTP: as somebody who is signed in, and as nobody."""

import asyncio
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

import aiohttp

from llms.host.routes import Route
from llms.kernel.types import Json
from llms.testing.app import TestServer

PATIENCE = 5.0  # seconds for an answer to begin; an event stream may never
_PARAMETER = re.compile(r"\{([^{}:]+)(?::((?:[^{}]|\{[^{}]*\})*))?\}")
_VALUES = ("1", "abc", "a/b", "a.txt", "2024-01-31", "0a1b2c3d-0000-4000-8000-000000000000")  # for parameters
_SOMEBODY = MappingProxyType({"userId": "1", "userName": "tester", "displayName": "Tester", "roles": ["Admin"]})


class Door:
    """An auth provider that lets everybody in, as an admin, or nobody."""

    def __init__(self, *, is_open: bool) -> None:
        self._is_open = is_open

    def check_auth(self, request: object) -> tuple[bool, Json | None]:
        return self._is_open, self.get_session(request)

    def get_session(self, _request: object) -> Json | None:
        return dict(_SOMEBODY) if self._is_open else None

    def get_username(self, _request: object) -> str | None:
        return str(_SOMEBODY["userName"]) if self._is_open else None


@contextmanager
def door(server: TestServer, *, is_open: bool) -> Iterator[None]:
    """Inside the block everybody is signed in, or has to be and is not; whatever the extension itself has set."""
    undo = server.app.auth.set_provider(Door(is_open=is_open))
    try:
        yield
    finally:
        undo()


async def ask_all(server: TestServer, routes: Collection[Route]) -> dict[Route, int | None]:
    """The status that each route answers with, asked one after the other; None where that took too long."""
    return {route: await _ask(server, route.method, path) for route in routes if (path := path_for(route))}


def path_for(route: Route) -> str | None:
    """A path that the route answers; None where no value is known that would fit its pattern."""
    path = route.path
    while found := _PARAMETER.search(path):
        pattern = found[2] or "[^/]+"
        value = next((value for value in _VALUES if re.fullmatch(pattern, value)), None)
        if value is None:
            return None
        path = path[: found.start()] + value + path[found.end() :]
    return path


async def _ask(server: TestServer, method: str, path: str) -> int | None:
    body: Json = {} if method == "GET" else {"json": {}}
    try:
        async with (
            asyncio.timeout(PATIENCE),
            server.http.request(method, f"{server.url}{path}", allow_redirects=False, **body) as response,
        ):
            return response.status
    except (TimeoutError, aiohttp.ClientError):
        return None


def unguarded(answers: Mapping[Route, int | None], *, may_be_public: bool) -> Sequence[str]:
    """The routes that have let nobody in particular pass, and should not have."""
    return [
        f"{route.method} {route.path}"
        for route, answer in answers.items()
        if answer != 401 and not (route.public and may_be_public)
    ]
