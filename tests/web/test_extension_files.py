"""Files of extensions, and every way to ask for one that is not among them."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llms.testing import TestServer, make_app

from .wire import fetch, get, send

SECRET = "outside, and nobody's business"
ATTACKS = [
    *("../secret.txt", "./../secret.txt", "deep/../../secret.txt", "../ui-secret.txt", "../ui-beside/secret.txt"),
    *("%2e%2e/secret.txt", "..%2fsecret.txt", "%2e%2e%2fsecret.txt", "deep/%2e%2e/%2e%2e/secret.txt", "..;/secret.txt"),
    *("%252e%252e%252fsecret.txt", "..%5csecret.txt", "//etc/passwd", "/etc/passwd", "%2fetc%2fpasswd"),
    *("file:///etc/passwd", "link.txt", "folder-link/secret.txt", "circle", "pipe", "deep", "deep/", "index.mjs/"),
    *("index.mjs/x", "index.mjs%20", "index.mjs%00", "index.mjs%00.txt", "%00", "%ff%fe", "...", "con"),
    *("", "a" * 300, "deep/" * 500),
]


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[TestServer]:
    """A server with an extension `files`, and secrets all around its `ui`."""
    root = tmp_path / "files"
    (root / "ui/deep").mkdir(parents=True)
    (root / "__init__.py").write_text(
        "def __install__(ctx):\n    ctx.add_get('taken.json', lambda request: {'from': 'the route'})\n"
    )
    for name in (
        "index.mjs",
        "style.css",
        "data.json",
        "deep/page.html",
        "pic.svg",
        "taken.json",
        "noext",
        "a b é.txt",
    ):
        (root / "ui" / name).write_text(f"the file {name}")
    for place in (tmp_path / "secret.txt", root / "secret.txt", tmp_path / "ui-secret.txt"):
        place.write_text(SECRET)
    (root / "ui-beside").mkdir()
    (root / "ui-beside/secret.txt").write_text(SECRET)
    (root / "ui/link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "ui/folder-link").symlink_to(tmp_path)
    (root / "ui/circle").symlink_to(root / "ui/circle")
    (root / "ui/inside.txt").symlink_to(root / "ui/data.json")
    os.mkfifo(root / "ui/pipe")
    async with make_app(root) as server:
        yield server


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("index.mjs", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("data.json", "application/json"),
        ("deep/page.html", "text/html; charset=utf-8"),
        ("pic.svg", "image/svg+xml"),
        ("noext", "application/octet-stream"),
    ],
)
async def test_files_have_the_types_that_browsers_insist_on(files: TestServer, name: str, kind: str) -> None:
    answer = await fetch(files, "GET", f"/ext/files/{name}")
    assert (answer.status, answer.body.decode()) == (200, f"the file {name}")
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == (kind, "nosniff")


async def test_names_may_have_spaces_and_accents(files: TestServer) -> None:
    assert (await fetch(files, "GET", "/ext/files/a%20b%20%C3%A9.txt")).status == 200


async def test_a_file_that_has_not_changed_is_not_sent_again(files: TestServer) -> None:
    first = await fetch(files, "GET", "/ext/files/index.mjs")
    assert first.headers["cache-control"] == "no-cache"
    again = await fetch(files, "GET", "/ext/files/index.mjs", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


async def test_a_link_that_stays_inside_is_followed(files: TestServer) -> None:
    assert (await fetch(files, "GET", "/ext/files/inside.txt")).body == b"the file data.json"


async def test_a_route_wins_over_a_file(files: TestServer) -> None:
    assert (await fetch(files, "GET", "/ext/files/taken.json")).json == {"from": "the route"}


async def test_files_are_there_to_be_read(files: TestServer) -> None:
    assert (await fetch(files, "HEAD", "/ext/files/index.mjs")).status == 200
    answer = await fetch(files, "POST", "/ext/files/index.mjs", data=b"{}")
    assert (answer.status, answer.headers["allow"]) == (405, "GET,HEAD")


@pytest.mark.parametrize("path", ATTACKS)
async def test_whatever_leads_out_or_to_no_file_is_a_404(files: TestServer, path: str) -> None:
    answer = await send(files, get(f"/ext/files/{path}"))
    assert SECRET.encode() not in answer.body and b"root:" not in answer.body
    assert answer.status == 404
    assert str(Path(files.app.home.root).parent).encode() not in answer.body


async def test_the_code_of_an_extension_is_not_served(files: TestServer) -> None:
    for name in ("__init__.py", "ui/index.mjs", "extension.toml"):
        assert (await fetch(files, "GET", f"/ext/files/{name}")).status == 404


async def test_a_file_that_comes_later_is_served_and_one_that_goes_is_gone(files: TestServer) -> None:
    folder = files.host.find("files").path / "ui"  # type: ignore[union-attr]
    (folder / "late.json").write_text("{}")
    assert (await fetch(files, "GET", "/ext/files/late.json")).status == 200
    (folder / "late.json").unlink()
    assert (await fetch(files, "GET", "/ext/files/late.json")).status == 404
