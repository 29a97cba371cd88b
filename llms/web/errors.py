"""Errors as HTTP answers, readable by OpenAI clients and by our own UI."""

import math
import re
import traceback
from collections.abc import Mapping

from aiohttp import web

from llms.kernel import envelopes
from llms.kernel.errors import LlmsError, ProviderError
from llms.kernel.foreign import ExtensionError
from llms.kernel.secrets import Secrets
from llms.kernel.types import Json
from llms.web.reply import json_response


def error_body(error: LlmsError, secrets: Secrets) -> Json:
    """`error` for OpenAI clients, `responseStatus` for our UI and extensions; vendors repeat keys, this does not."""
    message = secrets.mask(error.message)
    told: Json = {"message": message, "type": error.kind, "code": error.code, "param": error.param}
    return {"error": told, **envelopes.create_error_response(message, _envelope_code(error))}


def _envelope_code(error: LlmsError) -> str:
    """A raised HTTP error keeps its own reason; ours are named by their status where extensions know a name for it."""
    by_status = None if isinstance(error, HttpError) else envelopes.CODES.get(error.status)
    return by_status or error.code or "Error"


def respond(error: LlmsError, secrets: Secrets, *, verbose: bool = False) -> web.Response:
    """The answer for `error`, with `Retry-After` where the provider gave one.

    When `verbose`, the author of an extension that raised is shown where it did.
    """
    headers: dict[str, str] = dict(error.headers) if isinstance(error, HttpError) else {}
    if isinstance(error, ProviderError) and error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    body = error_body(error, secrets)
    if verbose and isinstance(error, ExtensionError):
        trace = "".join(traceback.format_exception(error.__cause__ or error))
        body["responseStatus"]["stackTrace"] = secrets.mask(trace)
    return json_response(body, status=error.status, headers=headers)


class HttpError(LlmsError):
    """An error that aiohttp or an extension raised as an HTTP status, with the headers it asks for."""

    def __init__(self, message: str, *, status: int, reason: str, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.code = re.sub(r"\W+", "", reason) or "Error"

    @property
    def kind(self) -> str:  # type: ignore[override]
        return "invalid_request_error" if self.status < 500 else "server_error"


def from_http(exc: web.HTTPException, *, path: str, method: str) -> HttpError:
    """What an HTTPException means, with the fix for those aiohttp itself raises."""
    message = envelopes.plain(exc.text or exc.reason)
    if isinstance(exc, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(exc.allowed_methods))
        message = f"{method} is not allowed at {path}. Use {allowed}."
    elif isinstance(exc, web.HTTPNotFound) and message.startswith("404"):
        message = f"There is nothing at {path}. Check the address."
    kept = {name: value for name, value in exc.headers.items() if not name.lower().startswith("content-")}
    return HttpError(message, status=exc.status, reason=exc.reason, headers=kept)
