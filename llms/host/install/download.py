"""Fetches a file over HTTPS, outside the event loop: this runs before anything starts."""

import base64
import http.client
import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any
from urllib.parse import SplitResult, unquote, urlsplit

from llms import __version__
from llms.kernel.errors import ConfigError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_CHUNK = 1 << 18
_FAILURES = (urllib.error.URLError, http.client.HTTPException, OSError, ValueError)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to where we would have gone ourselves."""

    def redirect_request(  # noqa: PLR0917 - as urllib calls it
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not _is_allowed(urlsplit(newurl)):
            fp.close()
            raise urllib.error.URLError("it redirects to an address without https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, into: Path, *, most: int, seconds: float = 300.0) -> None:
    """Writes what `url` holds to `into`. Raises ConfigError, also for more than `most` bytes."""
    try:
        with _open(url) as answer, into.open("wb") as file:
            deadline, size = time.monotonic() + seconds, 0
            while block := answer.read(_CHUNK):
                size += len(block)
                if size > most:
                    raise ConfigError(f"{_shown(url)} is larger than {most // 1_000_000} MB. Check the address.")
                if time.monotonic() > deadline:
                    raise TimeoutError(f"no end after {seconds:g} seconds")
                file.write(block)
    except _FAILURES as error:
        raise _unreachable(url, error) from error


def get_json(url: str) -> Any:
    """The JSON at `url`. Raises ConfigError."""
    try:
        with _open(url) as answer:
            return json.loads(answer.read(10_000_000))
    except _FAILURES as error:
        raise _unreachable(url, error) from error


def _open(url: str) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    if not _is_allowed(parts):
        raise ValueError("it is no https address")
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    request = urllib.request.Request(plain, headers={"User-Agent": f"llms/{__version__}"})  # noqa: S310 - see above
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    answer: http.client.HTTPResponse = urllib.request.build_opener(_Redirects).open(request, timeout=30)
    return answer


def _is_allowed(parts: SplitResult) -> bool:
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _unreachable(url: str, error: Exception) -> ConfigError:
    reason: object = getattr(error, "reason", None) or error
    if isinstance(error, urllib.error.HTTPError):  # an answer too, with a connection to close
        error.close()
        reason = f"{error.code} {error.reason}"
    return ConfigError(f"{_shown(url)} cannot be fetched: {reason}. Check the address and the network.")
