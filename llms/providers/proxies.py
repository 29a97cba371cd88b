"""Which proxy the environment wants a request to go through."""

import urllib.request
from collections.abc import Mapping

from yarl import URL

from llms.kernel.errors import ConfigError


class Proxies:
    """`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, or what the system is set to, read once.

    aiohttp's own way of reading them, `trust_env`, would also send what stands in ~/.netrc.
    """

    def __init__(self) -> None:
        found = urllib.request.getproxies()
        self._by_scheme = {scheme: proxy for scheme in ("http", "https") if (proxy := _usable(found, scheme))}
        self._known: dict[tuple[str, str], URL | None] = {}  # by scheme and host

    def for_url(self, url: str | URL) -> URL | None:
        """The proxy for `url`, or None where it is asked directly."""
        if not self._by_scheme:
            return None
        try:
            asked = URL(url)
        except ValueError:  # who sends the request will say so
            return None
        scheme, host = asked.scheme, asked.host or ""
        if (scheme, host) not in self._known:
            bypassed = urllib.request.proxy_bypass(host)
            self._known[scheme, host] = None if bypassed else self._by_scheme.get(scheme)
        return self._known[scheme, host]


def _usable(found: Mapping[str, str], scheme: str) -> URL | None:
    """The proxy for `scheme`, unless it speaks something that aiohttp does not, such as SOCKS."""
    given = found.get(scheme) or found.get("all")
    if not given:
        return None
    try:
        proxy = URL(given if "://" in given else f"http://{given}")
    except ValueError as exc:
        raise ConfigError(f"The proxy for {scheme} is no URL: {exc}. Correct {scheme.upper()}_PROXY.") from exc
    return proxy if proxy.scheme in ("http", "https") else None
