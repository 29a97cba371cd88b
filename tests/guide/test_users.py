"""Authentication and sessions, with an extension that asks people to sign in and without."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from llms.testing import TestServer, make_app

from .conftest import Write
from .signing_in import ANN, CHIEF, SIGN_IN

ROUTES = """
    def __install__(ctx):
        async def protected_route(request):
            is_auth, user = ctx.check_auth(request)
            if not is_auth:
                return ctx.error_auth_required
            return {"user": user}

        async def session_route(request):
            session = ctx.get_session(request)
            if session:
                ctx.log(f"User: {session.get('userName')}")
            return {"session": session, "name": ctx.get_username(request)}

        async def who(request):
            context = {"request": request}
            return {"name": ctx.context_to_username(context), "admin": ctx.is_admin(request)}

        async def path(request):
            user_dir = ctx.get_user_path("john")  # ~/.llms/user/john
            return [user_dir, ctx.get_user_path(), ctx.get_user_path(username="john"), ctx.get_user_path(user="john")]

        ctx.add_get("protected", protected_route, public=True)
        ctx.add_get("session", session_route, public=True)
        ctx.add_get("who", who, public=True)
        ctx.add_get("path", path, public=True)
        ctx.add_get("private", lambda request: {"private": True})
        ctx.add_post("private", lambda request: {"private": True})
"""


@pytest.fixture
async def open_server(write: Write) -> AsyncIterator[TestServer]:
    """Nobody has to sign in."""
    async with make_app(write(ROUTES)) as server:
        yield server


@pytest.fixture
async def guarded(write: Write) -> AsyncIterator[TestServer]:
    """There are a user, ann, and an admin, chief."""
    async with make_app(write(SIGN_IN, name="sign_in"), write(ROUTES)) as server:
        yield server


# -- nobody has to sign in ---------------------------------------------------------------------------------------


async def test_without_sign_in_everybody_is_authenticated_and_nobody_has_a_name(open_server: TestServer) -> None:
    assert (await open_server.get("/ext/myext/protected")).body == {"user": None}
    assert (await open_server.get("/ext/myext/session")).body == {"session": None, "name": None}
    assert (await open_server.get("/ext/myext/who")).body == {"name": None, "admin": True}


# -- signed in ---------------------------------------------------------------------------------------------------


async def test_check_auth_gives_the_session_of_who_is_signed_in(guarded: TestServer) -> None:
    answer = await guarded.get("/ext/myext/protected", headers=ANN)
    assert answer.body["user"]["userName"] == "ann"


async def test_error_auth_required_is_answered_with_401(guarded: TestServer) -> None:
    for headers in ({}, {"X-Session-Token": "made-up"}):
        answer = await guarded.get("/ext/myext/protected", headers=headers)
        status = {"errorCode": "Unauthorized", "message": "Authentication required"}
        assert (answer.status, answer.body) == (401, {"responseStatus": status})


async def test_the_session_and_the_name_of_a_request_are_told(
    guarded: TestServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="llms.ext.myext")
    told = (await guarded.get("/ext/myext/session", headers=ANN)).body
    assert (told["name"], told["session"]["userId"]) == ("ann", "1")
    assert "User: ann" in caplog.messages


async def test_of_a_stranger_there_is_neither_session_nor_name(guarded: TestServer) -> None:
    assert (await guarded.get("/ext/myext/session")).body == {"session": None, "name": None}


async def test_the_name_is_found_in_the_context_of_a_request(guarded: TestServer) -> None:
    assert (await guarded.get("/ext/myext/who", headers=CHIEF)).body == {"name": "chief", "admin": True}
    assert (await guarded.get("/ext/myext/who", headers=ANN)).body == {"name": "ann", "admin": False}
    ctx: Any = guarded.host.context("myext")
    assert ctx.context_to_username(None) is ctx.context_to_username({}) is None


async def test_the_context_of_a_chat_tells_its_user(write: Write) -> None:
    source = """
        seen = []

        def __install__(ctx):
            def note(chat, context):
                seen.append([context["user"], ctx.context_to_username(context)])

            ctx.register_chat_request_filter(note)
            ctx.add_get("seen", lambda request: seen)
    """
    async with make_app(write(SIGN_IN, name="sign_in"), write(source)) as server:
        body = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
        assert (await server.post("/v1/chat/completions", body, headers=ANN)).status == 200
        assert (await server.get("/ext/myext/seen", headers=ANN)).body == [["ann", "ann"]]


async def test_a_tools_parameter_user_is_who_is_signed_in_whatever_the_model_says(write: Write) -> None:
    from .calling import calls

    source = """
        def whoami(user: str = "nobody"):
            return f"You are {user}"

        def __install__(ctx):
            ctx.register_tool(whoami)
    """
    async with make_app(write(SIGN_IN, name="sign_in"), write(source)) as server:
        server.provider.enqueue(calls(("whoami", {"user": "chief"})), "done")
        body = {
            "model": "fake-model",
            "messages": [{"role": "user", "content": "Who am I?"}],
            "metadata": {"tools": "all"},
        }
        await server.post("/v1/chat/completions", body, headers=ANN)
        asked, answered = server.provider.history
        assert asked["tools"][0]["function"]["parameters"]["properties"] == {}
        assert answered["messages"][-1]["content"] == "You are ann"


# -- who may call what -------------------------------------------------------------------------------------------


async def test_an_extensions_routes_need_sign_in_unless_they_are_public(guarded: TestServer) -> None:
    for method in ("GET", "POST"):
        async with guarded.http.request(method, f"{guarded.url}/ext/myext/private") as answer:
            assert answer.status == 401
    assert (await guarded.get("/ext/myext/private", headers=ANN)).body == {"private": True}
    assert (await guarded.get("/ext/myext/path")).status == 200


async def test_chats_need_sign_in(guarded: TestServer) -> None:
    assert (await guarded.chat("Hi")).status == 401
    assert guarded.provider.history == []


async def test_signing_out_ends_it(guarded: TestServer) -> None:
    ctx: Any = guarded.host.context("sign_in")
    del ctx.sessions["ann-token"]
    assert (await guarded.get("/ext/myext/private", headers=ANN)).status == 401


@pytest.mark.parametrize(
    "way",
    [{"params": {"session": "t"}}, {"headers": {"X-Session-Token": "t"}}, {"cookies": {"llms-token": "t"}}],
)
async def test_the_base_class_finds_the_token_in_query_header_or_cookie(write: Write, way: Any) -> None:
    source = """
        from llms.main import AuthProvider

        def __install__(ctx):
            ctx.sessions["t"] = {"userName": "ann"}
            ctx.set_auth_provider(AuthProvider(ctx.app))
            ctx.add_get("me", lambda request: {"name": ctx.get_username(request)})
    """
    async with make_app(write(source)) as server:
        assert (await server.get("/ext/myext/me", **way)).body == {"name": "ann"}


async def test_auth_enabled_says_whether_one_has_to_sign_in(guarded: TestServer) -> None:
    ctx: Any = guarded.host.context("myext")
    assert ctx.app.auth_enabled is ctx.app.is_auth_enabled() is ctx.is_auth_enabled() is True


# -- folders -----------------------------------------------------------------------------------------------------


async def test_get_user_path_is_the_folder_of_a_users_data(open_server: TestServer) -> None:
    users = Path(open_server.app.home.root, "user")
    john, everybody = str(users / "john"), str(users / "default")
    assert (await open_server.get("/ext/myext/path")).body == [john, everybody, john, john]


@pytest.mark.parametrize("name", ["../ann", "a/b", ".."])
def test_a_name_that_leads_elsewhere_is_refused(ctx: Any, name: str) -> None:
    with pytest.raises(Exception, match="name"):
        ctx.get_user_path(name)
