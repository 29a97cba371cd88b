"""The only line that leaves this machine: one shared connection pool, and foreign errors turned into ours."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType

import aiohttp
from yarl import URL

from llms.kernel.errors import ConfigError, LlmsError, ProviderError, ProviderTimeout, ProviderUnreachable, StreamCut
from llms.kernel.limits import Limits
from llms.providers.proxies import Proxies


class HttpClient:
    """Sends requests to providers over connections it keeps open. Made once and shared; `close()` may be called twice.

    With `socket`, every request goes over that unix socket instead of the network, each on a connection of its own.
    """

    def __init__(self, limits: Limits, *, socket: str | None = None) -> None:
        self.limits = limits
        self._socket = socket
        self._session: aiohttp.ClientSession | None = None
        self._proxies = Proxies() if socket is None else None

    @property
    def limits(self) -> Limits:
        """How long to wait; a change counts from the next request on."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._limits = limits
        self._timeout = aiohttp.ClientTimeout(total=None, connect=limits.connect_timeout)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, opened at first use because it belongs to the running event loop."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=2**18,
                auto_decompress=True,
                trust_env=False,
                requote_redirect_url=False,
            )
        return self._session

    def _connector(self) -> aiohttp.BaseConnector:
        if self._socket is not None:
            return aiohttp.UnixConnector(path=self._socket, force_close=True)
        return aiohttp.TCPConnector(limit=0, keepalive_timeout=60, ttl_dns_cache=300)

    def post(self, url: str | URL, *, headers: Mapping[str, str], body: bytes, provider: str) -> "Exchange":
        """`async with` this: the response as soon as its headers are here. Leaving early closes the connection.

        Raises ProviderTimeout, ProviderUnreachable, StreamCut or ProviderError, also for what fails inside the block.
        """
        return self._exchange("POST", url, headers, body, provider)

    def get(self, url: str | URL, *, headers: Mapping[str, str], provider: str) -> "Exchange":
        """As `post`, for a GET."""
        return self._exchange("GET", url, headers, None, provider)

    def _exchange(
        self, method: str, url: str | URL, headers: Mapping[str, str], body: bytes | None, provider: str
    ) -> "Exchange":
        proxy = None if self._proxies is None else self._proxies.for_url(url)
        # Redirects are never followed: the API key would travel to a host nobody configured.
        sent = self.session.request(
            method, url, headers=headers, data=body, timeout=self._timeout, proxy=proxy, allow_redirects=False
        )
        return Exchange(sent, limits=self._limits, provider=provider)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class Exchange:
    """One request and its response; every foreign error, in the block too, becomes ours."""

    __slots__ = ("_limits", "_provider", "_sent")

    def __init__(
        self, sent: AbstractAsyncContextManager[aiohttp.ClientResponse], *, limits: Limits, provider: str
    ) -> None:
        self._sent, self._limits, self._provider = sent, limits, provider

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout(self._limits.first_byte):
                response = await self._sent.__aenter__()
        except (*_FOREIGN, ValueError) as exc:
            raise self._ours(exc) from exc
        if (connection := response.connection) is not None and connection.protocol is not None:
            # Only now: given with the request, it would end the wait for the first byte as well.
            connection.protocol.read_timeout = self._limits.client_timeout
            connection.protocol.start_timeout()
        return response

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sent.__aexit__(kind, exc, trace)
        if isinstance(exc, _FOREIGN):
            raise self._ours(exc) from exc

    def _ours(self, exc: Exception) -> LlmsError:
        """What `exc` means. The first kind that fits counts, so the order goes from special to general."""
        name = self._provider
        if isinstance(exc, aiohttp.NonHttpUrlClientError | aiohttp.InvalidURL):
            return ConfigError(f"Provider '{name}' has an invalid URL: {exc}. Correct its `api`.")
        if isinstance(exc, ValueError):
            return ConfigError(f"Provider '{name}' has an invalid header. Correct its `api_key` or `headers`.")
        if isinstance(exc, aiohttp.ClientPayloadError):
            return StreamCut(f"{name} closed the connection in the middle of its answer. Try again.", provider=name)
        if isinstance(exc, TimeoutError):
            return ProviderTimeout(_timeout_message(name, exc, self._limits), provider=name)
        if isinstance(exc, aiohttp.ClientConnectionError | OSError):
            reason = f"Cannot reach {name}: {_reason(exc)}. Check its `api` URL and that it is running."
            return ProviderUnreachable(reason, provider=name)
        return ProviderError(f"{name} answered with broken HTTP: {exc}. Try again.", provider=name)


_FOREIGN = (aiohttp.ClientError, TimeoutError, OSError)


def _timeout_message(provider: str, exc: Exception, limits: Limits) -> str:
    if isinstance(exc, aiohttp.ConnectionTimeoutError):
        return f"{provider} did not accept a connection within {limits.connect_timeout:g} s. Check its `api` URL."
    if isinstance(exc, aiohttp.SocketTimeoutError):
        return f"{provider} sent nothing for {limits.client_timeout:g} s. Raise `limits.client_timeout` or try again."
    return (
        f"{provider} did not begin to answer within {limits.first_byte:g} s. "
        "Raise `limits.first_byte_timeout` or try again."
    )


def _reason(exc: Exception) -> str:
    cause = getattr(exc, "os_error", None) or exc
    number = getattr(cause, "errno", None) or 0
    if number > 0:  # asyncio puts a text of its own in place of the system's
        return os.strerror(number)
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
