"""The one border between requests and everything inside: guard, request id, and errors as answers."""

import asyncio
import logging
import re
import uuid

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from llms.kernel.errors import LlmsError, RequestError
from llms.web import errors
from llms.web.guard import Guard
from llms.web.stream import ANSWER, AnswerStream

REQUEST_ID = web.RequestKey("request_id", str)
_SENDABLE = re.compile(r"[\w.:-]{1,128}", re.ASCII).fullmatch
logger = logging.getLogger("llms.web")


def border(guard: Guard) -> Middleware:
    """The middleware that every request passes, outermost, so that whatever nobody handled still ends as an answer."""

    @web.middleware
    async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = request[REQUEST_ID] = _request_id(request)
        try:
            guard.check(request)
            return await handler(request)
        except LlmsError as error:
            return await _answer(request, error)
        except web.HTTPException as exc:
            if exc.status < 400:
                raise
            return await _answer(request, errors.from_http(exc, path=request.path, method=request.method))
        except ConnectionResetError as exc:
            raise _hang_up() from exc  # the client is gone: nobody is left to answer
        except RecursionError:
            return await _answer(request, RequestError("The request is nested too deeply. Flatten its JSON."))
        except Exception as exc:  # the web border: what is not ours is logged whole and told as little as possible
            logger.error("Request %s failed", request_id, exc_info=exc, extra={"request_id": request_id})
            message = f"Internal error. The log tells more under request id {request_id}."
            return await _answer(request, LlmsError(message), log=False)

    return handle


async def sign(request: web.Request, response: web.StreamResponse) -> None:
    """Gives every response, whoever made it, the headers all of ours have. For `on_response_prepare`."""
    response.headers["Server"] = "llms"  # aiohttp would tell its version and Python's
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request_id := request.get(REQUEST_ID):
        response.headers["X-Request-Id"] = request_id


async def _answer(request: web.Request, error: LlmsError, *, log: bool = True) -> web.StreamResponse:
    """`error` as a response of its own, or as the end of a stream that has begun."""
    if log:
        _log(request, error)
    stream: AnswerStream | None = request.get(ANSWER)
    if stream is not None and stream.response.prepared:
        return await stream.fail(error)
    if request.writer.output_size:  # a second head inside the first response's body would be read as its content
        raise _hang_up() from error
    return errors.respond(error)


def _hang_up() -> asyncio.CancelledError:
    """What makes aiohttp close the connection without a word; any other error it would log whole."""
    return asyncio.CancelledError()


def _request_id(request: web.Request) -> str:
    """The caller's own id where it is fit for a header and a log line, else a new one."""
    given = request.headers.get("X-Request-Id")
    return given if given and _SENDABLE(given) else uuid.uuid4().hex


def _log(request: web.Request, error: LlmsError) -> None:
    level = logging.WARNING if error.status >= 500 else logging.INFO
    line = f"{request.method} {request.path}: {error.status} {error}".replace("\n", "\\n")  # a caller wrote parts of it
    logger.log(level, "%s", line, extra={"request_id": request[REQUEST_ID]})
