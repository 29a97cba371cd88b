"""Route registration: every method, below the extension's own address."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from llms.testing import TestServer, make_app

from .conftest import Write

EVERY_METHOD = """
    from aiohttp import web

    async def handle_status(request):
        return web.json_response({"status": "ok"})

    async def handle_create(request):
        data = await request.json()
        return web.json_response({"created": True, "data": data})

    async def handle_item(request):
        return web.json_response({"method": request.method, "id": request.match_info["id"]})

    async def handle_rest(request):
        return web.json_response({"rest": request.match_info["tail"]})

    def __install__(ctx):
        ctx.add_get("status", handle_status)  # Available at /ext/myext/status
        ctx.add_post("create", handle_create)
        ctx.add_put("items/{id}", handle_item)
        ctx.add_delete("items/{id}", handle_item)
        ctx.add_patch("items/{id}", handle_item)
        ctx.add_get("", handle_status)
        ctx.add_get("/everywhere", handle_status)
        ctx.add_get("rest/{tail:.*}", handle_rest)
        ctx.add_get("unseen", handle_status, allow_head=False)
"""


@pytest.fixture
async def routes(write: Write) -> AsyncIterator[TestServer]:
    async with make_app(write(EVERY_METHOD)) as server:
        yield server


async def status(server: TestServer, method: str, path: str, **options: Any) -> int:
    async with server.http.request(method, f"{server.url}{path}", **options) as answer:
        return answer.status


# -- registering -------------------------------------------------------------------------------------------------


async def test_a_get_route_is_below_the_extensions_prefix(routes: TestServer) -> None:
    answer = await routes.get("/ext/myext/status")
    assert (answer.status, answer.body) == (200, {"status": "ok"})


async def test_a_post_route_gets_json(routes: TestServer) -> None:
    assert (await routes.post("/ext/myext/create", {"a": 1})).body == {"created": True, "data": {"a": 1}}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_the_other_methods_have_routes_too(routes: TestServer, method: str) -> None:
    async with routes.http.request(method, f"{routes.url}/ext/myext/items/5") as answer:
        assert await answer.json() == {"method": method, "id": "5"}


async def test_a_route_answers_its_own_method_alone(routes: TestServer) -> None:
    assert await status(routes, "POST", "/ext/myext/status", json={}) == 405


async def test_a_route_without_a_path_is_the_prefix_itself(routes: TestServer) -> None:
    assert (await routes.get("/ext/myext")).body == {"status": "ok"}


async def test_a_path_with_a_slash_before_it_is_the_servers(routes: TestServer) -> None:
    assert (await routes.get("/everywhere")).body == {"status": "ok"}
    assert (await routes.get("/ext/myext/everywhere")).status == 404


async def test_patterns_of_aiohttp_work(routes: TestServer) -> None:
    assert (await routes.get("/ext/myext/rest/a/b/c")).body == {"rest": "a/b/c"}


async def test_further_arguments_go_to_the_router(routes: TestServer) -> None:
    assert await status(routes, "HEAD", "/ext/myext/status") == 200
    assert await status(routes, "HEAD", "/ext/myext/unseen") == 405


@pytest.mark.parametrize(
    ("path", "full"),
    [("status", "/ext/myext/status"), ("a/{id}", "/ext/myext/a/{id}"), ("", "/ext/myext"), ("/auth", "/auth")],
)
def test_web_path_tells_the_full_path_of_a_route(ctx: Any, path: str, full: str) -> None:
    assert ctx.web_path("GET", path) == full


# -- handlers ----------------------------------------------------------------------------------------------------

ANSWERS = """
    from aiohttp import web

    def __install__(ctx):
        async def auth(request):
            return ctx.error_auth_required

        async def raises(request):
            raise ValueError("no luck")

        async def full(request):
            raise web.HTTPInsufficientStorage(text="no room")

        async def elsewhere(request):
            raise web.HTTPFound("/ext/myext/dict")

        ctx.add_get("auth", auth)
        ctx.add_get("raises", raises)
        ctx.add_get("full", full)
        ctx.add_get("elsewhere", elsewhere)
        ctx.add_get("dict", lambda request: {"sync": True})
        ctx.add_get("list", lambda request: [1, 2])
        ctx.add_get("forbidden", lambda request: ctx.create_error_response("Not you", "Forbidden"))
        ctx.add_get("lost", lambda request: ctx.create_error_response("Gone", "NotFound"))
        ctx.add_get("other", lambda request: ctx.create_error_response("Odd", "Odd"))
        ctx.add_get("nothing", lambda request: None)
"""


@pytest.fixture
async def answers(write: Write) -> AsyncIterator[TestServer]:
    async with make_app(write(ANSWERS)) as server:
        yield server


@pytest.mark.parametrize(("path", "body"), [("dict", {"sync": True}), ("list", [1, 2])])
async def test_a_handler_may_be_sync_and_return_json(answers: TestServer, path: str, body: Any) -> None:
    answer = await answers.get(f"/ext/myext/{path}")
    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize(
    ("path", "expected", "code"),
    [
        ("auth", 401, "Unauthorized"),
        ("forbidden", 403, "Forbidden"),
        ("lost", 404, "NotFound"),
        ("other", 500, "Odd"),
        ("raises", 500, "Error"),
        ("full", 507, "InsufficientStorage"),
        ("nothing", 500, "Error"),
    ],
)
async def test_an_error_has_the_status_of_its_code(answers: TestServer, path: str, expected: int, code: str) -> None:
    answer = await answers.get(f"/ext/myext/{path}")
    assert (answer.status, answer.body["responseStatus"]["errorCode"]) == (expected, code)


async def test_what_a_handler_raises_is_told_without_its_stack(answers: TestServer) -> None:
    told = (await answers.get("/ext/myext/raises")).body["responseStatus"]
    assert told == {"errorCode": "Error", "message": "no luck"}


async def test_of_a_verbose_server_it_is_told_with_its_stack(write: Write) -> None:
    def verbose(ctx: Any) -> None:
        ctx._app.verbose = True  # what `--verbose` does

    async with make_app(verbose, write(ANSWERS)) as server:
        answer = await server.get("/ext/myext/raises")
        assert "ValueError: no luck" in answer.body["responseStatus"]["stackTrace"]


async def test_a_redirect_passes(answers: TestServer) -> None:
    assert (await answers.get("/ext/myext/elsewhere")).body == {"sync": True}


# -- files -------------------------------------------------------------------------------------------------------

STATIC = """
    import os

    def __install__(ctx):
        # Serve files from ./ui directory at /ext/myext/*
        ext_dir = os.path.join(os.path.dirname(__file__), "public")
        ctx.add_static_files(ext_dir)
        ctx.add_get("own.json", lambda request: {"from": "route"})
"""


@pytest.fixture
async def files(write: Write, tmp_path: Path) -> AsyncIterator[TestServer]:
    """An extension that serves a folder, in which a link leads out of it."""
    folder = write(
        STATIC,
        files={
            "public/index.mjs": "export default {}",
            "public/lib/data.json": '{"a": 1}',
            "public/own.json": '{"from": "file"}',
        },
    )
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "public/link.txt").symlink_to(tmp_path / "secret.txt")
    async with make_app(folder) as server:
        yield server


async def test_static_files_are_served_below_the_prefix(files: TestServer) -> None:
    assert (await files.get("/ext/myext/lib/data.json")).body == {"a": 1}
    module = await files.get("/ext/myext/index.mjs")
    assert (module.status, module.headers["Content-Type"].partition(";")[0]) == (200, "text/javascript")


async def test_an_extensions_routes_win_over_its_files(files: TestServer) -> None:
    assert (await files.get("/ext/myext/own.json")).body == {"from": "route"}


@pytest.mark.parametrize("path", ["absent.txt", "lib", "lib/", "link.txt", "..%2f__init__.py", "%2e%2e/__init__.py"])
async def test_what_is_no_file_in_the_folder_is_not_there(files: TestServer, path: str) -> None:
    url = URL(f"{files.url}/ext/myext/{path}", encoded=True)
    async with files.http.get(url) as answer:
        assert answer.status in (403, 404)
        assert "secret" not in await answer.text()
        assert json.loads(await answer.text())["responseStatus"]["errorCode"] in ("Forbidden", "NotFound")
