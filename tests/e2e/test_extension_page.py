"""What extensions add to the page runs in a real browser, under the page's own policy."""

from pathlib import Path

from playwright.async_api import expect

from llms.testing import make_app

from .conftest import OpenPage

CODE = """
def __install__(ctx):
    ctx.add_importmaps({"shared": "/ext/decorating/shared.mjs"})
    ctx.add_index_header('<script>\\r\\nwindow.header = "a" < "b" && "&amp;"; // </head>\\r\\n</script>')
    ctx.add_index_header("<style>#made { color: rgb(1, 2, 3) }</style>")
    ctx.add_index_footer('<p id="made">Made by hand</p>')
    ctx.add_index_footer('<script type="module">import { word } from "shared"; window.shared = word</script>')
"""


async def test_inline_scripts_styles_and_the_import_map_work(open_page: OpenPage, tmp_path: Path) -> None:
    folder = tmp_path / "decorating"
    (folder / "ui").mkdir(parents=True)
    (folder / "__init__.py").write_text(CODE)
    (folder / "ui/shared.mjs").write_text('export const word = "imported by its name"')
    async with make_app(folder) as server:
        page = await open_page(server)
        await expect(page.locator("#made")).to_have_css("color", "rgb(1, 2, 3)")
        assert await page.evaluate("window.header") == "&amp;"
        await page.wait_for_function("window.shared === 'imported by its name'")
