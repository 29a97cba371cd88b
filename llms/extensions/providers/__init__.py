"""The vendors: their dialects, and what is particular about each that speaks OpenAI's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llms.api import ExtensionContext


def install(ctx: ExtensionContext) -> None:
    from .classes import CLASSES
    from .generators.catalog import GENERATORS

    for cls in (*CLASSES, *GENERATORS):
        ctx.add_provider(cls)


__install__ = install
