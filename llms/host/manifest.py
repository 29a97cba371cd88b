"""What an extension says of itself in `extension.toml`: read without running a line of it."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llms.host.settings_schema import check_schema
from llms.kernel.errors import ConfigError
from llms.kernel.types import Json

FILE = "extension.toml"
PERMISSIONS = (
    ("net", "opens network connections of its own"),
    ("files", "reads and writes files outside its own folder"),
    ("exec", "runs other programs"),
    ("routes:public", "has routes that need no sign-in"),
    ("ui", "changes the web page"),
)
_SECRET = re.compile(r"secrets:[A-Za-z_][A-Za-z0-9_]*\Z")
_TEXTS = ("id", "version", "llms", "description", "homepage")
_LISTS = ("permissions", "requirements")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every field may be missing; so may the file. `settings` is a JSON Schema of an object."""

    id: str = ""
    version: str = ""
    llms: str = ""  # which versions of llms it works with, as `>=1,<2`
    description: str = ""
    homepage: str = ""
    permissions: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    settings: Json = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """The manifest in `folder`. Raises ConfigError for one that cannot be understood."""
        path = folder / FILE
        try:
            data = tomllib.loads(path.read_text("utf-8-sig"))
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}. Save it as UTF-8 that you may read.") from error
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: {error}. Correct it.") from error
        return cls(**_checked(path, data))

    def why_not(self, version: str) -> str | None:
        """Why it cannot be loaded by llms `version`; None if it can."""
        if not self.llms:
            return None
        from packaging.specifiers import SpecifierSet

        if SpecifierSet(self.llms).contains(version, prereleases=True):
            return None
        return f"It works with llms {self.llms}, this is {version}. Update one of the two."


def _checked(path: Path, data: Json) -> Json:
    """The fields of `data` that a manifest has, each of the right type."""
    unknown = data.keys() - {*_TEXTS, *_LISTS, "settings"}
    if unknown:
        raise ConfigError(f"{path}: unknown key '{min(unknown)}'. Take it out, or correct its name.")
    for key in _TEXTS:
        _expect(path, key, data.get(key, ""), str, "a text")
    for key in _LISTS:
        entries = _expect(path, key, data.get(key, []), list, "a list of texts")
        if not all(isinstance(entry, str) for entry in entries):
            raise ConfigError(f"{path}: `{key}` must be a list of texts. Correct it.")
    _expect(path, "settings", data.get("settings", {}), dict, "a JSON Schema")
    _check_range(path, data.get("llms", ""))
    for permission in data.get("permissions", []):
        if permission not in dict(PERMISSIONS) and not _SECRET.match(permission):
            known = ", ".join([*dict(PERMISSIONS), "secrets:NAME"])
            raise ConfigError(f"{path}: there is no permission '{permission}'. Choose from: {known}.")
    lists = {key: tuple(data.get(key, [])) for key in _LISTS}
    return {**data, **lists, "settings": _schema(path, data.get("settings", {}))}


def _expect(path: Path, key: str, value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind):
        raise ConfigError(f"{path}: `{key}` must be {name}, not {type(value).__name__}. Correct it.")
    return value


def _check_range(path: Path, text: str) -> None:
    if not text:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(text)
    except InvalidSpecifier as error:
        raise ConfigError(f"{path}: `llms` must be a range such as '>=1,<2', not '{text}'. Correct it.") from error


def _schema(path: Path, settings: Json) -> Json:
    """A schema of an object; bare `properties` may be given without saying so."""
    if not settings:
        return {}
    schema = {"type": "object", **settings}
    try:
        check_schema(schema)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return schema
