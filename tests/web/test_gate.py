"""Who may call what when one has to sign in, and what is tried to get around it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from llms.kernel.types import Json
from llms.testing import TestServer, make_app
from llms.users.auth import AuthProvider
from llms.web.gate import CORE, Access
from llms.web.server import web_app

from .wire import Answer, chat, fetch

SESSIONS: Json = {
    "ann-token": {"userName": "ann", "roles": ["User"]},
    "chief-token": {"userName": "chief", "roles": ["Admin"]},
}
NOBODY: Json = {}
ANN, CHIEF = {"X-Session-Token": "ann-token"}, {"X-Session-Token": "chief-token"}


class Watcher:
    """An extension that notes the context of every chat, and whom it was asked to set up."""

    def __init__(self) -> None:
        self.__name__ = "watcher"
        self.contexts: list[Any] = []
        self.set_up: list[str | None] = []
        self.auth: Any = None

    def __install__(self, ctx: Any) -> None:
        ctx.add_get("private", self.answer)
        ctx.add_get("/private", self.answer)
        ctx.add_get("public", self.answer, public=True)
        ctx.register_chat_request_filter(self.note)
        ctx.register_setup_user_handler(self.meet)

    async def answer(self, request: web.Request) -> Json:
        return {"user": self.auth.username(request)}

    async def note(self, _: Json, context: Json) -> None:
        self.contexts.append(context)

    async def meet(self, request: web.Request) -> None:
        self.set_up.append(self.auth.username(request))


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
async def server(watcher: Watcher) -> AsyncIterator[TestServer]:
    """Asks people to sign in; there is a user and an admin."""
    async with make_app(watcher) as server:
        watcher.auth = auth = server.app.auth
        auth.sessions.update(SESSIONS)
        auth.set_provider(AuthProvider(auth), extension="credentials")
        yield server


async def call(server: TestServer, method: str, path: str, headers: Json, body: bytes | None = None) -> Answer:
    return await fetch(server, method, path, data=body, headers=headers)


async def ask(server: TestServer, headers: Json, **fields: Any) -> int:
    answer = await server.http.post(f"{server.url}/v1/chat/completions", json=chat(**fields), headers=headers)
    return answer.status


# -- the table ---------------------------------------------------------------------------------------------------


async def test_every_route_of_the_server_says_whom_it_is_for(server: TestServer) -> None:
    routes = web_app(server.server.live, host="127.0.0.1").router.routes()
    found = {(route.method, route.resource.canonical) for route in routes if route.resource and route.method != "HEAD"}
    assert found == CORE.keys(), "llms/web/gate.py says who may call which route: those that differ stand above"


def test_whatever_changes_something_needs_a_user() -> None:
    assert not [row for row, access in CORE.items() if access is Access.OPEN and row[0] not in ("GET", "HEAD")]


@pytest.mark.parametrize("path", ["/", "/ui/app.css", "/health", "/config", "/status", "/models", "/v1/models"])
async def test_what_a_page_needs_before_sign_in_is_open(server: TestServer, path: str) -> None:
    assert (await call(server, "GET", path, NOBODY)).status == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/prefs", None), ("HEAD", "/prefs", None), ("POST", "/v1/chat/completions", b"{}")],
)
async def test_what_is_a_users_needs_one(server: TestServer, method: str, path: str, body: bytes | None) -> None:
    assert (await call(server, method, path, NOBODY, body)).status == 401
    assert (await call(server, method, path, ANN, body)).status in (200, 400)


async def test_only_an_admin_switches_providers(server: TestServer) -> None:
    body = b'{"disable": true}'
    assert (await call(server, "POST", "/providers/nobody", NOBODY, body)).status == 401
    refused = await call(server, "POST", "/providers/nobody", ANN, body)
    assert refused.status == 403
    assert refused.json["responseStatus"]["errorCode"] == "Forbidden"
    assert (await call(server, "POST", "/providers/nobody", CHIEF, body)).status == 404


async def test_who_has_to_sign_in_is_told_so_in_both_forms(server: TestServer) -> None:
    answer = await call(server, "GET", "/prefs", NOBODY)
    message = "Authentication required. Sign in, and try again."
    assert answer.json == {
        "error": {"message": message, "type": "authentication_error", "code": "Unauthorized", "param": None},
        "responseStatus": {"errorCode": "Unauthorized", "message": message},
    }


async def test_a_chat_without_sign_in_reaches_no_provider(server: TestServer) -> None:
    assert await ask(server, NOBODY) == 401
    assert await ask(server, {"X-Session-Token": "guess"}) == 401
    assert await ask(server, {"Authorization": "Bearer ann-token"}) == 401
    assert server.provider.history == []


@pytest.mark.parametrize("path", ["//prefs", "/prefs/", "/PREFS", "/ui/../prefs", "/ui/%2e%2e/prefs", "/./prefs"])
async def test_another_way_to_write_a_path_leads_to_no_data(server: TestServer, path: str) -> None:
    server.app.prefs.set("note", "a secret")
    answer = await call(server, "GET", path, NOBODY)
    assert answer.status in (401, 404) or b"<html" in answer.body
    assert b"a secret" not in answer.body


# -- routes of extensions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/ext/watcher/private", "/private"])
async def test_a_route_of_an_extension_needs_a_user(server: TestServer, path: str) -> None:
    assert (await call(server, "GET", path, NOBODY)).status == 401
    assert (await call(server, "GET", path, ANN)).json == {"user": "ann"}


async def test_a_route_of_an_extension_may_be_public(server: TestServer) -> None:
    assert (await call(server, "GET", "/ext/watcher/public", NOBODY)).json == {"user": None}
    assert (await call(server, "GET", "/ext/watcher/public", ANN)).json == {"user": "ann"}


async def test_an_extension_meets_its_users_before_they_reach_it(server: TestServer, watcher: Watcher) -> None:
    await call(server, "GET", "/ext/watcher/private", ANN)
    assert watcher.set_up == ["ann"]


async def test_what_the_page_is_made_of_is_open(server: TestServer) -> None:
    assert (await call(server, "GET", "/ext", NOBODY)).status == 200


@pytest.mark.parametrize("headers", [NOBODY, ANN], ids=["nobody", "ann"])
@pytest.mark.parametrize("path", ["/ext/status", "/ext/watcher/settings"])
async def test_only_an_admin_looks_into_extensions(server: TestServer, path: str, headers: Json) -> None:
    assert (await call(server, "GET", path, headers)).status == (403 if headers else 401)
    assert (await call(server, "GET", path, CHIEF)).status in (200, 404)


# -- a provider that fails ---------------------------------------------------------------------------------------


async def test_a_provider_that_raises_lets_nobody_in(server: TestServer) -> None:
    class Broken(AuthProvider):
        def check_auth(self, request: web.Request) -> tuple[bool, Json | None]:
            raise ValueError("the database is gone")

    server.app.auth.set_provider(Broken(server.app.auth), extension="broken")
    answer = await call(server, "GET", "/prefs", CHIEF)
    assert answer.status == 401
    assert b"database" not in answer.body
    assert (await call(server, "GET", "/health", NOBODY)).status == 200


async def test_a_server_whose_auth_extension_is_unloaded_does_not_open() -> None:
    async with make_app() as server:
        undo = server.app.auth.set_provider(AuthProvider(server.app.auth), extension="credentials")
        assert (await call(server, "GET", "/prefs", NOBODY)).status == 401
        undo()
        assert (await call(server, "GET", "/prefs", NOBODY)).status == 401
        assert (await call(server, "GET", "/config", NOBODY)).json["requiresAuth"] is True


async def test_without_a_provider_everything_is_open() -> None:
    async with make_app() as server:
        assert (await call(server, "GET", "/prefs", NOBODY)).status == 200
        assert (await call(server, "POST", "/providers/nobody", NOBODY, b'{"enable": true}')).status == 404
        assert await ask(server, NOBODY) == 200


# -- who is told to the inside -----------------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_chat_knows_who_asked_whatever_it_says_itself(
    server: TestServer, watcher: Watcher, streamed: bool
) -> None:
    spoofed = {"user": "chief", "request": "x", "userName": "chief"}
    headers = {**ANN, "X-User": "chief"}
    assert await ask(server, headers, stream=streamed, user="chief", metadata=spoofed) == 200
    (context,) = watcher.contexts
    assert context["user"] == "ann"
    assert isinstance(context["request"], web.Request)


async def test_without_sign_in_a_chat_is_nobodys(watcher: Watcher) -> None:
    async with make_app(watcher) as server:
        watcher.auth = server.app.auth
        assert await ask(server, ANN, metadata={"user": "chief"}) == 200
    assert watcher.contexts[0]["user"] is None


# -- setting up users --------------------------------------------------------------------------------------------


async def test_every_user_is_set_up_before_their_first_request(server: TestServer, watcher: Watcher) -> None:
    for headers in (ANN, CHIEF, ANN):
        assert await ask(server, headers) == 200
    assert watcher.set_up == ["ann", "chief"]


async def test_nobody_is_set_up_who_may_not_pass(server: TestServer, watcher: Watcher) -> None:
    await ask(server, NOBODY)
    await call(server, "GET", "/", NOBODY)
    assert watcher.set_up == []


async def test_without_sign_in_everybody_is_set_up_as_one(watcher: Watcher) -> None:
    async with make_app(watcher) as server:
        watcher.auth = server.app.auth
        await ask(server, NOBODY)
        await ask(server, NOBODY)
    assert watcher.set_up == [None]
