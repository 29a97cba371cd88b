"""A library of system prompts, offered in the page: the user's own, everybody's, or the ones that come with llms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .routes import PromptRoutes
from .store import PromptStore

if TYPE_CHECKING:
    from llms.api import ExtensionContext


def install(ctx: ExtensionContext) -> None:
    prompts = PromptStore(ctx, bundled=Path(ctx.path, "ui", "prompts.json"))
    routes = PromptRoutes(ctx, prompts)
    ctx.add_get("prompts.json", routes.list_prompts)


__install__ = install
