"""UI registration: what an extension adds to the page."""

import json
import re
from collections.abc import AsyncIterator

import pytest

from llms.testing import TestServer, make_app

from .conftest import Write

SAMPLES = """
    def __install__(ctx):
        ctx.register_ui_extension("index.mjs")  # Registers /ext/myext/index.mjs
        ctx.add_importmaps({
            "my-lib": "/ext/myext/lib/my-lib.mjs"
        })
        ctx.add_index_header('<link rel="stylesheet" href="/ext/myext/styles.css">')
        ctx.add_index_footer('<script src="/ext/myext/analytics.js"></script>')
"""


@pytest.fixture
async def page(write: Write) -> AsyncIterator[TestServer]:
    async with make_app(write(SAMPLES)) as server:
        yield server


async def test_a_registered_entry_point_is_loaded_by_the_page(page: TestServer) -> None:
    assert (await page.get("/ext")).body == [{"id": "myext", "path": "/ext/myext/index.mjs"}]


async def test_entries_are_added_to_the_pages_import_map(page: TestServer) -> None:
    html = (await page.get("/")).body
    found = re.search(r'<script type="importmap">(.*?)</script>', html, re.DOTALL)
    assert found
    imports = json.loads(found[1])["imports"]
    assert imports["my-lib"] == "/ext/myext/lib/my-lib.mjs"
    assert imports["ctx.mjs"] == "/ui/ctx.mjs"


async def test_a_header_stands_in_the_pages_head(page: TestServer) -> None:
    html = (await page.get("/")).body
    link = '<link rel="stylesheet" href="/ext/myext/styles.css">'
    assert html.index("<head>") < html.index(link) < html.index("</head>")


async def test_a_footer_stands_at_the_end_of_the_pages_body(page: TestServer) -> None:
    html = (await page.get("/")).body
    script = '<script src="/ext/myext/analytics.js"></script>'
    assert html.index("<body") < html.index(script) < html.index("</body>")


async def test_an_entry_point_is_listed_once_however_it_is_registered(write: Write) -> None:
    files = {"ui/index.mjs": "export default { install(ctx) {} }"}
    async with make_app(write(SAMPLES, files=files)) as server:
        assert len((await server.get("/ext")).body) == 1


async def test_extensions_are_listed_in_load_order(write: Write) -> None:
    files = {"ui/index.mjs": "export default {}"}
    async with make_app(write(name="zebra", files=files), write(name="ant", files=files)) as server:
        assert [module["id"] for module in (await server.get("/ext")).body] == ["zebra", "ant"]
