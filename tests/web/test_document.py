"""The page is one document, whatever extensions put into it, and its policy lets their inline parts run."""

import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from llms.host.page import IMPORT_MAP, Page
from llms.testing import make_app
from llms.web.document import assembled, policy

from .wire import fetch

TEMPLATE = (
    '<head><script type="importmap"></script></head><body><p>A code sample: <code>&lt;/body></code></p></body></html>'
)


def page(headers: Any = (), footers: Any = (), **imports: Any) -> Page:
    made = Page()
    made.headers[:], made.footers[:] = headers, footers
    made.import_maps.update(imports)
    return made


def import_map(html: str) -> dict[str, str]:
    """What a browser reads."""
    found = re.search(r'<script type="importmap">(.*?)</script>', html, re.DOTALL)
    assert found
    imports: dict[str, str] = json.loads(found[1])["imports"]
    return imports


def hashed(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def directive(html: str, name: str) -> list[str]:
    found = [part.split() for part in policy(html).split(";")]
    return next(words[1:] for words in found if words[0] == name)


# -- what goes where ---------------------------------------------------------------------------------------------


def test_the_import_map_is_filled_in() -> None:
    html = assembled(TEMPLATE, page(mine="/ext/mine/index.mjs"))
    assert import_map(html) == {**dict(IMPORT_MAP), "mine": "/ext/mine/index.mjs"}


def test_headers_stand_at_the_end_of_the_head_and_footers_at_that_of_the_body_in_order() -> None:
    html = assembled(
        TEMPLATE, page(["<meta name=a>", "<meta name=b>"], ["<i>1</i>", "<i>2</i>"]), extra="<meta name=c>"
    )
    assert re.search(r"</script><meta name=a>\s*<meta name=b>\s*<meta name=c></head>", html)
    assert re.search(r"</p><i>1</i>\s*<i>2</i></body></html>$", html)


def test_the_end_of_the_head_is_that_of_the_template() -> None:
    tricky = "<script>const end = '</head><body>';</script>"
    html = assembled(TEMPLATE, page([tricky, "<meta name=last>"], ["<!-- </body> -->", "<i>last</i>"]))
    assert html.index(tricky) < html.index("<meta name=last>") < html.index("<p>A code sample")
    assert html.endswith("<i>last</i></body></html>")


def test_a_place_for_the_import_map_in_a_header_is_left_alone() -> None:
    other = '<script type="importmap"></script>'
    html = assembled(TEMPLATE, page([other]))
    assert import_map(html)["vue"] == "/ui/lib/vue.mjs"
    assert html.count(other) == 1


def test_no_entry_of_the_import_map_ends_its_script() -> None:
    url = "</script><script>alert(1)</script><!--"
    html = assembled(TEMPLATE, page(mine=url))
    assert import_map(html)["mine"] == url
    assert "alert(1)</script>" not in html


def test_what_is_no_text_is_left_out() -> None:
    html = assembled(TEMPLATE, page(["<meta name=a>", None, 7], [object(), "<i>1</i>"], mine=object(), other=7))
    assert import_map(html) == dict(IMPORT_MAP)
    assert "<meta name=a>" in html and "<i>1</i>" in html and "object" not in html


def test_what_no_encoding_can_hold_is_replaced() -> None:
    html = assembled(TEMPLATE, page(["<meta name=a content='\ud800'>"], mine="/\ud800"))
    assert html.encode()
    assert "<meta name=a content='?'>" in html


# -- the policy --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", ["let a = 1 < 2 && '&amp;';", "<!-- old -->\n1", "é — ☃", "if (a</b/) {}", "\n"])
def test_an_inline_script_may_run_as_it_stands(script: str) -> None:
    html = assembled(TEMPLATE, page([f"<script>{script}</script>"], [f"<SCRIPT type=module>{script}2</SCRIPT >"]))
    assert directive(html, "script-src") == [
        *("'self'", hashed(html.partition('importmap">')[2].partition("</script>")[0])),
        *(hashed(script), hashed(f"{script}2")),
    ]


def test_line_ends_are_hashed_as_browsers_read_them() -> None:
    html = assembled(TEMPLATE, page(["<script>\r\na\rb\r\n</script>"]))
    assert hashed("\na\nb\n") in directive(html, "script-src")
    assert "\r" not in html


def test_an_inline_style_is_applied() -> None:
    html = assembled(TEMPLATE, page(["<style>body { color: red }</style>"]))
    assert directive(html, "style-src") == ["'self'", hashed("body { color: red }")]


@pytest.mark.parametrize(
    "header", ["<script src=/x.mjs>text</script>", "<p onclick='x()'>", "<!-- <script>x()</script> -->", "x()"]
)
def test_nothing_else_may_run(header: str) -> None:
    assert directive(assembled(TEMPLATE, page([header])), "script-src") == directive(
        assembled(TEMPLATE, page()), "script-src"
    )
    assert "unsafe" not in policy(header)


# -- as it is sent -----------------------------------------------------------------------------------------------


def decorating(ctx: Any) -> None:
    ctx.add_importmaps({"mine": f"{ctx.ext_prefix}/mine.mjs", "vue": "/ext/decorating/vue.mjs"})
    ctx.add_index_header("<script>window.decorated = true</script>")
    ctx.add_index_footer("<p id=footer>Made by hand</p>")


async def test_the_page_has_what_extensions_add_and_a_policy_that_allows_it() -> None:
    async with make_app(decorating) as server:
        answer = await fetch(server, "GET", "/")
    html = answer.body.decode()
    assert (import_map(html)["mine"], import_map(html)["vue"]) == (
        "/ext/decorating/mine.mjs",
        "/ext/decorating/vue.mjs",
    )
    assert html.index("window.decorated") < html.index("</head>") < html.index("id=footer") < html.index("</body>")
    assert hashed("window.decorated = true") in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"] == policy(html)


async def test_a_page_the_browser_has_is_not_sent_again_until_an_extension_changes_it() -> None:
    async with make_app(decorating) as server:
        first = await fetch(server, "GET", "/")
        known = {"If-None-Match": first.headers["etag"]}
        again = await fetch(server, "GET", "/", headers=known)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
        await server.live.disable("decorating")
        changed = await fetch(server, "GET", "/", headers=known)
    assert changed.status == 200
    assert b"footer" not in changed.body and b"window.decorated" not in changed.body
    assert import_map(changed.body.decode()) == dict(IMPORT_MAP)


async def test_in_development_the_page_listens_for_changes() -> None:
    async with make_app(dev=True) as developed, make_app() as plain:
        assert b'src="/ui/dev.mjs"' in (await fetch(developed, "GET", "/")).body
        assert b"dev.mjs" not in (await fetch(plain, "GET", "/")).body


async def test_entry_modules_are_listed_in_load_order(tmp_path: Path) -> None:
    for name in ("b_first", "a_second"):
        (tmp_path / name / "ui").mkdir(parents=True)
        (tmp_path / name / "ui/index.mjs").write_text("export default {}")
    (tmp_path / "no_index/ui").mkdir(parents=True)
    async with make_app(tmp_path / "b_first", tmp_path / "no_index", tmp_path / "a_second") as server:
        assert (await fetch(server, "GET", "/ext")).json == [
            {"id": "b_first", "path": "/ext/b_first/index.mjs"},
            {"id": "a_second", "path": "/ext/a_second/index.mjs"},
        ]


async def test_rubbish_in_the_lists_costs_nobody_the_page() -> None:
    def rubbish(ctx: Any) -> None:
        ctx.app.index_headers.extend([None, "\ud800", object()])
        ctx.app.import_maps["x"] = object()
        ctx.app.ui_extensions.extend([None, {"id": 7}, {"id": "x", "path": "\ud800"}, object()])
        ctx.register_ui_extension("fine.mjs")

    async with make_app(rubbish, decorating) as server:
        assert b"window.decorated" in (await fetch(server, "GET", "/")).body
        assert (await fetch(server, "GET", "/ext")).json == [{"id": "rubbish", "path": "/ext/rubbish/fine.mjs"}]


@pytest.mark.parametrize(
    "register",
    [
        lambda ctx: ctx.add_index_header(7),
        lambda ctx: ctx.add_index_footer(None),
        lambda ctx: ctx.add_importmaps({"x": 7}),
        lambda ctx: ctx.add_importmaps({7: "/x"}),
    ],
)
async def test_what_is_no_text_is_refused_where_it_is_registered(register: Any) -> None:
    def wrong(ctx: Any) -> None:
        register(ctx)

    with pytest.raises(AssertionError, match=r"wrong: .* must be a text, not"):
        async with make_app(wrong):
            pass
