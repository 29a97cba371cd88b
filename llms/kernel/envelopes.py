"""The error body that our UI and extensions read: `{"responseStatus": {"errorCode", "message", "stackTrace"?}}`."""

import json
import traceback
from types import MappingProxyType
from typing import Any

from llms.kernel.errors import RequestError
from llms.kernel.types import Json

CODES = MappingProxyType({401: "Unauthorized", 403: "Forbidden", 404: "NotFound"})  # by HTTP status


def error_message(e: BaseException) -> str:
    """What `e` says to a user: its `message`, else its `status`, else its text; of a JSON object what that says."""
    message = getattr(e, "message", None)
    if isinstance(message, str) and message:
        return plain(message)
    if isinstance(status := getattr(e, "status", None), int):
        return str(status)
    return plain(str(e)) or type(e).__name__


def error_response(e: BaseException, stacktrace: bool = False) -> Json:
    """The error body for `e`, with its stack trace if wanted."""
    code = CODES.get(e.status, "Error") if isinstance(e, RequestError) else "Error"
    trace = "".join(traceback.format_exception(e)) if stacktrace else None
    return create_error_response(error_message(e), code, trace)


def create_error_response(message: str, error_code: str = "Error", stack_trace: str | None = None) -> Json:
    """An error body with these words."""
    status: Json = {"errorCode": error_code, "message": message}
    if stack_trace is not None:
        status["stackTrace"] = stack_trace
    return {"responseStatus": status}


def auth_required() -> Json:
    """What a caller who is not signed in gets. A new one each time: whoever gets it may add to it."""
    return create_error_response("Authentication required", CODES[401])


def status_of(body: object) -> int | None:
    """The HTTP status that an error body asks for by its code; None if `body` is no error body."""
    status = body.get("responseStatus") if isinstance(body, dict) else None
    code = status.get("errorCode") if isinstance(status, dict) else None
    if not code:
        return None
    return next((number for number, name in CODES.items() if name == code), 500)


def plain(text: str) -> str:
    """`text`, or if that is a JSON object with a `message` or an `error`, what it says there."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for key in ("message", "error", "message"):  # an error may itself be an object with a message
        if isinstance(said, dict) and said.get(key):
            said = said[key]
    return said if isinstance(said, str) else text
