"""What the page asks for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from llms.api import NotFound, RequestError

from .store import Schema, ServerTools

if TYPE_CHECKING:
    from llms.api import ExtensionContext

USER = "user"  # who is signed in; never what a caller says


class ToolRoutes:
    """One method a route. Those that are sync read files, in a thread of the server's."""

    def __init__(self, ctx: ExtensionContext, server_tools: ServerTools) -> None:
        self._ctx, self._server_tools = ctx, server_tools

    async def list_tools(self, request: web.Request) -> dict[str, Any]:
        """All tools that run here: `groups` with the names in each, and `definitions`."""
        return self._ctx.get_tools()

    async def run_tool(self, request: web.Request) -> list[dict[str, Any]]:
        """What a tool says to the arguments in the body, and its resources; a failure is such a text too."""
        name = request.match_info["name"]
        definition = self._ctx.get_tool_definition(name)
        if definition is None:
            raise NotFound(f"There is no tool '{name}'. GET {self._ctx.ext_prefix} lists the tools there are.")
        args = known(await arguments(request), definition["function"].get("parameters") or {})
        text, resources = await self._ctx.exec_tool(name, args, user=self._ctx.get_username(request))
        return [*([] if text is None else [{"type": "text", "text": text}]), *resources]

    def list_server_tools(self, request: web.Request) -> list[Schema]:
        """The schemas of the tools that vendors run, as whoever asks has them."""
        return self._server_tools.of(self._ctx.get_username(request))


async def arguments(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body; an empty body has no arguments. Raises RequestError."""
    if not request.body_exists:
        return {}
    if request.content_type != "application/json":  # a page of another site could send a form
        raise web.HTTPUnsupportedMediaType(text="Send the tool's arguments with `Content-Type: application/json`.")
    try:
        args = json.loads(await request.read() or b"{}")
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The arguments are not valid JSON: {error}. Correct them.") from error
    if not isinstance(args, dict):
        raise RequestError("The arguments must be a JSON object with a key for each.")
    return args


def known(args: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Those of `args` that the schema `parameters` has a place for."""
    places = parameters.get("properties") or {}
    takes_any = parameters.get("additionalProperties", False) is not False
    return {key: value for key, value in args.items() if key != USER and (takes_any or key in places)}
