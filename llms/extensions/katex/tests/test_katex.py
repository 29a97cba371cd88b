"""What the page is given; what it does with that is tested beside this file, in JavaScript."""

import shutil
from pathlib import Path

import pytest

from llms.extensions.katex import BUILT
from llms.testing import make_app

KATEX = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The extension without what is built."""
    copy = tmp_path / "katex"
    shutil.copytree(KATEX, copy, ignore=shutil.ignore_patterns("katex.*", "fonts", "tests", "__pycache__"))
    return copy


@pytest.fixture
def built(folder: Path) -> Path:
    """The extension with files that stand for KaTeX's own."""
    (folder / "ui/fonts").mkdir()
    for name in (*BUILT, "fonts/KaTeX_Main-Regular.woff2"):
        (folder / "ui" / name).write_text(f"/* {name} */", "utf-8")
    return folder


async def test_the_page_can_import_katex_and_has_its_styles(built: Path) -> None:
    async with make_app(built) as server:
        page = await server.get("/")
    assert '"katex": "/ext/katex/katex.min.mjs"' in page.body
    head = page.body.partition("</head>")[0]
    assert '<link rel="stylesheet" href="/ext/katex/katex.min.css">' in head


async def test_the_browser_is_told_of_its_module(built: Path) -> None:
    async with make_app(built) as server:
        listed = await server.get("/ext")
    assert listed.body == [{"id": "katex", "path": "/ext/katex/index.mjs"}]


@pytest.mark.parametrize(
    ("file", "media_type"),
    [
        ("index.mjs", "text/javascript"),
        ("katex.min.mjs", "text/javascript"),
        ("katex.min.css", "text/css"),
        ("fonts/KaTeX_Main-Regular.woff2", "font/woff2"),
    ],
)
async def test_its_files_are_served_from_this_machine(built: Path, file: str, media_type: str) -> None:
    async with make_app(built) as server:
        reply = await server.get(f"/ext/katex/{file}")
    assert reply.status == 200
    assert reply.headers["Content-Type"].partition(";")[0] == media_type


async def test_without_a_build_it_switches_itself_off_and_says_how_to_build(folder: Path) -> None:
    async with make_app(folder) as server:
        page = await server.get("/")
        listed = await server.get("/ext")
        (status,) = (await server.get("/ext/status")).body
    assert listed.body == []
    assert "katex" not in page.body
    assert status["state"] == "disabled"
    assert "katex.min.mjs and katex.min.css missing: install llms again" in status["reason"]
