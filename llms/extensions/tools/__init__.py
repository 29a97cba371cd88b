"""The tools there are: which a model may call, what they say when they are called, and those that vendors run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .routes import ToolRoutes
from .store import ServerTools

if TYPE_CHECKING:
    from llms.api import ExtensionContext


def install(ctx: ExtensionContext) -> None:
    server_tools = ServerTools(ctx, bundled=Path(ctx.path, "server-tools.json"))
    routes = ToolRoutes(ctx, server_tools)
    ctx.add_get("", routes.list_tools)
    ctx.add_post("exec/{name}", routes.run_tool)
    ctx.add_get("server", routes.list_server_tools)


__install__ = install
