"""What a provider's HTTP answer says when it is not a completion. No I/O."""

import contextlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec

from llms.kernel.errors import ProviderError

# https://platform.claude.com/docs/en/api/errors; gateways pass these on in OpenAI's form too
_STATUS_OF = MappingProxyType(
    {
        "invalid_request_error": 400,
        "authentication_error": 401,
        "billing_error": 402,
        "permission_error": 403,
        "not_found_error": 404,
        "request_too_large": 413,
        "rate_limit_error": 429,
        "api_error": 500,
        "timeout_error": 504,
        "overloaded_error": 529,
    }
)


def decode(body: bytes, *, provider: str) -> dict[str, Any]:
    """The JSON object in `body`; ProviderError if it is anything else."""
    data = _json(body)
    if not isinstance(data, dict):
        raise _not("a JSON object", body, provider)
    return data


def decode_any(body: bytes, *, provider: str) -> Any:
    """The JSON in `body`, whatever it is; ProviderError if it is none."""
    data = _json(body)
    if data is None:
        raise _not("JSON", body, provider)
    return data


def failure(status: int, headers: Mapping[str, str], body: bytes, *, provider: str) -> ProviderError:
    """The error that an answer with `status` means."""
    data = _json(body)
    message = error_text(data) or _status_line(status, body)
    detail = data.get("error") if isinstance(data, dict) else None
    fields = detail if isinstance(detail, dict) else {}
    return ProviderError(
        f"{provider}: {message}{_fix(status)}",
        provider=provider,
        status=status,
        code=_text(fields.get("code")),
        param=_text(fields.get("param")),
        retry_after=retry_after(headers),
    )


def failure_inside(data: Mapping[str, Any], *, provider: str) -> ProviderError | None:
    """The error told inside an answer that began with 200, or None."""
    error = error_inside(data)
    if error is None:
        return None
    fields = error if isinstance(error, dict) else {}
    code = fields.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else _STATUS_OF.get(str(fields.get("type")))
    return ProviderError(
        f"{provider}: {error_text(data) or error_text(error) or error}",
        provider=provider,
        status=status,
        code=_text(code),
    )


def error_inside(data: Mapping[str, Any]) -> Any:
    """The error told inside an answer, as it is told, or None."""
    choices = data.get("choices")
    inside = [c.get("error") for c in choices if isinstance(c, dict)] if isinstance(choices, list) else []
    return next(filter(None, (data.get("error"), *inside)), None)


def error_text(data: Any) -> str | None:
    """The sentence meant for people in an error body, in whichever of the usual places it stands."""
    if isinstance(data, list):
        data = data[0] if data else None
    if isinstance(data, str):
        return data or None
    if not isinstance(data, dict):
        return None
    for key in ("message", "error", "detail", "errors", "msg"):
        if found := error_text(data.get(key)):
            return found
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (seconds or a date; RFC 9110 section 10.2.3)."""
    for name, unit in (("retry-after-ms", 0.001), ("Retry-After", 1.0)):
        value = headers.get(name, "").strip()
        if not value:
            continue
        with contextlib.suppress(ValueError):
            if math.isfinite(seconds := float(value) * unit):
                return max(0.0, seconds)
        try:
            return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):
            continue
    return None


def _json(body: bytes) -> Any:
    """What `body` holds; None where it is no JSON."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _not(expected: str, body: bytes, provider: str) -> ProviderError:
    shown = body[:100].decode("utf-8", "replace").strip() or "an empty body"
    return ProviderError(
        f"{provider} answered with something that is not {expected}: {shown}. Check its `api` URL.", provider=provider
    )


def _status_line(status: int, body: bytes) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    shown = body[:100].decode("utf-8", "replace").strip()
    return f"HTTP {status} {phrase}{': ' + shown if shown else ''}"


def _fix(status: int) -> str:
    if status in (401, 403):
        return " (check this provider's API key)"
    if 300 <= status < 400:
        return " (a redirect is never followed: correct this provider's `api` URL)"
    return ""


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
