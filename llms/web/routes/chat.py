"""POST /v1/chat/completions (https://platform.openai.com/docs/api-reference/chat/create)."""

from contextlib import aclosing
from typing import cast
from urllib.parse import quote

from aiohttp import web

from llms.kernel.errors import RequestError
from llms.kernel.types import Chat, Context, Json
from llms.web.keys import APP
from llms.web.middleware import REQUEST_ID
from llms.web.reply import json_object, json_response
from llms.web.stream import AnswerStream

_OURS = ("threadId", "tools", "nohistory", "nostore", "title")


def routes() -> list[web.RouteDef]:
    return [web.post("/v1/chat/completions", complete)]


async def complete(request: web.Request) -> web.StreamResponse:
    """The answer to a chat: one JSON document, or with `stream` its events."""
    app = request.app[APP]
    chat = cast(Chat, await json_object(request))
    context = _context(request, chat)
    stream, include_usage = chat.get("stream"), _wants_usage(chat)
    if not isinstance(stream, bool | None):
        raise RequestError("`stream` must be true or false.", param="stream")
    if not stream:
        completion = await app.pipeline.answer(chat, context)
        return json_response(completion, headers=answered_by(context))
    answer = AnswerStream(
        request,
        headers=lambda: answered_by(context),
        include_usage=include_usage,
        keep_alive=app.config.limits.keep_alive_interval,
    )
    async with aclosing(app.pipeline.stream(chat, context)) as batches:
        return await answer.relay(batches)


def _context(request: web.Request, chat: Chat) -> Context:
    """What travels with this chat. A caller that names no tools gets none of the server's: it brings its own."""
    metadata = chat.get("metadata")
    if not isinstance(metadata, dict | None):
        raise RequestError("`metadata` must be an object.", param="metadata")
    metadata = metadata or {}
    ours = {key: metadata[key] for key in _OURS if key in metadata}
    context: Json = {
        "chat": chat,
        "request": request,
        "user": request.app[APP].auth.username(request),
        "request_id": request[REQUEST_ID],
        "metadata": metadata,
        "tools": "none",
        **ours,
    }
    return cast(Context, context)


def answered_by(context: Context) -> dict[str, str]:
    """Headers that tell who answers: the provider, its model, and how many attempts that took in all."""
    told = {
        "x-llms-provider": context.get("provider"),
        "x-llms-model": (context.get("modelInfo") or {}).get("id"),
        "x-llms-attempts": cast(Json, context).get("attempts"),
    }
    return {name: _sendable(str(value)) for name, value in told.items() if value}


def _sendable(text: str) -> str:
    """`text` as a header may have it: what is not printable ASCII is escaped as in a URL."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=" /:@")


def _wants_usage(chat: Chat) -> bool:
    options = chat.get("stream_options")
    if not isinstance(options, dict | None):
        raise RequestError("`stream_options` must be an object.", param="stream_options")
    return bool((options or {}).get("include_usage"))
