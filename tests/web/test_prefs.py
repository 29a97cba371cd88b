"""GET /prefs."""

from llms.kernel.types import Json
from llms.testing import TestServer, make_app
from llms.users.auth import AuthProvider

from .wire import fetch


async def prefs_of(server: TestServer, token: str = "") -> Json:
    answer = await fetch(server, "GET", "/prefs", headers={"X-Session-Token": token})
    found: Json = answer.json
    return found


async def test_without_sign_in_there_is_one_set_for_everybody() -> None:
    async with make_app() as server:
        assert await prefs_of(server) == {}
        server.app.prefs.set("theme", "dark")
        assert await prefs_of(server) == {"theme": "dark"}


async def test_who_is_signed_in_gets_their_own() -> None:
    async with make_app() as server:
        auth, prefs = server.app.auth, server.app.prefs
        auth.sessions.update({"a": {"userName": "ann"}, "b": {"userName": "bob"}})
        auth.set_provider(AuthProvider(auth))
        prefs.set("theme", "dark", "ann")
        prefs.set("theme", "light")
        assert await prefs_of(server, "a") == {"theme": "dark"}
        assert await prefs_of(server, "b") == {}


async def test_a_broken_file_is_told_by_name() -> None:
    async with make_app() as server:
        server.app.prefs.set("theme", "dark")
        (server.app.home.user("default") / "prefs.json").write_text("{")
        answer = await fetch(server, "GET", "/prefs")
    assert answer.status == 500
    assert answer.message.startswith("prefs.json: line 1")
