"""POST /v1/embeddings (https://platform.openai.com/docs/api-reference/embeddings/create)."""

from typing import cast

from aiohttp import web

from llms.chat.embeddings import embedded
from llms.kernel.types import Context
from llms.web.keys import APP
from llms.web.middleware import REQUEST_ID
from llms.web.reply import json_object, json_response
from llms.web.routes.chat import answered_by


def routes() -> list[web.RouteDef]:
    return [web.post("/v1/embeddings", create)]


async def create(request: web.Request) -> web.Response:
    """A vector for each text of `input`."""
    app = request.app[APP]
    answer, by, attempts = await embedded(
        await json_object(request),
        app.pipeline.routing,
        rounds=app.config.limits.retries,
        request_id=request[REQUEST_ID],
    )
    context = {"provider": by.id, "modelInfo": {"id": by.upstream}, "attempts": attempts}
    return json_response(answer, headers=answered_by(cast(Context, context)))
