"""Extensions: which the page loads, how each is doing, its switch and its settings."""

import asyncio
import json
from typing import Any

from aiohttp import web

from llms.host.extension import Extension
from llms.host.settings import Settings
from llms.host.status import status, statuses
from llms.kernel.errors import NotFound, RequestError
from llms.kernel.types import Json
from llms.web.keys import APP, LIVE, SHARED
from llms.web.reply import json_object, json_response

_SWITCHES = ("enable", "disable", "reload")
_SILENCE = 15.0  # seconds after which an event stream says that it is still there


def routes() -> list[web.RouteDef]:
    return [
        web.get("/ext", modules),
        web.get("/ext/status", all_statuses),
        web.get("/ext/events", events),
        web.post("/ext/status/{name}", switch),
        web.get("/ext/{name}/settings", settings),
        web.put("/ext/{name}/settings", change_settings),
    ]


async def modules(request: web.Request) -> web.Response:
    """The entry modules that the page loads, in load order."""
    listed: list[Any] = request.app[SHARED].page.modules
    return json_response([{"id": entry["id"], "path": entry["path"]} for entry in listed if _is_module(entry)])


async def all_statuses(request: web.Request) -> web.Response:
    """Every extension: where it comes from, what it registered, what it cost, and why it is not loaded."""
    return json_response(statuses(request.app[LIVE].host))


async def switch(request: web.Request) -> web.Response:
    """Enables, disables or reloads an extension, now; gives its status."""
    live, name = request.app[LIVE], request.match_info["name"]
    body = await json_object(request)
    wanted = [word for word in _SWITCHES if body.get(word) is True]
    if len(wanted) != 1 or len(body) != 1:
        raise RequestError(
            'The body must be {"enable": true}, {"disable": true} or {"reload": true}. Send one of them.'
        )
    extension = await getattr(live, wanted[0])(name)
    return json_response(status(live.host, extension))


async def settings(request: web.Request) -> web.Response:
    """The settings of an extension: their schema and values; of a secret only that there is one."""
    return json_response(_told(_settings(request)))


async def change_settings(request: web.Request) -> web.Response:
    """Changes some settings, checked against the schema, and tells the extension."""
    found = _settings(request)
    app = request.app[APP]
    await app.change_config(found.change(await json_object(request)))
    app.secrets.add_from(dict(found))
    await app.hooks.settings_changed.run_for(found.name, found)
    return json_response(_told(found))


async def events(request: web.Request) -> web.StreamResponse:
    """What happens in the server, for open pages, as server-sent events, until the client or the server goes."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    watching = request.app[APP].events.watch()
    upcoming = asyncio.ensure_future(anext(watching))
    try:
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=_SILENCE)
            if not done:
                await response.write(b": still here\n\n")
                continue
            try:
                kind, data = upcoming.result()
            except StopAsyncIteration:  # the server stops
                return response
            await response.write(f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode())
            upcoming = asyncio.ensure_future(anext(watching))
    finally:
        upcoming.cancel()


def _is_module(entry: Any) -> bool:
    """Whether `entry` of a list that extensions edit as they like is what they should put into it."""
    texts = [entry.get("id"), entry.get("path")] if isinstance(entry, dict) else [None]
    return all(isinstance(text, str) and text.isprintable() for text in texts)


def _settings(request: web.Request) -> Settings:
    name = request.match_info["name"]
    extension = request.app[LIVE].host.find(name)
    if extension is None or not _has_settings(extension):
        raise NotFound(f"There is no extension '{name}' with settings. `llms ext ls` shows them all.")
    return Settings.of(extension, request.app[APP].config)


def _has_settings(extension: Extension) -> bool:
    return extension.manifest is not None and bool(extension.manifest.settings)


def _told(found: Settings) -> Json:
    return {"schema": found.schema, "values": found.shown()}
