"""The part of `ctx` about people: who asks, what they may, and where their things lie."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llms.host.registrations import Registrations
from llms.kernel import envelopes
from llms.kernel.types import Json
from llms.users import avatars
from llms.users.paths import user_path
from llms.users.shared import Check, json_for_user

if TYPE_CHECKING:
    from aiohttp import web

    from llms.kernel.undo import Undo


class People(Registrations):
    """Who is signed in is what an auth provider says; without one, nobody has to be."""

    _logger: logging.Logger

    # -- users -------------------------------------------------------------------------------------------------

    def check_auth(self, request: web.Request) -> tuple[bool, Json | None]:
        """Whether the request may pass, and its session; `(True, None)` where nobody has to sign in."""
        return self._app.auth.check(request)

    def get_session(self, request: web.Request) -> Json | None:
        """The session of who sent a request, `{userId, userName, displayName, roles, …}`; None without one."""
        return self._app.auth.session(request)

    def get_username(self, request: web.Request) -> str | None:
        """The name of who sent a request, or None."""
        return self._app.auth.username(request)

    def assert_username(self, request: web.Request) -> str | None:
        """The name of who sent a request; None where nobody has to sign in. Raises AuthRequired."""
        return self._app.auth.assert_username(request)

    def is_auth_enabled(self) -> bool:
        """Whether one has to sign in."""
        return self._app.auth.is_enabled

    def is_admin(self, request: web.Request) -> bool:
        """Whether the request may do everything: nobody has to sign in, or its user is an admin."""
        return self._app.auth.is_admin(request)

    def enabled_auth(self) -> str:
        """The name of the extension that may ask people to sign in, as `--auth` or `LLMS_AUTH` say."""
        return self._app.auth.chosen

    @property
    def error_auth_required(self) -> Json:
        """What a handler returns to a caller who is not signed in: a 401."""
        return envelopes.auth_required()

    @property
    def sessions(self) -> dict[str, Json]:
        """Sessions by token; one dict for all extensions."""
        return self._app.auth.sessions

    @property
    def oauth_states(self) -> dict[str, Json]:
        """Sign-ins under way, by state; one dict for all extensions."""
        return self._app.auth.oauth_states

    def get_user_path(self, username: str | None = None, *, user: str | None = None) -> str:
        """The folder of a user's data; without a name, that of everybody. Raises RequestError for a bad name."""
        return user_path(self._app.home, username or user)

    def json_for_user(
        self,
        path: str,
        user: str | None = None,
        *,
        bundled: str | Path | None = None,
        check: Check = lambda content, _: content,
    ) -> Any:
        """What the JSON in a user's own file says, else in everybody's, else in `bundled`; None without any.

        `path` is relative to the user's folder. `check(content, file)` gives what is returned; a file that it refuses
        with a ConfigError is logged and passed over.
        """
        place = Path(bundled) if bundled else None
        return json_for_user(self._app.home, path, user, bundled=place, check=check, complain=self._logger.error)

    def get_user_prefs(self, user: str | None = None) -> Json:
        """All preferences of a user, or without a name those of everybody. A copy."""
        return self._app.prefs.get_all(user)

    def get_user_pref(self, key: str, user: str | None = None) -> Any:
        """One preference of a user, or None."""
        return self._app.prefs.get(key, user)

    def set_user_pref(self, key: str, value: Any, user: str | None = None) -> None:
        """Keeps a preference of a user. Raises RequestError for what JSON cannot hold."""
        self._app.prefs.set(key, value, user)

    def get_user_avatar_path(self, user: str | None, filenames: Sequence[str] | None = None) -> str | None:
        """The file of a user's picture, or None: the first of `filenames` in the user's folder or everybody's."""
        return avatars.get_user_avatar_path(self._app.home, user, filenames)

    def get_profile_avatar_path(
        self, user: str | None, profile: str, filenames: Sequence[str] | None = None
    ) -> str | None:
        """The file of an agent profile's picture, or None, found in that way. Raises RequestError for a bad name."""
        return avatars.get_profile_avatar_path(self._app.home, user, profile, filenames)

    def remove_avatar_files(self, directory: str, prefixes: Sequence[str] | None = None) -> None:
        """Deletes every variant of the pictures called `prefixes`, "avatar" if none are named, in a folder."""
        avatars.remove_avatar_files(directory, prefixes)

    # -- folders that tools may touch --------------------------------------------------------------------------

    def set_allowed_directories(self, dirs: Sequence[str], user: str | None = None) -> None:
        """Lets tools touch these folders and no others: paths, or `$WORKSPACE` and `$TEMP`."""
        self._follow(self._app.directories.set(dirs, user), user)

    def add_allowed_directory(self, path: str, user: str | None = None) -> None:
        """Lets tools touch one folder more."""
        self._follow(self._app.directories.add(path, user), user)

    def get_allowed_directories(self, user: str | None = None) -> list[str]:
        """The folders that tools may touch, as they were given."""
        return self._app.directories.get(user)

    def resolve_directory(self, dir: str) -> str | None:
        """The path of a folder or of an alias such as `$TEMP`; None for an alias nobody knows."""
        return self._app.directories.resolve(dir)

    def resolve_allowed_directories(self, user: str | None = None) -> list[str]:
        """The real paths of all folders that tools may touch."""
        return self._app.directories.resolve_allowed(user)

    def _follow(self, undo: Undo, user: str | None) -> None:
        """What is allowed to everybody ends with the extension; what users are allowed is theirs."""
        if user is None:
            self._record(undo)
