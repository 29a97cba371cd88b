"""What the server is and what it is made of. Nothing here tells a secret."""

from aiohttp import web

from llms import __version__
from llms.app import App
from llms.kernel.secrets import redact
from llms.kernel.types import Json
from llms.web.keys import APP, EXTENSIONS
from llms.web.reply import json_response


def routes() -> list[web.RouteDef]:
    return [web.get("/health", health), web.get("/status", status), web.get("/config", config)]


async def health(_: web.Request) -> web.Response:
    """200 once requests are accepted."""
    return json_response({"status": "ok", "version": __version__})


async def status(request: web.Request) -> web.Response:
    """Which configured providers are live."""
    return json_response(_status(request.app[APP]))


async def config(request: web.Request) -> web.Response:
    """What a UI needs to know at its start."""
    app = request.app[APP]
    live = app.registry.live.values()
    return json_response(
        {
            "defaults": _templates(app.config.data),
            "status": {key: value for key, value in _status(app).items() if key != "all"},
            "extensions": request.app[EXTENSIONS],
            "requiresAuth": False,
            "providers": [_provider(provider) for provider in live],
        }
    )


def _templates(config: Json) -> Json:
    """What requests are made of; the headers sent to providers are nobody's business, whatever they are called."""
    templates: Json = redact(config.get("defaults") or {})
    templates.pop("headers", None)
    return templates


def _status(app: App) -> Json:
    enabled = sorted(app.registry.live)
    known = sorted({*(app.config.data.get("providers") or {}), *enabled})
    return {"all": known, "enabled": enabled, "disabled": [id for id in known if id not in enabled]}


def _provider(provider: object) -> Json:
    """A provider's id, the modalities its generators make, and its server tools, where it has any."""
    found: Json = {"id": getattr(provider, "id", "")}
    if modalities := getattr(provider, "modalities", None):
        found["modalities"] = sorted(modalities)
    if tools := getattr(provider, "server_tools", None):
        found["server_tools"] = tools
    return found
