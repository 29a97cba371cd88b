"""Uploads: what is kept, how it is called, and what is no upload."""

import asyncio
import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from llms.kernel.types import Json
from llms.testing import TestServer, make_app

from .wire import Answer, fetch, soon

BOUNDARY = "b0undary"
LIMIT = 100_000


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async with make_app(config={"limits": {"client_max_size": LIMIT}}) as server:
        yield server


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, kind)
    return buffer.getvalue()


async def upload(server: TestServer, data: bytes, name: str, field: str = "file") -> Answer:
    form = aiohttp.FormData()
    form.add_field(field, data, filename=name)
    async with server.http.post(f"{server.url}/upload", data=form) as response:
        return Answer(response.status, response.headers, await response.read())


async def post(server: TestServer, body: bytes, kind: str = f"multipart/form-data; boundary={BOUNDARY}") -> Answer:
    return await fetch(server, "POST", "/upload", data=body, headers={"Content-Type": kind})


def part(content: bytes, head: str = 'form-data; name="file"; filename="a.txt"') -> bytes:
    return f"--{BOUNDARY}\r\nContent-Disposition: {head}\r\n\r\n".encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


# -- what is kept ----------------------------------------------------------------------------------------


async def test_an_upload_tells_its_info(server: TestServer) -> None:
    answer = await upload(server, b"hello", "greeting.txt")
    assert answer.status == 200
    info = answer.json
    assert info == {
        "date": info["date"],
        "url": "/~cache/2c/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824.txt",
        "size": 5,
        "type": "text/plain",
        "name": "greeting.txt",
    }
    assert (await fetch(server, "GET", info["url"])).body == b"hello"


async def test_a_large_picture_is_kept_as_webp_that_a_model_takes(server: TestServer) -> None:
    info = (await upload(server, picture(3000, 2000), "big.png")).json
    assert info == {
        "date": info["date"],
        "url": info["url"],
        "size": info["size"],
        "type": "image/webp",
        "name": "big.png",
        "width": 1536,
        "height": 1024,
    }
    assert info["url"].endswith(".webp")
    answer = await fetch(server, "GET", info["url"])
    assert len(answer.body) == info["size"]
    with Image.open(BytesIO(answer.body)) as image:
        assert (image.format, image.size) == ("WEBP", (1536, 1024))
    preview = await fetch(server, "GET", f"{info['url']}?variant=width=100")
    kept = server.app.cache.find(info["url"].replace(".webp", "_100w.webp"))
    assert kept is not None
    assert kept.read_bytes() == preview.body


async def test_the_limits_are_those_of_the_configuration() -> None:
    async with make_app(config={"convert": {"image": {"max_size": "100x100"}}}) as server:
        info = (await upload(server, picture(200, 100), "a.png")).json
    assert (info["width"], info["height"]) == (100, 50)


async def test_a_small_picture_stays_as_it_is(server: TestServer) -> None:
    data = picture(30, 20)
    info = (await upload(server, data, "small.png")).json
    assert (info["type"], info["width"], info["height"]) == ("image/png", 30, 20)
    assert (await fetch(server, "GET", info["url"])).body == data


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg"),
        (b"no picture", "a.png"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "a.png"),
        (b"", "empty.png"),
        (b"\0\1\r\n--b0undar\r\n--" * 5000, "a.bin"),
    ],
)
async def test_what_is_no_picture_stays_as_it_is(server: TestServer, data: bytes, name: str) -> None:
    info = (await upload(server, data, name)).json
    assert (info["name"], info["size"]) == (name, len(data))
    assert (await fetch(server, "GET", info["url"])).body == data


async def test_the_same_upload_has_the_same_url_and_the_name_it_was_given(server: TestServer) -> None:
    first, second = [(await upload(server, b"hello", name)).json for name in ("a.txt", "b.txt")]
    assert second == first | {"name": "b.txt"}


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\\..\\b.exe", "..", "a" * 300 + ".png", "con"])
async def test_whatever_its_name_an_upload_stays_in_the_cache(server: TestServer, name: str) -> None:
    info = (await upload(server, b"hello", name)).json
    assert info["url"].startswith("/~cache/2c/2cf24dba")
    assert not {"/", "\\"} & set(info["name"])
    assert (await fetch(server, "GET", info["url"])).body == b"hello"


async def test_other_fields_are_passed_over(server: TestServer) -> None:
    before = part(b"1", 'form-data; name="count"') + part(b"other", 'form-data; name="other"; filename="o.txt"')
    answer = await post(server, before + part(b"hello") + part(b"second") + END)
    assert (answer.json["size"], answer.json["name"]) == (5, "a.txt")


async def test_a_chat_can_name_what_was_uploaded(server: TestServer) -> None:
    server.provider.models["fake-model"]["modalities"]["input"].append("image")
    url = (await upload(server, picture(30, 20), "a.png")).json["url"]
    content: Any = [{"type": "image_url", "image_url": {"url": url}}]
    reply = await server.chat(messages=[{"role": "user", "content": content}])
    assert reply.status == 200
    sent: Any = server.provider.history[0]["messages"][0]["content"]
    assert sent[0]["image_url"]["url"].startswith("data:image/png;base64,")


async def test_an_upload_is_told_to_those_who_want_to_know() -> None:
    told: asyncio.Queue[Any] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def install(ctx: Any) -> None:
        ctx.register_cache_saved_filter(lambda saved: loop.call_soon_threadsafe(told.put_nowait, saved))

    async with make_app(install) as server:
        info = (await upload(server, b"hello", "a.txt")).json
        assert await soon(told.get()) == {"url": info["url"], "info": info, "user": None}


class Badges:
    """Lets in whoever wears a name."""

    def check_auth(self, request: web.Request) -> tuple[bool, Json | None]:
        session = self.get_session(request)
        return session is not None, session

    def get_session(self, request: web.Request) -> Json | None:
        name = self.get_username(request)
        return {"userName": name} if name else None

    def get_username(self, request: web.Request) -> str | None:
        return request.headers.get("X-Badge")


async def test_an_upload_is_its_users(server: TestServer) -> None:
    server.app.auth.set_provider(Badges())
    infos = []
    for user in ("ann", "bob"):
        server.http.headers["X-Badge"] = user
        infos.append((await upload(server, b"hello", f"{user}.txt")).json)
    assert [(info["name"], info["user"]) for info in infos] == [("ann.txt", "ann"), ("bob.txt", "bob")]
    kept = (await fetch(server, "GET", f"{infos[1]['url']}?info")).json
    assert (kept["name"], kept["user"]) == ("ann.txt", "ann")


async def test_whoever_is_not_signed_in_neither_uploads_nor_reads(server: TestServer) -> None:
    url = (await upload(server, b"hello", "a.txt")).json["url"]
    server.app.auth.set_provider(Badges())
    assert (await upload(server, b"other", "b.txt")).status == 401
    for query in ("", "?info", "?download", "?variant=width=5"):
        assert (await fetch(server, "GET", url + query)).status == 401


# -- what is no upload -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (END, f"multipart/form-data; boundary={BOUNDARY}"),
        (
            part(b"hello", 'form-data; name="image"; filename="a.png"') + END,
            f"multipart/form-data; boundary={BOUNDARY}",
        ),
        (part(b"hello", "form-data") + END, f"multipart/form-data; boundary={BOUNDARY}"),
        (json.dumps({"file": "hello"}).encode(), "application/json"),
    ],
)
async def test_without_a_file_there_is_nothing_to_keep(server: TestServer, body: bytes, kind: str) -> None:
    answer = await post(server, body, kind)
    assert answer.status == 400
    assert answer.message.startswith("No file provided")
    assert answer.json["responseStatus"]["message"].startswith("No file provided")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"hello", f"multipart/form-data; boundary={BOUNDARY}"),
        (part(b"hello"), f"multipart/form-data; boundary={BOUNDARY}"),
        (part(b"hello")[:-7], f"multipart/form-data; boundary={BOUNDARY}"),
        (part(b"hello") + END, "multipart/form-data; boundary=other"),
        (part(b"hello") + END, f"multipart/form-data; boundary={'b' * 80}"),
        (f"--{BOUNDARY}\r\nno header\r\n\r\nx\r\n".encode() + END, f"multipart/form-data; boundary={BOUNDARY}"),
        (f"--{BOUNDARY}\r\n".encode() + b"a" * 50_000, f"multipart/form-data; boundary={BOUNDARY}"),
        (
            f"--{BOUNDARY}\r\nContent-Type: multipart/mixed\r\n\r\n".encode(),
            f"multipart/form-data; boundary={BOUNDARY}",
        ),
    ],
)
async def test_a_broken_upload_is_told_and_keeps_nothing(server: TestServer, body: bytes, kind: str) -> None:
    answer = await post(server, body, kind)
    assert answer.status == 400
    assert not list(server.app.cache.root.rglob("*.txt"))


async def test_an_upload_too_large_is_refused_at_once(server: TestServer) -> None:
    answer = await upload(server, b"x" * (LIMIT + 1), "a.txt")
    assert answer.status == 413
    assert "limits.client_max_size" in answer.message


async def test_an_upload_that_grows_too_large_is_refused(server: TestServer) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield part(b"")[:-2]
        for _ in range(100):
            yield b"x" * (LIMIT // 50)

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    async with server.http.post(f"{server.url}/upload", data=endless(), headers=headers) as response:
        assert response.status == 413
    assert not server.app.cache.root.exists()


async def test_an_upload_that_is_given_up_keeps_nothing(server: TestServer) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.server.port)
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    head = f"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999\r\nContent-Type: {kind}\r\n\r\n"
    writer.write(head.encode() + part(b"hello"))
    await writer.drain()
    writer.close()
    assert (await upload(server, b"other", "b.md")).status == 200
    assert not list(server.app.cache.root.rglob("*.txt"))


async def test_a_full_disk_is_an_error_and_no_half_file(server: TestServer) -> None:
    server.app.cache.root.write_text("a file where the folder should be")
    answer = await upload(server, b"hello", "a.txt")
    assert answer.status == 500
    assert "cannot be written" in answer.message
