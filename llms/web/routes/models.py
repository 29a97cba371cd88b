"""Which models can be asked: in OpenAI's form below /v1, with every known fact at /models."""

from datetime import UTC, datetime

from aiohttp import web

from llms.kernel.errors import ModelNotFound
from llms.kernel.types import Json, Model
from llms.web.keys import APP
from llms.web.reply import json_response


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v1/models", list_openai),
        web.get("/v1/models/{id:.+}", one_openai),
        web.get("/models", list_all),
    ]


async def list_all(request: web.Request) -> web.Response:
    """Every provider's models, all facts, sorted by id."""
    return json_response(request.app[APP].registry.models())


async def list_openai(request: web.Request) -> web.Response:
    """Each model id once, of the provider that would answer it."""
    return json_response({"object": "list", "data": list(_by_id(request).values())})


async def one_openai(request: web.Request) -> web.Response:
    """One model, by any name a chat may use."""
    name = request.match_info["id"]
    model = _by_id(request).get(name)
    if model is None:
        provider, *_ = await request.app[APP].registry.find(name)
        facts = provider.model_info(name)
        if facts is None:
            raise ModelNotFound(f"Model '{name}' not found. Run `llms ls` to see all.")
        model = _openai(facts, provider.id) | {"id": name}
    return json_response(model)


def _by_id(request: web.Request) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for provider, name, model in request.app[APP].registry.offers():
        found.setdefault(name, _openai(model, provider) | {"id": name})
    for name, model in request.app[APP].registry.aliased():
        found.setdefault(name, _openai(model, "alias") | {"id": name})
    return found


def _openai(model: Model, provider: str) -> Json:
    return {
        "id": model.get("id"),
        "object": "model",
        "created": _epoch(model.get("release_date")),
        "owned_by": provider,
        "name": model.get("name"),
        "demo": bool(model.get("demo")),
    }


def _epoch(date: object) -> int:
    """Seconds since 1970 of a `YYYY-MM-DD` or `YYYY-MM` date; 0 where it is neither."""
    for form in ("%Y-%m-%d", "%Y-%m"):
        try:
            return int(datetime.strptime(str(date), form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    return 0
