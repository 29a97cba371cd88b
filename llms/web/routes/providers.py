"""Providers: which are live, and their switches."""

import logging

from aiohttp import web

from llms.app import App
from llms.kernel import foreign
from llms.kernel.errors import LlmsError, NotFound, RequestError
from llms.kernel.types import Json
from llms.web.keys import APP
from llms.web.reply import json_object, json_response
from llms.web.routes.status import switched

logger = logging.getLogger("llms.web")


def routes() -> list[web.RouteDef]:
    return [web.get("/providers", live), web.post("/providers/{id}", switch)]


async def live(request: web.Request) -> web.Response:
    """Every provider that can answer, with its models and the tools its own servers run."""
    providers = request.app[APP].registry.live.items()
    return json_response([told for id, provider in providers if (told := _told(id, provider)) is not None])


async def switch(request: web.Request) -> web.Response:
    """Turns a provider on or off in llms.json, and tells why one that is on cannot be used."""
    app, id = request.app[APP], request.match_info["id"]
    is_on = _wanted(await json_object(request))
    if id not in (app.config.data.get("providers") or {}) and id not in app.config.catalog:
        raise NotFound(f"Provider '{id}' is not configured. Add it to `providers` in llms.json.")
    await _write(app, id, is_on=is_on)
    why = app.registry.why_not(id, app.config.data, app.config.catalog) if is_on else None
    return json_response({**switched(app), "feedback": why and app.secrets.mask(why)})


async def _write(app: App, id: str, *, is_on: bool) -> None:
    def edit(config: Json) -> None:
        config.setdefault("providers", {}).setdefault(id, {})["enabled"] = is_on

    await app.change_config(edit)


def _wanted(body: Json) -> bool:
    """Whether the provider shall be on. Raises RequestError unless the body says one of the two."""
    if body.get("enable") is True and "disable" not in body:
        return True
    if body.get("disable") is True and "enable" not in body:
        return False
    raise RequestError('The body must be {"enable": true} or {"disable": true}. Send one of them.')


def _told(id: str, provider: object) -> Json | None:
    """What a page shows of a provider. One that cannot tell is left out."""
    try:
        with foreign.border(id):
            return {
                "id": id,
                "name": str(getattr(provider, "name", None) or id),
                "models": dict(getattr(provider, "models", None) or {}),
                "server_tools": list(getattr(provider, "server_tools", None) or ()),
            }
    except LlmsError as error:
        logger.warning("Provider %s cannot tell what it offers: %s", id, error)
        return None
