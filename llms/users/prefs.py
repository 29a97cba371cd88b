"""What each user prefers, in `prefs.json` of the user's folder."""

import copy
import json
from pathlib import Path
from typing import Any

from llms.kernel import files
from llms.kernel.errors import RequestError
from llms.kernel.paths import Home
from llms.kernel.types import Json
from llms.users.paths import user_path

_Signature = tuple[int, int, int]


class Prefs:
    """The preferences of all users. A file that was edited by hand counts from the next question on."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._read: dict[Path, tuple[_Signature, Json]] = {}

    def get_all(self, user: str | None = None) -> Json:
        """All of a user's preferences, or of everybody. The caller may change what it gets.

        Raises ConfigError if the file is there but cannot be read, RequestError for a name that cannot be a user's.
        """
        return copy.deepcopy(self._load(self._file(user)))

    def get(self, key: str, user: str | None = None) -> Any:
        """One preference, or None."""
        return copy.deepcopy(self._load(self._file(user)).get(key))

    def set(self, key: str, value: Any, user: str | None = None) -> None:
        """Keeps one preference, on disk when this returns. Raises RequestError unless JSON can hold it."""
        _check(key, value)
        path = self._file(user)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise files.cannot_write(path, error) from error
        with files.lock(path):
            files.write_atomic(path, files.to_json({**self._load(path), key: value}))

    def _file(self, user: str | None) -> Path:
        return Path(user_path(self._home, user)) / "prefs.json"

    def _load(self, path: Path) -> Json:
        """What is in `path`; the file is read only if it has changed."""
        signature = _signature(path)
        if signature is None:
            self._read.pop(path, None)
            return {}
        known = self._read.get(path)
        if known is None or known[0] != signature:
            known = signature, files.read_json(path)
            self._read[path] = known
        return known[1]


def _check(key: object, value: Any) -> None:
    if not isinstance(key, str) or not key:
        raise RequestError("The name of a preference must be a text. Give it one.", param="key")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError(f"Preference '{key}' cannot be kept: {error}. Give it a JSON value.", param=key) from error


def _signature(path: Path) -> _Signature | None:
    """Differs when the file was replaced or edited; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
