"""What the server is and what it is made of. Nothing here tells a secret."""

from aiohttp import web

from llms import __version__
from llms.app import App
from llms.kernel import foreign
from llms.kernel.errors import LlmsError
from llms.kernel.secrets import redact
from llms.kernel.types import Json
from llms.web.keys import APP, LIVE
from llms.web.reply import json_response


def routes() -> list[web.RouteDef]:
    return [web.get("/health", health), web.get("/status", status), web.get("/config", config)]


async def health(_: web.Request) -> web.Response:
    """200 once requests are accepted."""
    return json_response({"status": "ok", "version": __version__})


async def status(request: web.Request) -> web.Response:
    """Which configured providers are live."""
    told = switched(request.app[APP])
    return json_response({"all": sorted(told["enabled"] + told["disabled"]), **told})


async def config(request: web.Request) -> web.Response:
    """What a UI needs to know at its start."""
    app = request.app[APP]
    told: Json = {
        "defaults": _templates(app.config.data),
        "status": switched(app),
        "extensions": [extension.name for extension in request.app[LIVE].host.loaded],
        "requiresAuth": app.auth.is_enabled,
        "providers": [_shown(id, provider) for id, provider in [*app.registry.live.items()]],
    }
    if kind := app.auth.kind:
        told["authType"] = kind
    return json_response(told)


def _templates(config: Json) -> Json:
    """What requests are made of; the headers sent to providers are nobody's business, whatever they are called."""
    templates: Json = redact(config.get("defaults") or {})
    templates.pop("headers", None)
    return templates


def switched(app: App) -> Json:
    """The ids of the providers that can answer, and of those that are configured and cannot."""
    live = app.registry.live
    configured = app.config.data.get("providers") or {}
    return {"enabled": sorted(live), "disabled": sorted(configured.keys() - live.keys())}


def _shown(id: str, provider: object) -> Json:
    """As `_provider`; of one that cannot tell, its id."""
    try:
        told: Json = foreign.call_now(_provider, provider, extension=id)
    except LlmsError:
        return {"id": id}
    return told


def _provider(provider: object) -> Json:
    """A provider's id, the modalities its generators make, and its server tools, where it has any."""
    found: Json = {"id": getattr(provider, "id", "")}
    if modalities := getattr(provider, "modalities", None):
        found["modalities"] = sorted(modalities)
    if tools := getattr(provider, "server_tools", None):
        found["server_tools"] = tools
    return found
