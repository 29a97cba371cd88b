"""JSON in and out."""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from llms.kernel.errors import RequestError, TooLarge, UnsupportedMedia

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def json_response(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=_encode(data), status=status, content_type="application/json", headers=headers)


async def json_object(request: web.Request) -> dict[str, Any]:
    """The request's body, which must be a JSON object. Raises RequestError (400), TooLarge or UnsupportedMedia."""
    if request.body_exists and not is_json(request.content_type):
        raise not_json(request.content_type)
    try:
        data = _decode(await request.read())
    except web.HTTPRequestEntityTooLarge as exc:
        raise TooLarge("The body is too large. Send less, or raise `limits.client_max_size` in llms.json.") from exc
    except web.RequestPayloadError as exc:
        raise RequestError("The body cannot be read: it is not what its Content-Encoding says. Send it plain.") from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise RequestError(f"The body is not valid JSON: {exc}. Correct it and send it again.") from exc
    if not isinstance(data, dict):
        raise RequestError("The body must be a JSON object.")
    return data


def is_json(content_type: str) -> bool:
    """Whether a Content-Type without its parameters, in lower case, is JSON's or one that ends in `+json`."""
    return content_type == "application/json" or content_type.endswith("+json")


def not_json(content_type: str) -> UnsupportedMedia:
    """What a caller is told who sent something else."""
    return UnsupportedMedia(
        f"Content-Type '{content_type or 'missing'}' is not accepted here. Send `Content-Type: application/json`."
    )
