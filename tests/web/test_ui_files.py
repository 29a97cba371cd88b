"""The page and its files, and every way to ask for a file that is not one of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from llms.testing import TestServer

from .wire import fetch, get, send

SECRET = "export const secret = 'outside';"


@pytest.fixture
def ui(server: TestServer, tmp_path: Path) -> Path:
    """A folder `ui` that stands for the packaged one, with files around it that look as if they could be served."""
    folder = tmp_path / "package" / "ui"
    (folder / "parts").mkdir(parents=True)
    (folder / "app.mjs").write_text("export {};")
    (folder / "parts" / "part.mjs").write_text("export {};")
    (folder / "notes.txt").write_text("not for browsers")
    (tmp_path / "package" / "secret.mjs").write_text(SECRET)
    (tmp_path / "package" / "ui-secret.mjs").write_text(SECRET)
    server.app.home = replace(server.app.home, package=tmp_path / "package")
    return folder


async def test_the_page_is_html(server: TestServer) -> None:
    answer = await fetch(server, "GET", "/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert b"<title>llms</title>" in answer.body


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/ui/chat.mjs", "text/javascript; charset=utf-8"),
        ("/ui/app.css", "text/css; charset=utf-8"),
        ("/ui/fav.svg", "image/svg+xml"),
    ],
)
async def test_a_file_has_the_type_browsers_insist_on(server: TestServer, path: str, kind: str) -> None:
    answer = await fetch(server, "GET", path)
    assert answer.status == 200
    assert answer.headers["content-type"] == kind


async def test_a_file_the_browser_has_already_is_not_sent_again(server: TestServer) -> None:
    first = await fetch(server, "GET", "/ui/app.css")
    again = await fetch(server, "GET", "/ui/app.css", headers={"If-None-Match": first.headers["etag"]})
    assert again.status == 304
    assert first.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/ui/app.mjs", "/ui/parts/part.mjs", "/ui/parts/../app.mjs"])
@pytest.mark.usefixtures("ui")
async def test_a_file_in_the_folder_is_served(server: TestServer, path: str) -> None:
    assert (await send(server, get(path))).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/ui/../secret.mjs",
        "/ui/../ui-secret.mjs",
        "/ui/%2e%2e/secret.mjs",
        "/ui/%2E%2E%2Fsecret.mjs",
        "/ui/..%2fsecret.mjs",
        "/ui/..%252fsecret.mjs",
        "/ui/parts/../../secret.mjs",
        "/ui/..\\secret.mjs",
        "/ui/..%5csecret.mjs",
        "/ui/....//secret.mjs",
        "/ui/app.mjs%00.txt",
        "/ui/..%2fsecret.mjs%00",
        "/ui/%00.mjs",
        "/ui/%ff.mjs",
        "/ui/app.mjs/../../secret.mjs",
        "/ui/" + "a" * 4000 + ".mjs",
        "/ui/" + "a/" * 2000 + "a.mjs",
        "/ui/parts",
        "/ui/parts/",
        "/ui/.",
        "/ui/..",
        "/ui/notes.txt",
        "/ui//app.mjs",
        "/ui/http://evil.example/app.mjs",
    ],
)
@pytest.mark.usefixtures("ui")
async def test_what_is_no_file_of_the_folder_is_404(server: TestServer, path: str) -> None:
    answer = await send(server, get(path))
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"


async def test_an_absolute_path_leads_nowhere(server: TestServer, ui: Path) -> None:
    secret = ui.parent / "secret.mjs"
    for path in (f"/ui/{secret}", f"/ui/%2f{str(secret)[1:]}"):
        assert (await send(server, get(path))).status == 404


async def test_a_link_that_leads_outside_is_not_followed(server: TestServer, ui: Path) -> None:
    (ui / "link.mjs").symlink_to(ui.parent / "secret.mjs")
    (ui / "out").symlink_to(ui.parent)
    for path in ("/ui/link.mjs", "/ui/out/secret.mjs"):
        assert (await send(server, get(path))).status == 404


async def test_a_link_in_a_circle_is_404(server: TestServer, ui: Path) -> None:
    (ui / "loop.mjs").symlink_to(ui / "loop.mjs")
    assert (await send(server, get("/ui/loop.mjs"))).status == 404
