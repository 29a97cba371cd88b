"""The routes of extensions, which come and go while the server runs."""

from collections.abc import Iterator
from typing import Any, NoReturn
from weakref import WeakSet

from aiohttp import web
from aiohttp.web_urldispatcher import AbstractRoute
from yarl import URL

from llms.host.routes import Route, StaticFiles
from llms.host.shared import Shared
from llms.kernel import envelopes, foreign
from llms.kernel.accounts import Accounts
from llms.kernel.foreign import ExtensionError
from llms.users.auth import Auth
from llms.web.files import served
from llms.web.reply import json_response


class ExtensionRoutes(web.AbstractResource):
    """One resource that stands for all of them. A request sees the routes as they are at that moment.

    aiohttp looks for a resource by its `place`: "/ext" comes before the server's own `/ext/{name}/…`, "/" after all
    else.
    """

    def __init__(self, shared: Shared, *, place: str) -> None:
        super().__init__()
        self._routes, self._place = shared.routes, place
        self._auth, self._accounts = shared.app.auth, shared.app.hooks.accounts
        self._given: WeakSet[web.StreamResponse] = WeakSet()
        self._version = -1
        self._dispatcher = web.UrlDispatcher()

    @property
    def canonical(self) -> str:
        return self._place

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        """The route that answers `request`, else the methods that would be allowed."""
        if self._version != self._routes.version:
            self._version, self._dispatcher = self._routes.version, self._build()
        match = await self._dispatcher.resolve(request)
        if match.http_exception is None:
            return match, set()
        if isinstance(match.http_exception, web.HTTPMethodNotAllowed):
            return None, match.http_exception.allowed_methods
        return None, set()

    def _build(self) -> web.UrlDispatcher:
        dispatcher = web.UrlDispatcher()
        for route in self._routes.all:
            add = getattr(dispatcher, f"add_{route.method.lower()}")
            options = {**route.options, "name": None}  # else no two extensions could give theirs the same
            add(route.path, RouteHandler(route, self._auth, self._accounts, self._given).answer, **options)
        return dispatcher

    # -- what aiohttp asks of a resource -----------------------------------------------------------------------

    def __len__(self) -> int:
        return 0  # none that does not change

    def __iter__(self) -> Iterator[AbstractRoute]:
        return iter(())

    def get_info(self) -> Any:
        return {"path": self._place}

    def raw_match(self, path: str) -> bool:
        return False

    def add_prefix(self, prefix: str) -> NoReturn:
        raise NotImplementedError("Routes of extensions stand where they are registered.")

    def url_for(self, **_: str) -> URL:
        raise NotImplementedError("Routes of extensions have no names.")

    def freeze(self) -> None: ...


class ExtensionFiles(ExtensionRoutes):
    """The same for their files, which come after the routes of the server: a folder holds every path below it."""

    def _build(self) -> web.UrlDispatcher:
        dispatcher = web.UrlDispatcher()
        for files in self._routes.files:
            dispatcher.add_get(f"{files.prefix}/{{path:.*}}", FilesHandler(files).answer)
        return dispatcher


class RouteHandler:
    """Answers one route of an extension. It turns away itself who may not pass.

    `given` are the responses that requests have had: aiohttp would send one of them again as nothing at all.
    """

    def __init__(self, route: Route, auth: Auth, accounts: Accounts, given: WeakSet[web.StreamResponse]) -> None:
        self.route = route
        self._auth, self._accounts, self._given = auth, accounts, given

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if not self._is_open():
            self._auth.require(request)
        extension = self.route.extension
        with self._accounts.charge(extension):
            answer = await self._asked(request)
            if isinstance(answer, web.HTTPException) and answer.status >= 400:
                raise answer
            response = self._as_response(answer)
            if isinstance(response, web.HTTPException):  # a redirect
                raise response
            return response

    async def _asked(self, request: web.Request) -> Any:
        """What the handler gives back; an HTTPException that it raises counts as that."""
        try:
            return await foreign.call(self.route.handler, request, extension=self.route.extension)
        except ExtensionError as error:
            if isinstance(error.__cause__, web.HTTPException):
                return error.__cause__
            if isinstance(error.__cause__, ConnectionResetError):  # the client has left
                raise error.__cause__ from error
            raise

    def _is_open(self) -> bool:
        """Whether it needs no sign-in: it was registered so, or is how one signs in."""
        route = self.route
        signs_in = route.extension == self._auth.extension and f"{route.path}/".startswith("/auth/")
        return route.public or signs_in

    def _as_response(self, answer: Any) -> web.StreamResponse:
        if isinstance(answer, web.StreamResponse):
            if answer in self._given:
                raise self._wrong("a response that another request has had. Make a new one each time.")
            self._given.add(answer)
            return answer
        if isinstance(answer, dict | list):
            try:
                return json_response(answer, status=envelopes.status_of(answer) or 200)
            except (TypeError, ValueError, OverflowError, RecursionError) as error:
                raise self._wrong(f"what is no JSON: {error}. Return plain values.") from error
        raise self._wrong(f"{type(answer).__name__}. Return a web.Response, a dict or a list.")

    def _wrong(self, what: str) -> ExtensionError:
        route = self.route
        told = f"Extension '{route.extension}' answered {route.method} {route.path} with {what}"
        return ExtensionError(told, extension=route.extension)


class FilesHandler:
    """Answers with the files of a folder; anybody may have them, since the page is made of them."""

    def __init__(self, files: StaticFiles) -> None:
        self._files = files

    async def answer(self, request: web.Request) -> web.StreamResponse:
        return served(self._files.folder, request.match_info["path"], address=request.path)


def is_of_extension(handler: object) -> bool:
    """Whether `handler`, of a request's route, is one of the above."""
    return isinstance(getattr(handler, "__self__", None), RouteHandler | FilesHandler)
