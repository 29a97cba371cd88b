"""Files of the cache over HTTP, and every way to get at others, or to have one run in our pages."""

import asyncio
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from llms.testing import TestServer

from .wire import Answer, fetch, get, send


def picture(width: int = 300, height: int = 200, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, kind)
    return buffer.getvalue()


def opened(answer: Answer) -> Image.Image:
    return Image.open(BytesIO(answer.body))


def save(server: TestServer, data: bytes = b"hello", name: str = "hello.txt", **info: str) -> str:
    return server.app.cache.save_bytes(data, name, dict(info))[0]


def write(server: TestServer, place: str, text: str) -> None:
    Path(server.app.cache.path(place)).write_text(text)


# -- the file --------------------------------------------------------------------------------------------


async def test_a_file_comes_with_its_type(server: TestServer) -> None:
    data = picture()
    answer = await fetch(server, "GET", save(server, data, "a.png"))
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, data, "image/png")


async def test_the_record_tells_the_type(server: TestServer) -> None:
    answer = await fetch(server, "GET", save(server, b"a,b", "a.data", type="text/csv"))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


async def test_what_is_named_by_its_content_is_kept_by_browsers(server: TestServer) -> None:
    url = save(server)
    first = await fetch(server, "GET", url)
    assert first.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert (await fetch(server, "GET", url, headers={"If-None-Match": first.headers["etag"]})).status == 304


async def test_what_may_change_is_asked_for_again(server: TestServer) -> None:
    write(server, "notes.txt", "notes")
    answer = await fetch(server, "GET", "/~cache/notes.txt")
    assert (answer.body, answer.headers["cache-control"]) == (b"notes", "private, no-cache")


async def test_a_part_of_a_file_can_be_had(server: TestServer) -> None:
    url = save(server, b"0123456789", "a.mp4")
    answer = await fetch(server, "GET", url, headers={"Range": "bytes=2-4"})
    assert (answer.status, answer.body, answer.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert (await fetch(server, "GET", url, headers={"Range": "bytes=99-"})).status == 416


async def test_head_tells_without_sending(server: TestServer) -> None:
    answer = await fetch(server, "HEAD", save(server))
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "5", b"")


# -- info and download -----------------------------------------------------------------------------------


async def test_info_is_what_was_recorded(server: TestServer) -> None:
    url, info = server.app.cache.save_bytes(picture(), "a.png", {"prompt": "P"}, {"user": "ann"})
    answer = await fetch(server, "GET", f"{url}?info")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == info
    assert (info["prompt"], info["width"]) == ("P", 300)


async def test_info_of_a_file_without_record_is_what_can_be_seen(server: TestServer) -> None:
    write(server, "notes.txt", "notes")
    info = (await fetch(server, "GET", "/~cache/notes.txt?info")).json
    assert (info["name"], info["type"], info["url"]) == ("notes.txt", "text/plain", "/~cache/notes.txt")


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("hello.txt", "hello.txt"),
        ("über uns.txt", "%C3%BCber%20uns.txt"),
        ('a";\r\nX-Evil: 1;.txt', "a%22%3BX-Evil%3A%201%3B.txt"),
    ],
)
async def test_a_download_has_its_own_name(server: TestServer, name: str, header: str) -> None:
    url = save(server, name=name)
    answer = await fetch(server, "GET", f"{url}?download")
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{header}"
    assert "x-evil" not in answer.headers
    shown = await fetch(server, "GET", url)
    assert shown.headers["content-disposition"] == f"inline; filename*=UTF-8''{header}"


# -- previews --------------------------------------------------------------------------------------------


async def test_a_variant_is_a_preview_kept_beside_the_image(server: TestServer) -> None:
    url = save(server, picture(), "a.png")
    answer = await fetch(server, "GET", f"{url}?variant=width=100")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-disposition"].endswith("''a.webp")
    assert "immutable" in answer.headers["cache-control"]
    assert (opened(answer).format, opened(answer).size) == ("WEBP", (100, 67))
    kept = server.app.cache.find(url.replace(".png", "_100w.webp"))
    assert kept is not None
    assert kept.read_bytes() == answer.body


async def test_a_variant_can_be_bounded_on_both_sides(server: TestServer) -> None:
    url = save(server, picture(), "a.png")
    assert opened(await fetch(server, "GET", f"{url}?variant=width=100,height=20")).size == (30, 20)


async def test_many_variants_at_once_are_all_answered(server: TestServer) -> None:
    url = save(server, picture(2000, 1000), "a.png")
    asked = [f"{url}?variant=width={width}" for width in (10, 10, 10, 20, 20, 30)]
    answers = await asyncio.gather(*(fetch(server, "GET", one) for one in asked))
    assert [opened(answer).size[0] for answer in answers] == [10, 10, 10, 20, 20, 30]


@pytest.mark.parametrize("variant", ["", "x", "width=0", "width=-1", "width=9999999999999999999999", "width=5;rm"])
async def test_a_variant_that_means_nothing_is_the_image(server: TestServer, variant: str) -> None:
    data = picture()
    answer = await fetch(server, "GET", f"{save(server, data, 'a.png')}?variant={variant}")
    assert (answer.status, answer.body) == (200, data)


@pytest.mark.parametrize(
    ("data", "name"), [(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg"), (b"no picture", "a.png")]
)
async def test_what_has_no_preview_is_sent_itself(server: TestServer, data: bytes, name: str) -> None:
    answer = await fetch(server, "GET", f"{save(server, data, name)}?variant=width=10")
    assert (answer.status, answer.body) == (200, data)


# -- what must not run -----------------------------------------------------------------------------------

SCRIPT = b"<script>fetch('/config')</script>"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", "text/html"),
        ("a.htm", "text/html"),
        ("a.svg", "image/svg+xml"),
        ("a.svg+xml", "image/svg+xml"),
        ("a.xhtml", "application/xhtml+xml"),
        ("a.xml", "xml"),
        ("a.data", "application/octet-stream"),
    ],
)
async def test_a_page_that_was_uploaded_is_in_a_sandbox(server: TestServer, name: str, kind: str) -> None:
    answer = await fetch(server, "GET", save(server, SCRIPT, name))
    assert kind in answer.headers["content-type"]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "allow-" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "kind", ["text/html", "Text/HTML", "image/svg+xml", "application/xslt+xml", "text/x-unheard-of"]
)
async def test_a_type_that_was_given_is_in_a_sandbox_too(server: TestServer, kind: str) -> None:
    answer = await fetch(server, "GET", save(server, SCRIPT, "a.png", type=kind))
    assert answer.headers["content-security-policy"].startswith("sandbox;")


@pytest.mark.parametrize("name", ["a.js", "a.mjs", "a.css"])
async def test_a_script_or_style_is_plain_text(server: TestServer, name: str) -> None:
    answer = await fetch(server, "GET", save(server, b"alert(1)", name))
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "text/javascript",
            "application/javascript",
            "application/x-javascript",
            "text/javascript1.5",
            "text/jscript",
        ),
        *("application/ecmascript", "text/x-ecmascript", "TEXT/JavaScript", "text/livescript"),
    ],
)
async def test_a_script_by_its_given_type_is_plain_text(server: TestServer, kind: str) -> None:
    answer = await fetch(server, "GET", save(server, b"alert(1)", "a.txt", type=kind))
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("kind", ["text/html\r\nX-Evil: 1", "text", "", "text/html; x"])
async def test_a_broken_type_counts_for_nothing(server: TestServer, kind: str) -> None:
    answer = await fetch(server, "GET", save(server, SCRIPT, "a.txt", type=kind))
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("name", ["a.png", "a.mp3", "a.mp4", "a.pdf", "a.txt", "a.json"])
async def test_what_cannot_run_is_shown_as_it_is(server: TestServer, name: str) -> None:
    answer = await fetch(server, "GET", save(server, b"hello", name))
    assert "content-security-policy" not in answer.headers


async def test_no_other_site_learns_what_is_here(server: TestServer) -> None:
    answer = await fetch(server, "GET", save(server))
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


# -- what is not there, and what is none of ours ---------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *("", "none.png", "ab/none.png", "2c", "2c/", ".", "loop", ".cache.lock", ".hidden/a.txt"),
        *("a" * 4000, "a/" * 2000, "%ff", "none.png?info", "none.png?variant=width=5", "none.png?download"),
    ],
)
async def test_what_is_not_there_is_404_as_json(server: TestServer, path: str) -> None:
    save(server)
    cache = server.app.cache.root
    (cache / "loop").symlink_to(cache / "loop")
    (cache / ".hidden").mkdir()
    (cache / ".hidden" / "a.txt").write_text("hidden")
    answer = await send(server, get(f"/~cache/{path}"))
    assert answer.status == 404
    assert answer.json["responseStatus"]["errorCode"] == "NotFound"


@pytest.mark.parametrize(
    "path",
    [
        *("../llms.json", "%2e%2e/llms.json", "..%2fllms.json", "%2E%2E%2Fllms.json", "a/../../llms.json"),
        *(
            "2c/..%2f..%2fllms.json",
            "/etc/passwd",
            "%2fetc%2fpasswd",
            "out.json",
            "folder/llms.json",
            "a%00b",
            "a%00b/../x",
        ),
        *("../cache-of-others/a.txt", "..%2fcache-of-others%2fa.txt", "..%252fllms.json", "..%5cllms.json"),
    ],
)
async def test_nothing_outside_is_served(server: TestServer, path: str) -> None:
    home = server.app.home.root
    save(server)
    (home / "cache-of-others").mkdir()
    (home / "cache-of-others" / "a.txt").write_text("secret")
    (home / "cache" / "out.json").symlink_to(home / "llms.json")
    (home / "cache" / "folder").symlink_to(home)
    for query in ("", "?info", "?download", "?variant=width=5"):
        answer = await send(server, get(f"/~cache/{path}{query}"))
        assert answer.status in (403, 404)
        assert answer.json["responseStatus"]["errorCode"] in ("Forbidden", "NotFound")


async def test_outside_is_403(server: TestServer) -> None:
    assert (await send(server, get("/~cache/..%2fllms.json"))).status == 403


async def test_nothing_can_be_written_there(server: TestServer) -> None:
    url = save(server)
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        assert (await fetch(server, method, url)).status == 405
