"""File and cache utilities."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from llms.testing import FakeUpstream, TestServer, make_app

from .conftest import Write

B64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="

# -- files -------------------------------------------------------------------------------------------------------


async def test_files_are_read_as_text_and_as_json(write: Write, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("Grüße", "utf-8")
    (tmp_path / "config.json").write_text('{"a": [1]}', "utf-8")
    source = """
        def __install__(ctx):
            content = ctx.text_from_file("/path/to/file.txt")
            data = ctx.json_from_file("/path/to/config.json")
            ctx.add_get("read", lambda request: {"content": content, "data": data})
    """.replace("/path/to", str(tmp_path))
    async with make_app(write(source)) as server:
        assert (await server.get("/ext/myext/read")).body == {"content": "Grüße", "data": {"a": [1]}}


async def test_a_file_that_is_absent_is_none(write: Write) -> None:
    source = """
        def __install__(ctx):
            content = ctx.text_from_file("/path/to/file.txt")
            data = ctx.json_from_file("/path/to/config.json")
            ctx.add_get("read", lambda request: {"content": content, "data": data})
    """
    async with make_app(write(source)) as server:
        assert (await server.get("/ext/myext/read")).body == {"content": None, "data": None}


async def test_download_file_gets_bytes_and_metadata_of_what_is_public(
    ctx: Any, server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def internet(self: Any, url: str) -> tuple[bytes, str, str]:
        return b"%PDF", "application/pdf", "paper"

    monkeypatch.setattr(type(server.app.fetch), "__call__", internet)
    data, info = await ctx.download_file("https://example.org/paper")
    assert data == b"%PDF"
    assert info == {
        "url": "https://example.org/paper",
        "type": "application/pdf",
        "name": "paper.pdf",
        "ext": "pdf",
    }


async def test_download_file_refuses_this_machine(ctx: Any, server: TestServer) -> None:
    with pytest.raises(Exception, match="is not on the public internet"):
        await ctx.download_file(f"{server.url}/health")


async def test_session_download_file_uses_a_session_of_the_extensions_own(
    ctx: Any, fake_upstream: FakeUpstream
) -> None:
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": 'attachment; filename="t.csv"'}
    fake_upstream.enqueue(b"a,b", headers=headers)
    async with aiohttp.ClientSession(headers={"X-Key": "mine"}) as session:
        data, info = await ctx.session_download_file(session, f"{fake_upstream.url}/table")
    assert data == b"a,b"
    assert info == {"url": f"{fake_upstream.url}/table", "type": "text/csv", "name": "t.csv", "ext": "csv"}
    assert fake_upstream.requests[0].headers["X-Key"] == "mine"


async def test_a_download_that_fails_is_an_error(ctx: Any, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_error(404, "gone")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Exception, match="404"):
            await ctx.session_download_file(session, f"{fake_upstream.url}/absent")


def test_read_binary_file_reads_a_path(ctx: Any, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    data, info = ctx.read_binary_file(str(tmp_path / "a.png"))
    assert data == b"\x89PNG"
    assert (info["name"], info["ext"], info["type"]) == ("a.png", "png", "image/png")
    assert {"date", "url"} <= info.keys()


def test_read_binary_file_reads_a_cache_url_with_what_is_known_of_it(ctx: Any) -> None:
    url, info = ctx.save_bytes_to_cache(b"hello", "a.txt", {"note": "n"})
    assert ctx.read_binary_file(url) == (b"hello", info)
    assert info["note"] == "n"


async def test_the_mime_type_of_a_file_is_told_by_its_name(write: Write) -> None:
    source = """
        def __install__(ctx):
            mime = ctx.get_file_mime_type("image.png")  # "image/png"
            ctx.add_get("", lambda request: [mime, ctx.get_file_mime_type("unknown.zzz")])
    """
    async with make_app(write(source)) as server:
        assert (await server.get("/ext/myext")).body == ["image/png", "application/octet-stream"]


# -- the cache ---------------------------------------------------------------------------------------------------

CACHE = """
    def __install__(ctx):
        async def path(request):
            cache_file = ctx.get_cache_path("my_extension/data.json")
            return [cache_file, ctx.get_cache_path()]

        async def save(request):
            b64_data = (await request.json())["data"]
            path, info = ctx.save_image_to_cache(b64_data, "output.png", {"prompt": "..."})
            return {"path": path, "info": info}

        ctx.add_get("path", path)
        ctx.add_post("save", save)
"""


@pytest.fixture
async def cache(write: Write) -> AsyncIterator[TestServer]:
    async with make_app(write(CACHE)) as server:
        yield server


async def test_get_cache_path_is_the_full_path_of_a_place(cache: TestServer) -> None:
    place, root = (await cache.get("/ext/myext/path")).body
    assert root == str(cache.app.home.root / "cache")
    assert place == f"{root}/my_extension/data.json"


async def test_a_saved_image_is_served_and_its_info_is_known(cache: TestServer) -> None:
    saved = (await cache.post("/ext/myext/save", {"data": B64})).body
    info = saved["info"]
    assert (info["prompt"], info["name"], info["type"]) == ("...", "output.png", "image/png")
    assert (info["width"], info["height"], info["size"]) == (1, 1, 70)
    assert info["url"] == saved["path"]
    async with cache.http.get(f"{cache.url}{saved['path']}") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
    assert (await cache.get(f"{saved['path']}?info")).body == info


async def test_an_image_that_is_there_is_not_saved_again(cache: TestServer) -> None:
    first = (await cache.post("/ext/myext/save", {"data": B64})).body
    ctx: Any = cache.host.context("myext")
    url, info = ctx.save_image_to_cache(base64_data=B64, filename="other.png", image_info={"prompt": "another"})
    assert (url, info) == (first["path"], first["info"])
    assert ctx.save_image_to_cache(B64, "other.png", {}, ignore_info=True) == (url, None)


def test_bytes_and_base64_are_the_same_file(ctx: Any) -> None:
    from_bytes, info = ctx.save_bytes_to_cache(bytes_data=b"hello", filename="a.txt", file_info=None)
    assert ctx.save_bytes_to_cache("aGVsbG8=", "a.txt", {"x": 1}) == (from_bytes, info)
    assert (info["size"], info["type"], info["name"]) == (5, "text/plain", "a.txt")


def test_what_is_saved_lies_where_its_url_says(ctx: Any) -> None:
    url, _ = ctx.save_bytes_to_cache(b"hello", "a.txt")
    digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert url == f"/~cache/2c/{digest}.txt"
    assert Path(ctx.get_cache_path(f"2c/{digest}.txt")).read_bytes() == b"hello"
    assert json.loads(next(Path(ctx.get_cache_path("2c")).glob("*.info.json")).read_text())["name"] == "a.txt"


def test_inline_data_of_a_message_moves_to_the_cache(ctx: Any) -> None:
    message: Any = {
        "role": "user",
        "content": [
            {"type": "text", "text": "See"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{B64}"}},
            {"type": "input_audio", "input_audio": {"data": "SUQzIHNvdW5k", "format": "mp3"}},
            {"type": "file", "file": {"file_data": "data:text/plain;base64,aGVsbG8=", "filename": "a.txt"}},
        ],
    }
    ctx.cache_message_inline_data(message)
    text, image, audio, file = message["content"]
    urls = [image["image_url"]["url"], audio["input_audio"]["data"], file["file"]["file_data"]]
    assert text == {"type": "text", "text": "See"}
    assert all(url.startswith("/~cache/") for url in urls)
    assert ctx.read_binary_file(urls[2])[0] == b"hello"
    before = json.dumps(message)
    ctx.cache_message_inline_data(message)
    assert json.dumps(message) == before
