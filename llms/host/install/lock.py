"""`extensions.lock`: what is installed, where it came from, and in which state exactly."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from llms.host.install.source import Kind, Source
from llms.kernel import files
from llms.kernel.errors import ConfigError

_VERSION = 1


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One extension. `previous` is what `rollback` puts back."""

    kind: Kind
    source: str  # without passwords
    commit: str = ""  # of a package: its version
    ref: str = ""
    tree: str = ""
    installed: str = ""
    requirements: dict[str, str] = {}  # the versions it found or got beside the server; msgspec copies the default
    overlay: dict[str, str] = {}  # the versions in its own folder
    provides: tuple[str, ...] = ()  # of a package: the names of its extensions
    previous: "Entry | None" = None

    def origin(self, name: str) -> Source:
        """Where it came from, for fetching it again."""
        return Source(self.kind, self.source, name, self.ref, self.source)

    def former(self) -> "Entry":
        """As it stands in `previous`: of the past, only the last is kept."""
        return msgspec.structs.replace(self, previous=None)


class _File(msgspec.Struct):
    extensions: dict[str, Entry] = {}
    version: int = _VERSION


def read(path: Path) -> dict[str, Entry]:
    """The entries by extension. Raises ConfigError for a file that cannot be understood."""
    if not path.exists():
        return {}
    try:
        found = msgspec.convert(files.read_json(path, fix=_FIX), _File)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path.name}: {error}. {_FIX}") from error
    if found.version > _VERSION:
        raise ConfigError(f"{path} was written by a newer llms. Update this one.")
    return found.extensions


def write(path: Path, entries: Mapping[str, Entry]) -> None:
    """Replaces the file, whole or not at all. Raises ConfigError."""
    data: dict[str, Any] = {"version": _VERSION, "extensions": msgspec.to_builtins(dict(sorted(entries.items())))}
    files.write_atomic(path, files.to_json(data))


_FIX = "Correct it, or delete it: then what is installed stays, but is not known any more."
