"""Downloads for extensions: what comes back, how it is called, and where it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from llms.kernel.errors import RequestError
from llms.media.download import MAX_REDIRECTS, download, session_download
from llms.providers.fetch import Fetcher

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def fetch() -> AsyncIterator[Fetcher]:
    """As the server has it, only that this machine counts as the public internet."""
    fetcher = Fetcher(allowed=lambda address: address == "127.0.0.1")
    yield fetcher
    await fetcher.close()


@pytest.fixture
async def site() -> AsyncIterator[str]:
    """A server whose answers its paths tell."""

    async def answer(request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/missing.png":
                raise web.HTTPNotFound
            case "/loop":
                raise web.HTTPFound("/loop")
            case "/moved":
                raise web.HTTPFound("/cat.png")
            case "/huge":
                return web.Response(body=b"x" * 5000)
            case "/untyped":
                return await raw(request, b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + PNG)
            case "/break":
                return await raw(request, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + PNG)
        headers = {"Content-Type": request.query.get("type", "image/png")}
        if name := request.query.get("name"):
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
        return web.Response(body=PNG, headers=headers)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def raw(request: web.Request, answer: bytes) -> web.StreamResponse:
    """Exactly these bytes, and then nothing more."""
    assert request.transport is not None
    request.transport.write(answer)
    request.transport.close()
    raise asyncio.CancelledError


# -- through the guard -----------------------------------------------------------------------------------


async def test_a_download_is_content_and_info(fetch: Fetcher, site: str) -> None:
    url = f"{site}/cat.png?size=5"
    assert await download(fetch, url) == (PNG, {"url": url, "type": "image/png", "name": "cat.png", "ext": "png"})


async def test_a_name_without_extension_gets_the_one_of_its_type(fetch: Fetcher, site: str) -> None:
    _, info = await download(fetch, f"{site}/cat?type=image/jpeg;%20q=1")
    assert (info["name"], info["ext"], info["type"]) == ("cat.jpg", "jpg", "image/jpeg")


async def test_a_download_from_a_private_address_is_refused_and_logged(
    site: str, caplog: pytest.LogCaptureFixture
) -> None:
    fetcher = Fetcher()
    with caplog.at_level(logging.WARNING), pytest.raises(RequestError, match="not on the public internet"):
        await download(fetcher, f"{site}/cat.png?key=secret")
    await fetcher.close()
    assert "cat.png failed" in caplog.text
    assert "secret" not in caplog.text


# -- with a session of one's own -------------------------------------------------------------------------


async def test_a_session_downloads_too(session: aiohttp.ClientSession, site: str) -> None:
    url = f"{site}/a%20cat.png"
    assert await session_download(session, url) == (
        PNG,
        {"url": url, "type": "image/png", "name": "a cat.png", "ext": "png"},
    )


@pytest.mark.parametrize(
    ("query", "name", "ext"),
    [
        ("name=report.pdf", "report.pdf", "pdf"),
        ("name=..%252F..%252Fpasswd.txt", "passwd.txt", "txt"),
        ("name=speech&type=audio/mpeg", "speech.mp3", "mp3"),
        ("type=application/x-unheard-of", "cat.bin", "bin"),
    ],
)
async def test_the_server_tells_the_name(
    session: aiohttp.ClientSession, site: str, query: str, name: str, ext: str
) -> None:
    _, info = await session_download(session, f"{site}/cat?{query}")
    assert (info["name"], info["ext"]) == (name, ext)


async def test_what_comes_without_type_has_the_default(session: aiohttp.ClientSession, site: str) -> None:
    _, info = await session_download(session, f"{site}/untyped", default_mimetype="image/webp")
    assert (info["type"], info["name"]) == ("image/webp", "untyped.webp")


async def test_a_redirect_is_followed_but_not_for_ever(session: aiohttp.ClientSession, site: str) -> None:
    assert (await session_download(session, f"{site}/moved"))[0] == PNG
    with pytest.raises(RequestError, match=f"redirects more than {MAX_REDIRECTS} times"):
        await session_download(session, f"{site}/loop")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/missing.png", "answered with status 404. Check the URL"),
        ("/break", "broke off"),
    ],
)
async def test_a_failed_download_is_logged_and_raised(
    session: aiohttp.ClientSession, site: str, path: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(RequestError, match=message):
        await session_download(session, f"{site}{path}?key=secret")
    assert f"{path} failed" in caplog.text
    assert "secret" not in caplog.text


async def test_too_much_is_refused(session: aiohttp.ClientSession, site: str) -> None:
    with pytest.raises(RequestError, match=r"exceeds .* MB"):
        await session_download(session, f"{site}/huge", max_bytes=4999)
    assert len((await session_download(session, f"{site}/huge", max_bytes=5000))[0]) == 5000


@pytest.mark.parametrize("url", ["", "cat.png", "http://", "ftp://x.example/a", "http://127.0.0.1:1/a"])
async def test_what_cannot_be_reached_is_told(session: aiohttp.ClientSession, url: Any) -> None:
    with pytest.raises(RequestError, match=r"(is no valid URL|cannot be reached)"):
        await session_download(session, url)
