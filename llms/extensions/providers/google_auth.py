"""Access tokens for Google Cloud, and the project and place they are used in.

https://cloud.google.com/docs/authentication/application-default-credentials
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from llms.api import ConfigError, ProviderError, ProviderUnreachable

Json = dict[str, Any]

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_TIMEOUT = 20.0  # seconds for one try to get a token
_PROJECT = ("GOOGLE_VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT")
_LOCATION = ("GOOGLE_VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION")
_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
_ON_GOOGLES_MACHINES = ("K_SERVICE", "GAE_ENV", "FUNCTION_TARGET")  # Cloud Run, App Engine and Functions set them


class GoogleToken:
    """The access token of one provider's entry, which knows its `project` and `location` too.

    In this order: the entry's `access_token`, or an `api_key` that is one; its `credentials`, or an `api_key`, that are
    a JSON document of Google's (a service account, an authorized user, a federated identity) or name the file of one;
    the file in GOOGLE_APPLICATION_CREDENTIALS; the file of `gcloud auth application-default login`; the account of
    the machine, where the entry says `instance_role` or it is one of Google's. Only the first needs no google-auth,
    which is imported when a token is fetched. `token_uri` is asked in place of
    Google, for service accounts and users.
    """

    def __init__(self, kwargs: Mapping[str, Any], *, environ: Mapping[str, str] = os.environ) -> None:
        self.provider = str(kwargs.get("name") or kwargs.get("id") or "Google")
        self._environ = environ
        key = str(kwargs.get("api_key") or "").strip()
        self._literal = str(kwargs.get("access_token") or "").strip() or (key if is_access_token(key) else "")
        self._told = kwargs.get("credentials") or (key if key.startswith("{") else None)
        self._token_uri: str | None = kwargs.get("token_uri")
        self._on_machine = bool(kwargs.get("instance_role"))
        self._lock = threading.Lock()
        self._credentials: Any = None
        self.location: str = str(kwargs.get("location") or _first(environ, _LOCATION) or "global")
        self.project: str | None = kwargs.get("project") or _first(environ, _PROJECT) or self._documents_project()

    @property
    def is_told(self) -> bool:
        """Whether the entry itself holds credentials, a token among them."""
        return bool(self._literal or self._told)

    def problem(self) -> str | None:
        """Why there can be no token, as far as can be told without asking the network; None where there can."""
        if self._literal:
            return None
        try:
            document = self._document()
        except ConfigError as exc:
            return str(exc)
        on_machine = self._on_machine or any(name in self._environ for name in _ON_GOOGLES_MACHINES)
        if not document and not on_machine:
            return (
                f"Provider '{self.provider}' requires Google credentials: set {_FILE}, or `credentials` in its entry, "
                "or run gcloud auth application-default login"
            )
        if not _is_installed():
            return f"Provider '{self.provider}' gets its tokens with google-auth. Run: pip install 'llms[google]'"
        return None

    async def bearer(self) -> str:
        """A token that holds for some minutes at least, fetched where the last one does not. Never holds up the loop.

        Raises ConfigError where the credentials cannot be used, ProviderError where Google refuses them.
        """
        if self._literal:
            return self._literal
        if self._credentials is not None and self._credentials.valid:
            return str(self._credentials.token)
        return await asyncio.to_thread(self._fetched)

    def _fetched(self) -> str:
        try:
            from google.auth import exceptions
            from google.auth.transport.requests import Request
        except ImportError as exc:
            why = f"{self.provider} gets its tokens with google-auth. Run: pip install 'llms[google]'."
            raise ConfigError(why) from exc

        with self._lock:  # others wait for the one token, instead of fetching their own
            try:
                if self._credentials is None:
                    self._credentials = self._found()
                if not self._credentials.valid:
                    self._credentials.refresh(partial(Request(), timeout=_TIMEOUT))
            except exceptions.TransportError as exc:
                raise ProviderUnreachable(
                    f"{self.provider} cannot reach Google for a token. Check the network.", provider=self.provider
                ) from exc
            except exceptions.RefreshError as exc:
                raise self._refused(exc) from exc
            except (exceptions.GoogleAuthError, ValueError) as exc:
                why = _sentence(exc)
                raise ConfigError(f"{self.provider} has no usable Google credentials: {why} Replace them.") from exc
            return str(self._credentials.token)

    def _found(self) -> Any:
        """Credentials that have no token yet. Raises ValueError for a document that nobody knows."""
        document = self._document()
        found = _of_machine() if document is None else _credentials_of(dict(document))
        return found.with_token_uri(self._token_uri) if self._token_uri else found

    def _document(self) -> Mapping[str, Any] | None:
        """Google's JSON document; None where nobody has one. Raises ConfigError for a file that is none."""
        if isinstance(self._told, Mapping):
            return self._told
        told = str(self._told or "").strip()
        if told.startswith("{"):
            return self._parsed(told, "its `credentials`")
        named = told or self._environ.get(_FILE, "").strip()
        path = Path(named).expanduser() if named else self._of_gcloud()
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            if named:
                raise ConfigError(
                    f"Provider '{self.provider}' cannot read its Google credentials from {path}. Correct the path."
                ) from exc
            return None
        return self._parsed(text, str(path))

    def _parsed(self, text: str, where: str) -> Json:
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if not isinstance(document, dict) or "type" not in document:
            raise ConfigError(f"Provider '{self.provider}': {where} is no JSON of Google credentials. Replace it.")
        return document

    def _of_gcloud(self) -> Path:
        folder = self._environ.get("CLOUDSDK_CONFIG")
        if not folder and (roaming := self._environ.get("APPDATA")):
            folder = str(Path(roaming) / "gcloud")
        home = self._environ.get("HOME") or Path.home()
        return Path(folder or Path(home) / ".config" / "gcloud") / "application_default_credentials.json"

    def _documents_project(self) -> str | None:
        """The project that the credentials belong to; it need not be told twice."""
        if self._literal:
            return None
        try:
            document = self._document() or MappingProxyType({})
        except ConfigError:
            return None  # `problem` tells
        return document.get("project_id") or document.get("quota_project_id")

    def _refused(self, exc: Exception) -> ProviderError:
        temporary = getattr(exc, "retryable", False)
        fix = "Try again." if temporary else "Replace them, or log in again."
        return ProviderError(
            f"Google gave {self.provider} no token for its credentials: {_sentence(exc)} {fix}",
            provider=self.provider,
            status=503 if temporary else 401,
        )


def is_access_token(key: str) -> bool:
    """Whether `key` is a token as Google gives out for an hour, and no API key."""
    return key.startswith("ya29.")


def host_of(location: str) -> str:
    """Where Vertex AI is asked for what is done in `location`: everywhere, on a continent, or in one region."""
    if location == "global":
        return "aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-aiplatform.googleapis.com"


def _of_machine() -> Any:
    import google.auth

    found, _ = google.auth.default(scopes=_SCOPES)
    return found


def _credentials_of(document: Json) -> Any:
    """What google-auth makes of a document. Each kind by its own loader: the one for all of them is deprecated."""
    from google.auth import identity_pool, impersonated_credentials
    from google.oauth2 import credentials, service_account

    loaders: dict[str, Any] = {
        "service_account": service_account.Credentials.from_service_account_info,
        "authorized_user": credentials.Credentials.from_authorized_user_info,
        "external_account": identity_pool.Credentials.from_info,
        "impersonated_service_account": (impersonated_credentials.Credentials.from_impersonated_service_account_info),
    }
    load = loaders.get(document["type"])
    if load is None:
        raise ValueError(f"their type {str(document['type'])[:40]!r} is not one of {', '.join(loaders)}")
    return load(document, scopes=_SCOPES)


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((found for name in names if (found := environ.get(name, "").strip())), None)


def _sentence(exc: Exception) -> str:
    """What an error of google-auth says in its first argument; the others hold whole answers."""
    said = str(exc.args[0] if exc.args else exc).strip().rstrip(".")
    return f"{said or type(exc).__name__}."


def _is_installed() -> bool:
    """Whether google-auth is there, and what it sends its requests with."""
    try:
        return all(importlib.util.find_spec(name) for name in ("google.auth", "requests"))
    except ModuleNotFoundError:
        return False
