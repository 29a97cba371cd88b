"""The vendors: their dialects, and what is particular about each that speaks OpenAI's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llms.api import ExtensionContext


def install(ctx: ExtensionContext) -> None:
    from .classes import CLASSES

    for cls in CLASSES:
        ctx.add_provider(cls)


__install__ = install
