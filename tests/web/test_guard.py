"""Attacks by pages of other sites, and the requests that must still be let in."""

from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from aiohttp.test_utils import TestServer as AioServer

from llms.kernel.secrets import Secrets
from llms.testing import TestServer, make_app
from llms.web.guard import Guard
from llms.web.middleware import border

from .wire import Answer, ask, fetch, get, send

Client = TestClient[web.Request, web.Application]
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


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    "fetch_headers",
    [
        pytest.param({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, id="an image"),
        pytest.param({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, id="a script"),
        pytest.param({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, id="a frame"),
        pytest.param({}, id="a site alone"),
    ],
)
async def test_another_site_may_not_make_our_answers_a_part_of_itself(
    server: TestServer, site: str, fetch_headers: Mapping[str, str]
) -> None:
    headers = {"Sec-Fetch-Site": site, **fetch_headers}
    assert (await fetch(server, "GET", "/models", headers=headers)).status == 403


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


# -- forms -------------------------------------------------------------------------------------------------------

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
FIREFOX_52 = "Mozilla/5.0 (Windows NT 10.0; rv:52.0) Gecko/20100101 Firefox/52.0"
EXPLORER = "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"
OPERA = "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18"
NODE = {"sec-fetch-mode": "cors", "accept-language": "*", "User-Agent": "node"}
form_types = pytest.mark.parametrize("kind", [URLENCODED, "Application/X-WWW-Form-URLEncoded;charset=utf-8", MULTIPART])


async def greeted(request: web.Request) -> web.Response:
    name = (await request.post()).get("name")
    return web.json_response({"result": f"Hello {name!r}"})


@pytest.fixture
async def greeter() -> AsyncIterator[Client]:
    """A handler that takes forms, as the samples for extensions do, behind the border alone."""
    app = web.Application(middlewares=[border(Guard(bound="127.0.0.1"), Secrets())])
    app.router.add_post("/greet", greeted)
    async with TestClient(AioServer(app)) as client:
        yield client


async def send_form(greeter: Client, kind: str, headers: Mapping[str, str]) -> int:
    body = b"name=Ann"
    if kind.startswith("multipart"):
        body = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnn\r\n--b--\r\n'
    response = await greeter.post("/greet", data=body, headers={"Content-Type": kind, **headers})
    if response.status == 200:
        assert await response.json() == {"result": "Hello 'Ann'"}
    return response.status


def own(greeter: Client) -> str:
    return f"http://{greeter.host}:{greeter.port}"


@form_types
@pytest.mark.parametrize("program", [{"User-Agent": "curl/8.5.0"}, {"User-Agent": "python-requests/2.31"}, NODE])
async def test_a_program_may_send_a_form(greeter: Client, kind: str, program: Mapping[str, str]) -> None:
    assert await send_form(greeter, kind, program) == 200


@form_types
async def test_our_own_page_may_send_a_form(greeter: Client, kind: str) -> None:
    browser = {"User-Agent": FIREFOX_52, "Cookie": "llms-token=t", "Referer": f"{own(greeter)}/"}
    assert await send_form(greeter, kind, {**browser, "Origin": own(greeter)}) == 200
    assert await send_form(greeter, kind, {**browser, "Sec-Fetch-Site": "same-origin"}) == 200
    assert await send_form(greeter, kind, {**browser, "Sec-Fetch-Site": "none"}) == 200


@form_types
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": FOREIGN}, id="any browser of today"),
        pytest.param({"Origin": FOREIGN, "Sec-Fetch-Site": "same-origin"}, id="an origin that contradicts the site"),
        pytest.param({"Origin": "null"}, id="a page that hides where it is, or a file"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="a browser that leaves out the origin"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="another server of this machine"),
        pytest.param({"Sec-Fetch-Site": ""}, id="an empty site"),
    ],
)
async def test_a_form_of_another_site_is_refused(greeter: Client, kind: str, headers: Mapping[str, str]) -> None:
    assert await send_form(greeter, kind, {"User-Agent": FIREFOX_52, **headers}) == 403


@form_types
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"User-Agent": FIREFOX_52, "Referer": f"{FOREIGN}/page"}, id="an old browser"),
        pytest.param({"User-Agent": FIREFOX_52}, id="an old browser, on a page with no-referrer"),
        pytest.param({"User-Agent": EXPLORER}, id="Internet Explorer, from https"),
        pytest.param({"User-Agent": OPERA}, id="Opera before it was Chromium"),
        pytest.param({"User-Agent": FIREFOX_52.upper()}, id="in other letters"),
        pytest.param({"User-Agent": FIREFOX_52, "Sec-Fetch-Mode": "navigate"}, id="a mode without a site"),
        pytest.param({"User-Agent": "Private", "Referer": f"{FOREIGN}/page"}, id="a browser that hides its name"),
        pytest.param({"User-Agent": "", "Cookie": "llms-token=t"}, id="whoever brings a cookie"),
        pytest.param({"User-Agent": FIREFOX_52, "Referer": "http://127.0.0.1/"}, id="a referer is no proof"),
    ],
)
async def test_a_form_of_an_old_browser_is_refused_for_its_page_may_be_foreign(
    greeter: Client, kind: str, headers: Mapping[str, str]
) -> None:
    assert await send_form(greeter, kind, headers) == 415


@pytest.mark.parametrize("kind", [URLENCODED, MULTIPART, "text/plain"])
async def test_a_form_without_fields_is_refused_as_one_with_fields(greeter: Client, kind: str) -> None:
    headers = {"Content-Type": kind, "Content-Length": "0", "User-Agent": FIREFOX_52}
    assert (await greeter.post("/greet", headers=headers)).status == 415


async def test_a_program_may_post_nothing_at_all(greeter: Client) -> None:
    response = await greeter.post("/greet", skip_auto_headers=["Content-Type"])
    assert await response.json() == {"result": "Hello None"}


@pytest.mark.parametrize("kind", ["text/plain", "text/plain;application/json", "application/jsonp", "*/*"])
async def test_other_simple_types_are_refused_from_anybody(greeter: Client, kind: str) -> None:
    assert await send_form(greeter, kind, {"User-Agent": "curl/8.5.0"}) == 415


async def test_nobody_answers_when_a_page_asks_whether_it_may(greeter: Client) -> None:
    asks = {"Origin": FOREIGN, "Access-Control-Request-Method": "POST"}
    response = await greeter.options("/greet", headers=asks)
    assert response.status == 403
    assert not [name for name in response.headers if name.lower().startswith("access-control")]


async def test_a_chat_is_no_form_whoever_sends_it(server: TestServer) -> None:
    for kind in (URLENCODED, MULTIPART):
        assert (await ask(server, headers={"Content-Type": kind, "Origin": server.url})).status == 415


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
