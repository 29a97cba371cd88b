"""Keeps web pages of others from using this server through the user's browser.

A page the user has open elsewhere can send requests here, and can even make its own host name point here (DNS
rebinding). So the `Host` must be one of ours, and an `Origin` must be our own; from elsewhere only links lead here, for
a GET may cost money too (`<img src="…/ext/xmas/story">`). What changes anything must say that it sends JSON, which a
page of another site cannot do without asking first, and nobody here answers that; or a form.

A form any page can send, so it must show that no foreign page did: by our own `Origin`, by a `Sec-Fetch-Site` that
says so, or by coming from a program that is no browser. Pages can forge neither header. Browsers of today send at least
one of them with every form. Old ones (Firefox before 70, Internet Explorer) send neither, and a page can make them
leave out `Referer` too, but not their `User-Agent`, which begins with Mozilla or Opera in every browser. And whoever
brings a `Cookie` acts in somebody's name, and has to show where the request comes from.
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import ipaddress
import socket
from collections.abc import Callable, Collection, Mapping

from aiohttp import hdrs, web

from llms.kernel.errors import Forbidden, UnsupportedMedia
from llms.web.reply import is_json, not_json

_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_PARTS = ("iframe", "frame", "object", "embed")  # what a page shows inside of itself is no link that was followed
_BROWSERS = ("mozilla/", "opera/")
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
        site, is_safe = headers.get("Sec-Fetch-Site"), request.method in _SAFE
        is_link = (
            is_safe and headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") not in _PARTS
        )
        if origin is None and site not in (None, "none", "same-origin") and not is_link:
            raise Forbidden("A page of another site may not use this server. Open this server's own page.")
        if is_safe:
            return
        kind = headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
        if kind in _FORMS:
            if origin is None and site is None and _may_be_a_page(headers):
                raise UnsupportedMedia(
                    "A form must show which page sent it. Send JSON, or add `Origin` with this server's own address."
                )
        elif (request.body_exists or kind == "text/plain") and not is_json(kind):
            raise not_json(kind)

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


def _may_be_a_page(headers: Mapping[str, str]) -> bool:
    """Whether a browser may have sent these headers, as every browser did before there was `Sec-Fetch-Site`."""
    agent = headers.get(hdrs.USER_AGENT, "").lower()
    return agent.startswith(_BROWSERS) or hdrs.REFERER in headers or hdrs.COOKIE in headers


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
