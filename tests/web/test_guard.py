"""Attacks by pages of other sites, and the requests that must still be let in."""

from collections.abc import Mapping

import pytest

from llms.testing import TestServer, make_app

from .wire import Answer, ask, fetch, get, send

FOREIGN = "http://evil.example"
FORMS = ["application/x-www-form-urlencoded", "text/plain", "text/plain;charset=UTF-8", "text/html", ""]


async def test_a_foreign_host_is_refused_so_that_dns_rebinding_gets_nothing(server: TestServer) -> None:
    answer = await send(server, get("/v1/models", host="evil.example"))
    assert answer.status == 403
    assert "allowed_hosts" in answer.message
    assert answer.json["error"]["type"] == "permission_error"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "notlocalhost",
        "192.168.1.5",
        "8.8.8.8:80",
        "[2001:db8::1]:8000",
        "0.0.0.0",
        "127.0.0.1@evil.example",
        "",
    ],
)
async def test_no_host_that_only_looks_like_ours_is_let_in(server: TestServer, host: str) -> None:
    assert (await send(server, get("/health", host=host))).status == 403


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8000",
        "localhost",
        "localhost:8000",
        "LOCALHOST:8000",
        "LocalHost",
        "localhost.",
        "localhost.:8000",
        "[::1]",
        "[::1]:8000",
        "app.localhost:8000",
    ],
)
async def test_every_way_to_name_this_machine_is_let_in(server: TestServer, host: str) -> None:
    assert (await send(server, get("/health", host=host))).status == 200


async def test_a_request_without_a_host_as_http_1_0_sends_it_is_let_in(server: TestServer) -> None:
    assert (await send(server, b"GET /health HTTP/1.0\r\n\r\n")).status == 200


# -- origins -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [
        FOREIGN,
        "https://evil.example",
        "null",
        "http://localhost:1",
        "http://127.0.0.1",
        "http://127.0.0.1.evil.example",
        "chrome-extension://abcdefghijklmnop",
        "file://",
        "",
        "evil",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_page_of_another_origin_is_refused(server: TestServer, method: str, origin: str) -> None:
    answer = await try_as_page(server, method, {"Origin": origin})
    assert answer.status == 403


async def test_an_extension_of_the_browser_is_refused_although_it_names_our_host(server: TestServer) -> None:
    assert (await ask(server, headers={"Origin": server.url.replace("http:", "moz-extension:")})).status == 403


async def try_as_page(server: TestServer, method: str, headers: Mapping[str, str]) -> Answer:
    if method == "POST":
        return await ask(server, headers=headers)
    return await fetch(server, "GET", "/config", headers=headers)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_our_own_page_is_let_in(server: TestServer, method: str) -> None:
    own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    assert (await try_as_page(server, method, own)).status == 200


async def test_our_own_page_behind_a_tls_proxy_is_let_in(server: TestServer) -> None:
    own = {"Origin": server.url.replace("http:", "https:")}
    assert (await ask(server, headers=own)).status == 200


async def test_a_program_without_an_origin_is_let_in(server: TestServer) -> None:
    assert (await ask(server)).status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_browser_that_says_the_page_is_foreign_is_believed(server: TestServer, site: str) -> None:
    answer = await ask(server, headers={"Sec-Fetch-Site": site})
    assert answer.status == 403


async def test_an_address_typed_by_the_user_is_let_in(server: TestServer) -> None:
    assert (await fetch(server, "GET", "/", headers={"Sec-Fetch-Site": "none"})).status == 200


async def test_a_link_on_another_site_may_lead_here(server: TestServer) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await fetch(server, "GET", "/", headers=headers)).status == 200


async def test_a_refused_request_reaches_no_provider() -> None:
    async with make_app() as server:
        await ask(server, headers={"Origin": FOREIGN})
        assert server.provider.history == []


# -- content types -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMS)
async def test_what_a_form_of_another_site_can_send_is_415(server: TestServer, kind: str) -> None:
    answer = await ask(server, headers={"Content-Type": kind})
    assert answer.status == 415
    assert "application/json" in answer.message
    assert answer.json["error"]["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"]
)
async def test_json_under_any_of_its_names_is_taken(server: TestServer, kind: str) -> None:
    assert (await ask(server, headers={"Content-Type": kind})).status == 200


# -- names the operator allows -----------------------------------------------------------------------------------


async def test_a_host_the_operator_allows_is_let_in() -> None:
    async with make_app(config={"allowed_hosts": ["Llms.Example"]}) as server:
        assert (await send(server, get("/health", host="llms.example:443"))).status == 200
        assert (await send(server, get("/health", host="other.example"))).status == 403


async def test_the_page_of_a_host_the_operator_allows_is_let_in() -> None:
    async with make_app(config={"allowed_hosts": ["llms.example"]}) as server:
        assert (await ask(server, headers={"Origin": "https://llms.example"})).status == 200
        assert (await ask(server, headers={"Origin": "https://llms.example.evil.example"})).status == 403


# -- listening on every address ----------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["192.168.1.5:8000", "10.0.0.1", "[fe80::1]:8000", "[2001:db8::1]", "127.0.0.1"])
async def test_bound_to_every_address_any_address_may_be_asked_for(host: str) -> None:
    async with make_app(host="0.0.0.0") as server:
        assert (await send(server, get("/health", host=host))).status == 200


async def test_bound_to_every_address_foreign_names_are_still_refused() -> None:
    async with make_app(host="0.0.0.0") as server:
        assert (await send(server, get("/health", host="evil.example"))).status == 403
