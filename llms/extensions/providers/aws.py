"""What Amazon's services have in common: requests that are signed, and streams of binary frames."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from llms.api import ConfigError, ProviderError

MAX_FRAME = 24 * 1024 * 1024  # bytes, the most that a frame may have
_PRELUDE, _PRELUDE_SIZE = ">III", 12  # sizes of the frame and of its headers, and the checksum of these two
_SIZES = (0, 0, 1, 2, 4, 8, None, None, 8, 16)  # bytes of a header's value, by type; None: told before the value
_TEXT = 7
_STATUSES = {
    "accessDenied": 403,
    "internalServer": 500,
    "modelError": 424,
    "modelNotReady": 429,
    "modelStreamError": 424,
    "modelTimeout": 408,
    "resourceNotFound": 404,
    "serviceQuotaExceeded": 400,
    "serviceUnavailable": 503,
    "throttling": 429,
    "validation": 400,
}
_SOURCES = (  # where botocore finds credentials without asking the network
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_FILES = (("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"), ("AWS_CONFIG_FILE", "~/.aws/config"))

_INSTALL = "Run: pip install 'llms[aws]'"


class Signer:
    """Signs the requests of one provider (Signature Version 4) with botocore, which is imported only then.

    The credentials are those of the entry (`access_key_id`, `secret_access_key`, `session_token`), or else what
    botocore finds: the environment, the `profile` of the entry, a web identity, a container, and the machine's role.
    Those that expire are fetched again before they do.
    """

    def __init__(self, entry: Mapping[str, Any], *, service: str, region: str, provider: str) -> None:
        self.service, self.region, self.provider = service, region, provider
        self._keys = [_told(entry.get(name)) for name in ("access_key_id", "secret_access_key", "session_token")]
        self._profile: str | None = entry.get("profile")
        self._on_machine = bool(entry.get("instance_role"))
        self._found: Any = None

    def problem(self) -> str | None:
        """Why nothing can be signed, as far as can be told without asking the network; None where it can."""
        access, secret, _ = self._keys
        if bool(access) != bool(secret):
            return f"Provider '{self.provider}' has half a key. Give it `access_key_id` and `secret_access_key`."
        if not (access or self._profile or self._on_machine or _has_sources()):
            return (
                f"Provider '{self.provider}' requires AWS credentials: set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or `profile` in its entry, or `instance_role` to true on a machine that has one"
            )
        if importlib.util.find_spec("botocore") is None:
            return f"Provider '{self.provider}' signs its requests with botocore. {_INSTALL}"
        return None

    async def signed(self, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """`headers` and those that sign a POST of `body` to `url`, which has to be sent exactly as it stands here.

        Raises ProviderError where there are no credentials. Never holds up the event loop.
        """
        return await asyncio.to_thread(self._sign, url, headers, body)

    def _sign(self, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        try:
            from botocore.auth import SigV4Auth
            from botocore.awsrequest import AWSRequest
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as exc:
            raise ConfigError(f"{self.provider} signs its requests with botocore. {_INSTALL}.") from exc
        request = AWSRequest("POST", url, headers=dict(headers), data=body)
        try:
            if self._found is None:
                self._found = self._credentials()
            credentials = self._found and self._found.get_frozen_credentials()
        except (BotoCoreError, ClientError) as exc:
            raise self._refused(f"{str(exc).rstrip('.')}.") from exc
        if not credentials:
            raise self._refused("none were found.")
        SigV4Auth(credentials, self.service, self.region).add_auth(request)
        return dict(request.headers.items())

    def _credentials(self) -> Any:
        access, secret, token = self._keys
        try:
            from botocore.credentials import Credentials
            from botocore.session import Session
        except ImportError as exc:
            raise ConfigError(f"{self.provider} signs its requests with botocore. {_INSTALL}.") from exc
        if access:
            return Credentials(access, secret, token)
        return Session(profile=self._profile).get_credentials()

    def _refused(self, why: str) -> ProviderError:
        return ProviderError(
            f"{self.provider} has no AWS credentials: {why} Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or mend the profile.",
            provider=self.provider,
            status=401,
        )


class EventStreamDecoder:
    """Cuts a stream of Amazon's frames into events, each as JSON: `{"<event type>": <its payload>}`.

    A frame that tells of an error is `{"exception": {"type": …, "message": …}}`. So is one that is damaged, after
    which nothing more is read. https://smithy.io/2.0/aws/amazon-eventstream.html
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._damaged = False

    def feed(self, data: bytes) -> list[bytes]:
        """The events whose frames `data` completes."""
        events: list[bytes] = []
        self._buffer += data
        while not self._damaged and len(self._buffer) >= _PRELUDE_SIZE:
            size, headers, checksum = struct.unpack_from(_PRELUDE, self._buffer)
            fits = _PRELUDE_SIZE + headers + 4 <= size <= MAX_FRAME
            if not fits or zlib.crc32(self._buffer[:8]) != checksum:
                events.append(self._end())
            elif len(self._buffer) < size:
                break
            else:
                events.append(self._taken(size, headers))
        return events

    def finish(self) -> list[bytes]:
        """Nothing: a frame that has not come whole is none."""
        return []

    def _taken(self, size: int, headers: int) -> bytes:
        frame = bytes(self._buffer[:size])
        del self._buffer[:size]
        if zlib.crc32(frame[:-4]) != int.from_bytes(frame[-4:], "big"):
            return self._end()
        try:
            return _event(_headers(frame[_PRELUDE_SIZE : _PRELUDE_SIZE + headers]), frame[_PRELUDE_SIZE + headers : -4])
        except (struct.error, IndexError, KeyError, UnicodeDecodeError):
            return self._end()

    def _end(self) -> bytes:
        self._damaged = True
        self._buffer.clear()
        return _exception("damaged", {"message": "a frame of its stream was damaged. Try again."})


def failure_of(exception: Mapping[str, Any], *, provider: str) -> ProviderError:
    """The error that an `exception` event tells."""
    kind = str(exception.get("type") or "")
    name = kind[:1].lower() + kind[1:].removesuffix("Exception")
    message = exception.get("message") or exception.get("Message") or exception.get("originalMessage") or kind
    return ProviderError(f"{provider}: {message}", provider=provider, status=_STATUSES.get(name), code=kind or None)


def _event(headers: Mapping[str, str], payload: bytes) -> bytes:
    kind = headers[":message-type"]
    if kind == "exception":
        return _exception(headers[":exception-type"], _object(payload))
    if kind == "error":
        return _exception(headers[":error-code"], {"message": headers.get(":error-message")})
    return b"{%s:%s}" % (msgspec.json.encode(headers[":event-type"]), payload or b"{}")


def _exception(kind: str, details: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({"exception": {**details, "type": kind}})


def _object(payload: bytes) -> Mapping[str, Any]:
    """What an exception's payload says; as text where it is no JSON object."""
    try:
        details = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        details = None
    return details if isinstance(details, dict) else {"message": payload.decode("utf-8", "replace")}


def _headers(data: bytes) -> dict[str, str]:
    """The headers that are texts; others are passed over."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        name, at = _cut(data, at + 1, data[at])
        kind = data[at]
        size = _SIZES[kind]
        at += 1
        if size is None:
            size = int(struct.unpack_from(">H", data, at)[0])
            at += 2
        value, at = _cut(data, at, size)
        if kind == _TEXT:
            found[name.decode()] = value.decode()
    return found


def _cut(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    """`size` bytes, and the place after them. Raises IndexError where there are fewer."""
    if at + size > len(data):
        raise IndexError(at + size)
    return data[at : at + size], at + size


def _told(value: Any) -> str | None:
    """A setting of an entry, or the variable that its `$NAME` names."""
    text = str(value or "").strip()
    return (os.environ.get(text[1:]) if text.startswith("$") else text) or None


def _has_sources() -> bool:
    if any(os.environ.get(name) for name in _SOURCES):
        return True
    return any(Path(os.environ.get(name) or path).expanduser().is_file() for name, path in _FILES)
