"""The border around handlers that are not ours: what they raise still ends as an answer."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from llms.kernel import foreign
from llms.kernel.secrets import Secrets
from llms.web.guard import Guard
from llms.web.middleware import border, sign

Client = TestClient[web.Request, web.Application]


async def unauthorized(_: web.Request) -> web.Response:
    raise web.HTTPUnauthorized(text="Sign in first.", headers={"WWW-Authenticate": "Basic", "X-Extra": "1"})


async def own_words(_: web.Request) -> web.Response:
    raise web.HTTPNotFound(text='{"message": "No such thread."}', reason="No Thread", content_type="application/json")


async def bare(_: web.Request) -> web.Response:
    raise web.HTTPConflict


async def redirected(_: web.Request) -> web.Response:
    raise web.HTTPFound("/elsewhere")


async def broken(_: web.Request) -> web.Response:
    raise KeyError("an inner detail")


async def of_extension(_: web.Request) -> web.Response:
    def raising() -> None:
        raise ValueError("The key sk-0123456789abcdef is wrong.")

    with foreign.border("greeter"):
        raising()
    return web.Response()


async def reset(_: web.Request) -> web.Response:
    raise ConnectionResetError("of some server that the handler asked")


async def half_sent(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"half")
    raise KeyError("an inner detail")


@pytest.fixture
def verbose() -> bool:
    return False


@pytest.fixture
async def client(verbose: bool) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[border(Guard(bound="127.0.0.1"), Secrets(), verbose=verbose)])
    app.on_response_prepare.append(sign)
    for handler in (unauthorized, own_words, bare, redirected, broken, of_extension, reset, half_sent):
        app.router.add_get(f"/{handler.__name__}", handler)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_an_http_error_of_a_handler_keeps_status_words_and_headers(client: Client) -> None:
    response = await client.get("/unauthorized")
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == "Basic"
    assert response.headers["X-Extra"] == "1"
    assert await response.json() == {
        "error": {"message": "Sign in first.", "type": "invalid_request_error", "code": "Unauthorized", "param": None},
        "responseStatus": {"errorCode": "Unauthorized", "message": "Sign in first."},
    }


async def test_an_http_error_keeps_its_own_reason_and_what_its_json_says(client: Client) -> None:
    response = await client.get("/own_words")
    assert response.status == 404
    assert (await response.json())["responseStatus"] == {"errorCode": "NoThread", "message": "No such thread."}


async def test_an_http_error_without_words_is_named_by_its_reason(client: Client) -> None:
    response = await client.get("/bare")
    assert response.status == 409
    assert (await response.json())["responseStatus"]["errorCode"] == "Conflict"


async def test_a_redirect_of_a_handler_goes_through_signed(client: Client) -> None:
    response = await client.get("/redirected", allow_redirects=False)
    assert response.status == 302
    assert response.headers["Location"] == "/elsewhere"
    assert response.headers["Server"] == "llms"


async def test_a_bug_of_a_handler_is_a_500_without_details(client: Client) -> None:
    response = await client.get("/broken")
    assert response.status == 500
    assert "inner detail" not in await response.text()


async def test_an_extension_that_raises_is_told_in_its_own_words(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = await client.get("/of_extension")
    assert response.status == 500
    assert (await response.json())["responseStatus"] == {"errorCode": "Error", "message": "The key *** is wrong."}
    (record,) = (record for record in caplog.records if record.name == "llms.ext.greeter")
    assert record.exc_info is not None, "its author needs to know where"


@pytest.mark.parametrize("verbose", [True])
async def test_when_verbose_the_answer_tells_where_an_extension_raised_and_no_secret(client: Client) -> None:
    trace = (await (await client.get("/of_extension")).json())["responseStatus"]["stackTrace"]
    assert "in raising" in trace
    assert "sk-0123456789abcdef" not in trace


async def test_a_connection_that_a_handler_lost_to_somebody_else_is_a_500(client: Client) -> None:
    response = await client.get("/reset")
    assert response.status == 500


async def test_an_answer_that_breaks_half_way_is_cut_and_not_mixed_with_another(client: Client) -> None:
    response = await client.get("/half_sent")
    with pytest.raises(aiohttp.ClientPayloadError):
        await response.read()


async def test_the_server_goes_on_after_an_answer_that_broke(client: Client) -> None:
    response = await client.get("/half_sent")
    response.close()
    assert (await client.get("/unauthorized")).status == 401
