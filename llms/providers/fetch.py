"""Gets what strangers' URLs point at, and only from the public internet."""

import asyncio
import mimetypes
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import Message
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from llms.kernel.errors import RequestError
from llms.kernel.paths import is_plain_name

MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
# Clouds answer their own machines here, on addresses that otherwise look public: Oracle's metadata, Azure's agent.
_CLOUD_IPV4 = (IPv4Network("192.0.0.0/24"), IPv4Network("168.63.129.16/32"))
# All there is to public IPv6. Outside of it lie everything local and IPv4 in disguise (mapped, NAT64); inside, 6to4.
_GLOBAL_IPV6, _6TO4 = IPv6Network("2000::/3"), IPv6Network("2002::/16")


def is_public(address: str) -> bool:
    """Whether `address` is one that anybody on the internet can reach. False for what is no address at all."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _CLOUD_IPV4)
    return ip in _GLOBAL_IPV6 and ip not in _6TO4


class Fetcher:
    """Awaiting `fetcher(url)` gives content, media type and file name. Every failure is a RequestError.

    Its guard stands where sockets are made: whatever a URL, a redirect or a DNS answer says, no socket is opened
    to an address that is not `allowed`. Environment proxies are not used, since the guard could not see past them.
    """

    def __init__(
        self,
        *,
        max_bytes: int = 20 * 2**20,
        timeout: float = 30.0,
        allowed: Callable[[str], bool] = is_public,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._max_bytes, self._timeout = max_bytes, timeout
        self._allowed, self._resolver = allowed, resolver
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, opened at first use because it belongs to the running event loop."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=self._resolver, socket_factory=self._open_socket),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),  # `timeout` covers redirects as well
                headers={"User-Agent": "llms", "Accept-Encoding": "identity"},
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    async def __call__(self, url: str) -> tuple[bytes, str, str]:
        async with self._translated(url), asyncio.timeout(self._timeout):
            target = _checked(URL(url))
            for _ in range(MAX_REDIRECTS + 1):
                async with self.session.get(target, allow_redirects=False) as response:
                    location = response.headers.get("Location")
                    if response.status not in _REDIRECTS or location is None:
                        return await self._taken(response)
                target = _checked(target.join(URL(location)))
        raise RequestError(f"{_shown(url)} redirects more than {MAX_REDIRECTS} times. Link to the file itself.")

    async def _taken(self, response: aiohttp.ClientResponse) -> tuple[bytes, str, str]:
        shown = _shown(response.url)
        if response.status != 200:
            raise RequestError(f"{shown} answered with status {response.status}. Check that anybody can open it.")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            # Unpacking would let a few KB become any number of bytes.
            raise RequestError(f"{shown} answered compressed though asked not to. Send the content itself.")
        self._refuse_large(response.content_length or 0, shown)
        data = bytearray()
        async for chunk in response.content.iter_any():
            data += chunk
            self._refuse_large(len(data), shown)
        return bytes(data), response.content_type, _name(response)

    def _refuse_large(self, size: int, shown: str) -> None:
        if size > self._max_bytes:
            raise RequestError(f"{shown} exceeds {self._max_bytes / 2**20:.3g} MB. Send a smaller file.")

    @asynccontextmanager
    async def _translated(self, url: str) -> AsyncIterator[None]:
        shown = _shown(url)
        try:
            yield
        except TimeoutError as exc:
            raise RequestError(f"{shown} took longer than {self._timeout:g} s. Send the content itself.") from exc
        except aiohttp.ClientSSLError as exc:
            raise RequestError(f"{shown} has no valid certificate. Send the content itself.") from exc
        except aiohttp.ClientConnectorError as exc:
            if isinstance(exc.os_error, _NotAllowed):
                raise RequestError(f"{shown} is not on the public internet. Send the content itself.") from exc
            raise RequestError(f"{shown} cannot be reached. Check the URL.") from exc
        except ValueError as exc:  # also aiohttp.InvalidURL
            raise RequestError(f"{shown} is no valid URL. Correct it.") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise RequestError(f"{shown} broke off or answered with broken HTTP. Try again.") from exc

    def _open_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """The last step before connecting, so nothing can change between this check and the use of the address."""
        family, kind, protocol, _, address = info
        if not self._allowed(str(address[0])):
            raise _NotAllowed("address not allowed")
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """May be called twice."""
        if self._session is not None:
            await self._session.close()


class _NotAllowed(OSError):
    """What the HTTP library takes for a failed connection, and hands back to us."""


def _checked(url: URL) -> URL:
    if url.scheme not in ("http", "https") or not url.host:
        raise RequestError(f"{_shown(url)} is no web address. Send an http(s) URL.")
    if url.user is not None or url.password is not None:
        raise RequestError(f"The URL of {url.host} holds credentials. Send one without user and password.")
    return url


def _shown(url: str | URL) -> str:
    """The URL without what may be secret in it."""
    return re.sub(r"//[^/]*@", "//", re.split(r"[?#]", str(url))[0])[:200]


def _name(response: aiohttp.ClientResponse) -> str:
    """The file name the server or else the URL gives, always a plain one."""
    header = Message()
    header["Content-Disposition"] = response.headers.get("Content-Disposition", "")
    name = (header.get_filename() or response.url.name).replace("\\", "/").rpartition("/")[2].strip()
    if not is_plain_name(name):
        name = "file"
    if "." in name:
        return name
    return name + (mimetypes.guess_extension(response.content_type) or "")
