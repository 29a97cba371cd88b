"""Who sent a request, as the auth provider of an extension tells it."""

from __future__ import annotations

import inspect
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llms.kernel import foreign
from llms.kernel.errors import AuthRequired, ConfigError, LlmsError
from llms.kernel.paths import is_plain_name
from llms.kernel.types import Json
from llms.kernel.undo import Undo
from llms.users.paths import EVERYBODY

if TYPE_CHECKING:
    from aiohttp import web

ADMIN = "Admin"  # the role that may do everything
_NEEDED = ("check_auth", "get_session", "get_username")


class AuthProvider:
    """Base of what tells who is signed in: a token in the request, looked up in `app.sessions`.

    The token stands in `?session=`, in the header `X-Session-Token` or in the cookie `llms-token`. It is only ever
    looked up: never a part of a file name, never logged. Subclasses may override any method; none may be async.
    """

    auth_type: str | None = None  # `apikey` or `oauth` where the page shall ask in that way

    def __init__(self, app: Any) -> None:
        self.app = app

    def get_session_token(self, request: web.Request) -> str | None:
        return (
            request.query.get("session")
            or request.headers.get("X-Session-Token")
            or request.cookies.get("llms-token")
            or None
        )

    def get_session(self, request: web.Request) -> Json | None:
        token = self.get_session_token(request)
        return self.app.sessions.get(token) if token else None

    def get_username(self, request: web.Request) -> str | None:
        session = self.get_session(request)
        return session.get("userName") if session else None

    def check_auth(self, request: web.Request) -> tuple[bool, Json | None]:
        session = self.get_session(request)
        return session is not None, session


@dataclass(frozen=True, slots=True, eq=False)
class _Standing:
    """A provider that was set, and by whom."""

    provider: Any
    extension: str
    kind: str | None


@dataclass(frozen=True, slots=True)
class _Visitor:
    """Somebody who is signed in. A provider without names leaves `name` empty."""

    session: Json | None
    name: str | None


class Auth:
    """Sign-in: off until an extension sets a provider, and then never open by mistake.

    Whoever the provider does not clearly name as signed in is not: an error, an awaitable or a name that cannot be a
    folder's is a no. `chosen` is the extension that `--auth` or LLMS_AUTH names. Sessions are kept by token.
    """

    def __init__(self, chosen: str = "credentials") -> None:
        self.chosen = chosen
        self.sessions: dict[str, Json] = {}
        self.oauth_states: dict[str, Json] = {}
        self.last_seen: dict[str, float] = {}  # by user: seconds since 1970
        self._standing: list[_Standing] = []  # the last one counts
        self._was_asked = False
        self._is_shut = False  # a provider that guarded this server is gone

    # -- who decides -------------------------------------------------------------------------------------------

    def set_provider(self, provider: Any, *, extension: str = "") -> Undo:
        """From now on `provider` decides. Raises ConfigError unless it has the methods of AuthProvider.

        Taking back a provider that was asked already does not open the server to everybody: nobody is let in until
        another one is set, or the server starts anew without it.
        """
        if missing := [name for name in _NEEDED if not callable(getattr(provider, name, None))]:
            raise ConfigError(f"{type(provider).__name__} lacks {', '.join(missing)}. Derive it from AuthProvider.")
        kind = getattr(provider, "auth_type", None)
        standing = _Standing(provider, extension, kind if isinstance(kind, str) else None)
        self._standing.append(standing)
        return lambda: self._take_back(standing)

    def seal(self) -> None:
        """From now on, losing the last provider lets nobody in, whether or not it was ever asked."""
        self._was_asked = self._was_asked or bool(self._standing)

    def _take_back(self, standing: _Standing) -> None:
        if standing not in self._standing:
            return
        self._standing.remove(standing)
        if self._was_asked and not self._standing:
            self._is_shut = True
            _logger(standing.extension).error("Nobody can sign in any more. Enable it again, or restart the server.")

    @property
    def provider(self) -> Any | None:
        """Who tells who is signed in, or None."""
        return self._standing[-1].provider if self._standing else None

    @property
    def extension(self) -> str | None:
        """The extension that `provider` came from, or None."""
        return self._standing[-1].extension if self._standing else None

    @property
    def kind(self) -> str | None:
        """How the page shall ask people to sign in, where the provider says."""
        return self._standing[-1].kind if self._standing else None

    @property
    def is_enabled(self) -> bool:
        """Whether one has to sign in."""
        return bool(self._standing) or self._is_shut

    # -- who asks ----------------------------------------------------------------------------------------------

    def check(self, request: web.Request) -> tuple[bool, Json | None]:
        """Whether the request may pass, and its session. `(True, None)` where nobody has to sign in."""
        if not self.is_enabled:
            return True, None
        visitor = self._visitor(request)
        return (True, visitor.session) if visitor else (False, None)

    def require(self, request: web.Request) -> None:
        """Raises AuthRequired unless the request may pass."""
        if not self.check(request)[0]:
            raise _sign_in()

    def session(self, request: web.Request) -> Json | None:
        """The session of who is signed in, else None."""
        visitor = self._visitor(request)
        return visitor.session if visitor else None

    def username(self, request: web.Request) -> str | None:
        """The name of who is signed in, else None. It is safe as the name of a folder."""
        visitor = self._visitor(request)
        return visitor.name if visitor else None

    def assert_username(self, request: web.Request) -> str | None:
        """As `username`, but raises AuthRequired where one has to sign in and did not."""
        name = self.username(request)
        if name is None and self.is_enabled:
            raise _sign_in()
        return name

    def is_admin(self, request: web.Request) -> bool:
        """Whether the request may do everything: nobody has to sign in, or who did has the role `Admin`."""
        if not self.is_enabled:
            return True
        roles = (self.session(request) or {}).get("roles")
        return isinstance(roles, list | tuple | set | frozenset) and ADMIN in roles

    def _visitor(self, request: web.Request) -> _Visitor | None:
        if not self._standing:
            return None
        standing = self._standing[-1]
        self._was_asked = True
        try:
            visitor = _identify(standing, request)
        except LlmsError as error:
            _logger(standing.extension).error("Sign-in failed: %s", error, exc_info=error.__cause__)
            return None
        if visitor is not None and visitor.name is not None:
            self.last_seen[visitor.name] = time.time()
        return visitor


def _sign_in() -> AuthRequired:
    return AuthRequired("Authentication required. Sign in, and try again.")


def _identify(standing: _Standing, request: web.Request) -> _Visitor | None:
    """Who the provider says sent `request`. Raises LlmsError where its answers make no sense."""
    answer = _ask(standing, "check_auth", request)
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise ConfigError("check_auth must return (whether the user is signed in, session or None). Correct it.")
    is_signed_in, session = answer
    if is_signed_in is not True:
        return None
    if session is None:
        session = _ask(standing, "get_session", request)
    if not isinstance(session, dict | None):
        raise ConfigError(f"A session must be a dict, not {type(session).__name__}. Correct the auth provider.")
    name = _ask(standing, "get_username", request)
    if name is not None and not _can_be_user(name):
        raise ConfigError(f"User name {name!r} cannot be used. Choose another for this user.")
    return _Visitor(session, name)


def _ask(standing: _Standing, method: str, request: web.Request) -> Any:
    """What the provider's `method` returns. Raises ExtensionError for whatever it raises."""
    with foreign.border(standing.extension):
        answer = getattr(standing.provider, method)(request)
    if inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()
        raise ConfigError(f"{method} must not be async: who may pass is asked in the middle of things. Make it plain.")
    return answer


def _can_be_user(name: object) -> bool:
    """Whether `name` is fit for a folder of its own; the folder that all share is nobody's."""
    return isinstance(name, str) and is_plain_name(name) and name.casefold() != EVERYBODY


def _logger(extension: str) -> logging.Logger:
    return logging.getLogger(f"llms.ext.{extension}" if extension else "llms.users")
