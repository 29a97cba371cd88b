"""Keeps web pages of others from using this server through the user's browser.

A page the user has open elsewhere can send requests here, and can even make its own host name point here (DNS
rebinding). So the `Host` must be one of ours, an `Origin` must be our own, and a request that changes anything must
carry a content type that says JSON or an upload: what the old plain HTML forms send is refused.
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import ipaddress
import socket
from collections.abc import Callable, Collection

from aiohttp import hdrs, web

from llms.kernel.errors import Forbidden, UnsupportedMedia

_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


class Guard:
    """Checks every request. `bound` is the address the server listens on; `allowed` tells further host names."""

    def __init__(self, *, bound: str, allowed: Callable[[], Collection[str]] = tuple) -> None:
        self._open = not is_loopback(bound)
        names = {*_LOOPBACK, bound}
        if self._open:
            names |= {socket.gethostname(), socket.getfqdn()}
        self._names = {_name(name) if "::" not in name else name for name in names}
        self._allowed = allowed

    def check(self, request: web.BaseRequest) -> None:
        """Raises Forbidden or UnsupportedMedia for a request that another site may have caused."""
        headers = request.headers
        host = headers.get(hdrs.HOST)
        if host is not None and not self._is_ours(_name(host)):
            raise Forbidden(
                f"Host '{host}' is not this server. Add it to `allowed_hosts` in llms.json if it should be."
            )
        origin = headers.get(hdrs.ORIGIN)
        if origin is not None and not self._same(origin, host):
            raise Forbidden(f"Origin '{origin}' may not use this server. Add its host to `allowed_hosts` in llms.json.")
        if request.method in _SAFE:
            return
        if origin is None and headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise Forbidden("A page of another site may not use this server. Open this server's own page.")
        if request.body_exists:
            _check_type(headers.get(hdrs.CONTENT_TYPE, ""))

    def _is_ours(self, name: str) -> bool:
        if name in self._names or name.endswith(".localhost") or self._is_allowed(name):
            return True
        return self._open and _address(name) is not None  # an address cannot be made to point elsewhere

    def _same(self, origin: str, host: str | None) -> bool:
        scheme, _, rest = origin.lower().partition("://")
        if scheme not in ("http", "https"):
            return False
        return rest == (host or "").lower() or self._is_allowed(_name(rest))

    def _is_allowed(self, name: str) -> bool:
        return name in {_name(allowed) for allowed in self._allowed()}


def _check_type(content_type: str) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("application/json", "multipart/form-data") or kind.endswith("+json"):
        return
    raise UnsupportedMedia(
        f"Content-Type '{kind or 'missing'}' is not accepted. "
        "Send `Content-Type: application/json` or multipart/form-data."
    )


def _name(host: str) -> str:
    """`host` without its port, brackets and the dot a full name may end with, in lower case."""
    host = host.lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
