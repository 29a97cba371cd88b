"""Routes of extensions: whatever a handler gives back or raises ends as a proper answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from llms.kernel.errors import NotFound
from llms.testing import TestServer, make_app

from .wire import PATIENCE, Answer, fetch

ANSWERED = web.json_response({"once": True})
REDIRECT = web.HTTPFound("/health")


class Shown:
    """One handler for each thing that may be given back or raised."""

    async def response(self, request: web.Request) -> web.Response:
        return web.json_response({"async": True})

    def plain(self, request: web.Request) -> dict[str, Any]:
        return {"path": request.path}

    async def listing(self, request: web.Request) -> list[int]:
        return [1, 2]

    async def deferred(self, request: web.Request) -> Any:
        return await asyncio.sleep(0, {"awaited": True})

    async def raising(self, request: web.Request) -> None:
        raise ValueError("no luck")

    def raising_plain(self, request: web.Request) -> None:
        raise ValueError("no luck")

    async def ours(self, request: web.Request) -> None:
        raise NotFound("There is no such song. Sing another.")

    async def silent(self, request: web.Request) -> None: ...

    async def strange(self, request: web.Request) -> Any:
        return {"when": object()}

    async def again(self, request: web.Request) -> web.Response:
        return ANSWERED

    async def redirect_again(self, request: web.Request) -> None:
        raise REDIRECT

    async def streamed(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"bit by bit")
        await response.write_eof()
        return response

    async def socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(await socket.receive_str())
        return socket

    async def half(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        raise ValueError("no luck half way")

    async def echo(self, request: web.Request) -> dict[str, Any]:
        return {"got": dict(request.match_info), "method": request.method, "query": dict(request.query)}


class View(web.View):
    async def get(self) -> web.Response:
        return web.json_response({"view": True})


shown = Shown()


def install(ctx: Any) -> None:
    for name in (name for name in vars(Shown) if not name.startswith("_")):
        ctx.add_get(name, getattr(shown, name))
    ctx.add_get("view", View)
    ctx.add_get("", shown.listing)
    ctx.add_get("named/{name}", shown.echo)
    ctx.add_get("tail/{path:.*}", shown.echo)
    ctx.add_get(r"number/{id:\d+}", shown.echo)
    ctx.add_get(r"number/{name:[a-z]+}", shown.deferred)
    ctx.add_get("/everywhere", shown.plain)
    ctx.add_get("no-head", shown.plain, allow_head=False)
    for method in ("post", "put", "patch", "delete"):
        getattr(ctx, f"add_{method}")("thing", shown.echo)


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async with make_app(install) as server:
        yield server


async def ask(server: TestServer, path: str, method: str = "GET", **options: Any) -> Answer:
    return await asyncio.wait_for(fetch(server, method, f"/ext/install{path}", **options), PATIENCE)


# -- what handlers give back -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/response", {"async": True}),
        ("/plain", {"path": "/ext/install/plain"}),
        ("/listing", [1, 2]),
        ("", [1, 2]),
        ("/view", {"view": True}),
        ("/deferred", {"awaited": True}),
    ],
)
async def test_handlers_may_be_sync_or_async_and_give_responses_dicts_or_lists(
    server: TestServer, path: str, body: Any
) -> None:
    answer = await ask(server, path)
    assert (answer.status, answer.json) == (200, body)
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    ("code", "status"),
    [("Unauthorized", 401), ("Forbidden", 403), ("NotFound", 404), ("Error", 500), ("Teapot", 500)],
)
async def test_an_error_body_has_the_status_of_its_code(code: str, status: int) -> None:
    def refuse(ctx: Any) -> None:
        ctx.add_get("no", lambda request: ctx.create_error_response("No.", code))

    async with make_app(refuse) as server:
        answer = await fetch(server, "GET", "/ext/refuse/no")
    assert (answer.status, answer.json) == (status, {"responseStatus": {"errorCode": code, "message": "No."}})


async def test_what_the_guides_sample_returns_is_a_401() -> None:
    def guarded(ctx: Any) -> None:
        ctx.add_get("mine", lambda request: ctx.error_auth_required)

    async with make_app(guarded) as server:
        answer = await fetch(server, "GET", "/ext/guarded/mine")
    assert answer.status == 401
    assert answer.json["responseStatus"] == {"errorCode": "Unauthorized", "message": "Authentication required"}


async def test_a_handler_may_stream(server: TestServer) -> None:
    assert (await ask(server, "/streamed")).body == b"bit by bit"


async def test_a_handler_may_speak_over_a_web_socket(server: TestServer) -> None:
    async with server.http.ws_connect(f"{server.url}/ext/install/socket") as socket:
        await socket.send_str("echo")
        assert await socket.receive_str() == "echo"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/silent", "answered GET /ext/install/silent with NoneType. Return a web.Response, a dict or a list."),
        ("/strange", "answered GET /ext/install/strange with what is no JSON"),
    ],
)
async def test_what_is_no_answer_is_a_500_that_says_whose_fault_it_is(server: TestServer, path: str, why: str) -> None:
    answer = await ask(server, path)
    assert answer.status == 500
    assert f"Extension 'install' {why}" in answer.message


@pytest.mark.parametrize(("path", "status"), [("/again", 200), ("/redirect_again", 302)])
async def test_a_response_that_is_given_twice_is_an_error_not_a_silence(
    server: TestServer, path: str, status: int
) -> None:
    async def once() -> int:
        async with server.http.get(f"{server.url}/ext/install{path}", allow_redirects=False) as response:
            return response.status

    assert [await asyncio.wait_for(once(), PATIENCE) for _ in range(2)] == [status, 500]
    assert "another request has had" in str(server.app.hooks.accounts.of("install").last_error)


# -- what handlers raise -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/raising", "/raising_plain"])
async def test_what_a_handler_raises_is_a_500_counted_against_its_extension(server: TestServer, path: str) -> None:
    answer = await ask(server, path)
    assert (answer.status, answer.json["responseStatus"]) == (500, {"errorCode": "Error", "message": "no luck"})
    assert answer.json["error"]["type"] == "extension_error"
    account = server.app.hooks.accounts.of("install")
    assert (account.errors, account.last_error) == (1, "no luck")


async def test_the_log_names_the_extension_and_the_line(server: TestServer, caplog: pytest.LogCaptureFixture) -> None:
    await ask(server, "/raising")
    (record,) = [record for record in caplog.records if record.name == "llms.ext.install"]
    assert record.getMessage() == "GET /ext/install/raising: 500 no luck"
    assert record.exc_info is not None and isinstance(record.exc_info[1], ValueError)


async def test_an_error_of_ours_keeps_its_status(server: TestServer) -> None:
    answer = await ask(server, "/ours")
    assert (answer.status, answer.message) == (404, "There is no such song. Sing another.")


async def test_an_answer_that_broke_half_way_is_cut_off_and_the_next_one_is_whole(server: TestServer) -> None:
    with pytest.raises(Exception, match=r"payload|disconnected|closed|Connection"):
        await ask(server, "/half")
    assert (await ask(server, "/listing")).json == [1, 2]


KINDS = {
    "forbidden": (web.HTTPForbidden(text="Not you."), 403, "Forbidden", "Not you."),
    "not_found": (web.HTTPNotFound(), 404, "NotFound", "There is nothing at"),
    "conflict": (
        web.HTTPConflict(reason="Taken Already", text='{"message": "It is taken."}'),
        409,
        "TakenAlready",
        "It is taken.",
    ),
    "unavailable": (web.HTTPServiceUnavailable(text="Later."), 503, "ServiceUnavailable", "Later."),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["raised", "returned"])
@pytest.mark.parametrize("form", ["sync", "async"])
async def test_an_http_error_keeps_its_status_reason_and_text(kind: str, how: str, form: str) -> None:
    error, status, code, message = KINDS[kind]

    def sync(request: web.Request) -> Any:
        if how == "raised":
            raise error
        return error

    async def handler(request: web.Request) -> Any:
        return sync(request)

    def failing(ctx: Any) -> None:
        ctx.add_get("no", handler if form == "async" else sync)

    async with make_app(failing) as server:
        answer = await fetch(server, "GET", "/ext/failing/no")
    assert answer.status == status
    assert answer.json["responseStatus"]["errorCode"] == code
    assert message in answer.json["responseStatus"]["message"]


@pytest.mark.parametrize("how", ["raised", "returned"])
async def test_a_redirect_is_one(how: str) -> None:
    async def move(request: web.Request) -> Any:
        moved = web.HTTPFound("/elsewhere", headers={"Set-Cookie": "a=b"})
        if how == "raised":
            raise moved
        return moved

    def moving(ctx: Any) -> None:
        ctx.add_get("/move", move)

    async with (
        make_app(moving) as server,
        server.http.get(f"{server.url}/move", allow_redirects=False) as response,
    ):
        assert (response.status, response.headers["Location"]) == (302, "/elsewhere")
        assert response.headers["Set-Cookie"] == "a=b"


# -- which route answers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_every_method_has_its_route(server: TestServer, method: str) -> None:
    assert (await ask(server, "/thing?a=1", method)).json == {"got": {}, "method": method, "query": {"a": "1"}}


@pytest.mark.parametrize(
    ("path", "got"),
    [
        ("/named/a%20b", {"name": "a b"}),
        ("/tail/a/b%20c/", {"path": "a/b c/"}),
        ("/tail/", {"path": ""}),
        ("/number/12", {"id": "12"}),
    ],
)
async def test_patterns_are_matched_and_decoded(server: TestServer, path: str, got: Any) -> None:
    assert (await ask(server, path)).json["got"] == got


async def test_two_patterns_at_one_place_differ_by_what_they_match(server: TestServer) -> None:
    assert (await ask(server, "/number/twelve")).json == {"awaited": True}
    assert (await ask(server, "/number/%C3%A9")).status == 404


async def test_a_path_with_a_slash_in_front_is_the_servers(server: TestServer) -> None:
    assert (await fetch(server, "GET", "/everywhere")).json == {"path": "/everywhere"}
    assert (await ask(server, "/everywhere")).status == 404


async def test_head_is_answered_without_a_body(server: TestServer) -> None:
    answer = await ask(server, "/response", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "15"


async def test_options_of_a_route_go_to_the_router(server: TestServer) -> None:
    assert (await ask(server, "/no-head", "HEAD")).status == 405


async def test_a_method_without_a_route_is_told_which_there_are(server: TestServer) -> None:
    answer = await ask(server, "/thing", "GET")
    assert answer.status == 405
    assert answer.headers["allow"] == "DELETE,PATCH,POST,PUT"
    assert answer.message == "GET is not allowed at /ext/install/thing. Use DELETE, PATCH, POST, PUT."


@pytest.mark.parametrize("path", ["/ext/install/nothing", "/ext/nobody", "/ext/install//listing", "/nothing"])
async def test_where_there_is_no_route_there_is_nothing(server: TestServer, path: str) -> None:
    answer = await fetch(server, "GET", path)
    assert (answer.status, answer.message) == (404, f"There is nothing at {path}. Check the address.")


async def test_two_extensions_may_give_their_routes_one_name() -> None:
    def first(ctx: Any) -> None:
        ctx.add_get("a", shown.listing, name="same")
        ctx.add_get("b", shown.listing, name="same")

    def second(ctx: Any) -> None:
        ctx.add_get("a", shown.plain, name="same")

    async with make_app(first, second) as server:
        assert (await fetch(server, "GET", "/ext/first/b")).json == [1, 2]
        assert (await fetch(server, "GET", "/ext/second/a")).json == {"path": "/ext/second/a"}


async def test_an_extension_answers_for_its_own_settings_itself() -> None:
    def own(ctx: Any) -> None:
        ctx.add_get("settings", lambda request: {"mine": True})

    async with make_app(own) as server:
        assert (await fetch(server, "GET", "/ext/own/settings")).json == {"mine": True}


# -- sign-in -----------------------------------------------------------------------------------------------------


class Closed:
    """An auth provider that knows nobody."""

    def check_auth(self, request: web.Request) -> tuple[bool, None]:
        return False, None

    def get_session(self, request: web.Request) -> None:
        return None

    def get_username(self, request: web.Request) -> None:
        return None


async def test_with_sign_in_only_what_is_public_is_open() -> None:
    def doors(ctx: Any) -> None:
        ctx.set_auth_provider(Closed())
        ctx.add_get("open", shown.listing, public=True)
        ctx.add_get("shut", shown.listing)
        ctx.add_post("shut", shown.echo)

    async with make_app(doors) as server:
        assert (await fetch(server, "GET", "/ext/doors/open")).json == [1, 2]
        assert (await fetch(server, "HEAD", "/ext/doors/shut")).status == 401
        assert (await fetch(server, "POST", "/ext/doors/shut", data=b"{}")).status == 401
        answer = await fetch(server, "GET", "/ext/doors/shut")
    assert (answer.status, answer.json["responseStatus"]["errorCode"]) == (401, "Unauthorized")
