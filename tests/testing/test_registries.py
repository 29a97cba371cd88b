"""Registries: what stands in a server, compared with what stood there."""

from collections.abc import Callable
from typing import Any

import pytest

from llms.host.context import ExtensionContext
from llms.main import AuthProvider, OpenAiCompatible
from llms.testing import TestServer, make_app
from llms.testing.registries import Registries


class Custom(OpenAiCompatible):
    sdk = "custom"


class Nothing:
    """A service that does nothing."""


def tool(text: str) -> str:
    """Gives the text back."""
    return text


def handle(*_: Any) -> None: ...


def lend(ctx: ExtensionContext) -> None:
    ctx.threads = Nothing()


def of(server: TestServer) -> Registries:
    assert server.host.shared is not None
    return Registries(server.host.shared)


REGISTRATIONS: dict[str, Callable[[Any], Any]] = {
    "added route GET /ext/mine/here": lambda ctx: ctx.add_get("here", handle),
    "added files under /ext/mine": lambda ctx: ctx.add_static_files("files"),
    "added chat_request handler handle of mine": lambda ctx: ctx.register_chat_request_filter(handle),
    "added tool tool": lambda ctx: ctx.register_tool(tool),
    "added tool group social: tool": lambda ctx: ctx.register_tool(tool, group="social"),
    "added provider class Custom": lambda ctx: ctx.add_provider(Custom),
    "added provider mine, a Nothing": lambda ctx: ctx.get_providers().update(mine=Nothing()),
    "added auth provider AuthProvider": lambda ctx: ctx.set_auth_provider(AuthProvider(ctx.app)),
    'added import map entry mine: "/x.mjs"': lambda ctx: ctx.add_importmaps({"mine": "/x.mjs"}),
    'added page header "<b>"': lambda ctx: ctx.add_index_header("<b>"),
    'added page footer "<i>"': lambda ctx: ctx.add_index_footer("<i>"),
    'added page module {"id": "mine", "path": "/ext/mine/x.mjs"}': lambda ctx: ctx.register_ui_extension("x.mjs"),
    "added page header object": lambda ctx: ctx.app.index_headers.append(object()),
    "added service threads, a Nothing": lend,
    'added aspect ratio 1:9: "64x576"': lambda ctx: ctx.aspect_ratios.update({"1:9": "64x576"}),
    "added request argument mine": lambda ctx: ctx.request_args.update(mine=int),
    'added folders that tools of ann may touch: ["/a"]': lambda ctx: ctx.set_allowed_directories(["/a"], "ann"),
    "added task of mine": lambda ctx: ctx.schedule(handle, every=60),
    'missing import map entry idb: "/ui/lib/idb.min.mjs"': lambda ctx: ctx.app.import_maps.pop("idb"),
}


@pytest.mark.parametrize("told", REGISTRATIONS)
async def test_whatever_can_be_registered_is_seen(told: str) -> None:
    def mine(_: ExtensionContext) -> None: ...

    async with make_app(mine) as server:
        before = of(server)
        assert before.changes(of(server)) == []
        REGISTRATIONS[told](server.host.context("mine"))
        assert told in before.changes(of(server))
        assert told in before.changes_in_words(of(server))


async def test_another_thing_of_the_same_name_is_a_change_but_not_in_words() -> None:
    def mine(ctx: ExtensionContext) -> None:
        ctx.register_tool(tool)

    async with make_app(mine) as server:
        before = of(server)
        ctx: Any = server.host.context("mine")

        def another(text: str) -> str:
            """Gives the text back."""
            return text

        another.__name__ = "tool"
        ctx.register_tool(another)
        assert "added tool tool" in before.changes(of(server))
        assert "missing tool tool" in before.changes(of(server))
        assert before.changes_in_words(of(server)) == []


async def test_what_was_registered_twice_is_seen() -> None:
    def mine(ctx: ExtensionContext) -> None:
        ctx.add_index_header("<b>")

    async with make_app(mine) as server:
        before = of(server)
        ctx: Any = server.host.context("mine")
        ctx.add_index_header("<b>")
        assert before.changes(of(server)) == ['added page header "<b>"']
