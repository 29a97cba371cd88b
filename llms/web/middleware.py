"""The one border between requests and everything inside: guard, request id, and errors as answers."""

import asyncio
import logging
import os
import re

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from llms.kernel.errors import LlmsError, RequestError
from llms.kernel.foreign import ExtensionError
from llms.kernel.secrets import Secrets
from llms.web import errors
from llms.web.guard import Guard
from llms.web.stream import ANSWER, AnswerStream

REQUEST_ID = web.RequestKey("request_id", str)
_SENDABLE = re.compile(r"[\w.:-]{1,128}", re.ASCII).fullmatch
logger = logging.getLogger("llms.web")


def border(guard: Guard, secrets: Secrets, *, verbose: bool = False) -> Middleware:
    """The middleware that every request passes, outermost, so that whatever nobody handled still ends as an answer.

    No answer tells one of `secrets`; when `verbose`, it tells where an extension raised.
    """

    @web.middleware
    async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[REQUEST_ID] = _request_id(request)
        try:
            guard.check(request)
            return await handler(request)
        except LlmsError as error:
            return await _answer(request, error, secrets, verbose=verbose)
        except web.HTTPException as exc:
            if exc.status < 400:
                raise
            told = errors.from_http(exc, path=request.path, method=request.method)
            return await _answer(request, told, secrets)
        except ConnectionResetError as exc:
            if not _is_gone(request):
                return await _unexpected(request, exc, secrets)
            raise _hang_up() from exc  # nobody is left to answer
        except RecursionError:
            too_deep = RequestError("The request is nested too deeply. Flatten its JSON.")
            return await _answer(request, too_deep, secrets)
        except Exception as exc:  # the web border: what is not ours is logged whole and told as little as possible
            return await _unexpected(request, exc, secrets)

    return handle


async def sign(request: web.Request, response: web.StreamResponse) -> None:
    """Gives every response, whoever made it, the headers all of ours have. For `on_response_prepare`."""
    response.headers["Server"] = "llms"  # aiohttp would tell its version and Python's
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request_id := request.get(REQUEST_ID):
        response.headers["X-Request-Id"] = request_id


async def _answer(
    request: web.Request, error: LlmsError, secrets: Secrets, *, log: bool = True, verbose: bool = False
) -> web.StreamResponse:
    """`error` as a response of its own, or as the end of a stream that has begun."""
    if log:
        _log(request, error)
    stream: AnswerStream | None = request.get(ANSWER)
    if stream is not None and stream.response.prepared:
        return await stream.fail(error, secrets)
    if request.writer.output_size:  # a second head inside the first response's body would be read as its content
        raise _hang_up() from error
    return errors.respond(error, secrets, verbose=verbose)


async def _unexpected(request: web.Request, exc: Exception, secrets: Secrets) -> web.StreamResponse:
    """The answer to an error that nobody foresaw."""
    request_id = request[REQUEST_ID]
    logger.error("Request %s failed", request_id, exc_info=exc, extra={"request_id": request_id})
    message = f"Internal error. The log tells more under request id {request_id}."
    return await _answer(request, LlmsError(message), secrets, log=False)


def _is_gone(request: web.Request) -> bool:
    """Whether the client has left."""
    return request.transport is None or request.transport.is_closing()


def _hang_up() -> asyncio.CancelledError:
    """What makes aiohttp close the connection without a word; any other error it would log whole."""
    return asyncio.CancelledError()


def _request_id(request: web.Request) -> str:
    """The caller's own id where it is fit for a header and a log line, else a new one."""
    given = request.headers.get("X-Request-Id")
    return given if given and _SENDABLE(given) else os.urandom(16).hex()


def _log(request: web.Request, error: LlmsError) -> None:
    line = f"{request.method} {request.path}: {error.status} {error}".replace("\n", "\\n")  # a caller wrote parts of it
    told = {"request_id": request[REQUEST_ID]}
    if isinstance(error, ExtensionError):  # its author needs to know where
        logging.getLogger(f"llms.ext.{error.extension}").error("%s", line, exc_info=error.__cause__, extra=told)
    else:
        logger.log(logging.WARNING if error.status >= 500 else logging.INFO, "%s", line, extra=told)
