"""Reads what a vendor answers at the end of a request."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from llms.kernel.errors import ProviderError
from llms.providers import replies

ErrorFrom = Callable[[int, Mapping[str, str], bytes], ProviderError]
_ENOUGH = 64 * 1024  # bytes of an error's body


async def raise_failure(response: aiohttp.ClientResponse, error_from: ErrorFrom) -> None:
    """Raises what `error_from` makes of an answer that says it failed."""
    if response.status >= 300:
        raise error_from(response.status, response.headers, await _beginning(response))


async def json_body(response: aiohttp.ClientResponse, *, provider: str, error_from: ErrorFrom) -> Any:
    """The JSON in the body. Raises ProviderError where the answer says that it failed, or is no JSON."""
    await raise_failure(response, error_from)
    data = replies.decode_any(await response.read(), provider=provider)
    if isinstance(data, dict) and (error := replies.failure_inside(data, provider=provider)):
        raise error
    return data


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """As much of an error's body as tells what is wrong. Its status counts even where the body breaks off."""
    body = b""
    with contextlib.suppress(TimeoutError, aiohttp.ClientError):
        async for data in response.content.iter_any():
            body += data
            if len(body) > _ENOUGH:
                break
    return body
