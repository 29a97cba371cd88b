"""What the page asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .store import Prompt, PromptStore

if TYPE_CHECKING:
    from aiohttp import web

    from llms.api import ExtensionContext


class PromptRoutes:
    """One method a route. They read files, so they are sync: the server runs them in a thread."""

    def __init__(self, ctx: ExtensionContext, prompts: PromptStore) -> None:
        self._ctx, self._prompts = ctx, prompts

    def list_prompts(self, request: web.Request) -> list[Prompt]:
        """The prompts of whoever asks."""
        return self._prompts.of(self._ctx.get_username(request))
