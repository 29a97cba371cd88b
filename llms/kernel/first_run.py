"""Puts the packaged files into a home, now or again, and brings old ones up to date. Works offline."""

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from llms.kernel import catalog, files, schema, snapshot
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home

What = Literal["config", "providers", "all"]
_KEPT = ("auth", "defaults", "limits", "convert")  # what a migration carries over


def ensure_home(home: Home) -> list[str]:
    """Makes `home` usable: the folder, its three files, llms.json up to date. Says what it did."""
    home.prepare()
    return [*create_home_files(home), *migrate(home)]


def create_home_files(home: Home, *, mention_all: bool = False) -> list[str]:
    """Copies each of the three files that is absent, saying so per file; if asked, also of those present."""
    home.prepare()
    said = []
    for path in _chosen(home, "all"):
        if _create(home, path):
            said.append(f"Created {path}")
        elif mention_all:
            said.append(f"{path} already exists")
    return said


def migrate(home: Home) -> list[str]:
    """Rewrites a llms.json older than version 3: packaged, plus its own auth, defaults, limits and convert.

    The old file is kept beside it. Raises ConfigError if the old file is not JSON.
    """
    path = home.config_file
    if not _is_old(path):
        return []
    with files.lock(path):
        if not _is_old(path):
            return []
        old, new = files.read_json(path), files.parse_json(_packaged(home, path), name=path.name)
        backup = _back_up(path)
        files.write_atomic(path, files.to_json(_merged(new, old)))
    return [
        f"Migrated {path} to version {schema.VERSION}. The old file is {backup.name}: "
        "providers you changed in it are to be changed again."
    ]


def reset(home: Home, what: What) -> list[str]:
    """Writes the packaged files again, keeping a copy of each that differs. Says so per file."""
    home.prepare()
    said = []
    for path in _chosen(home, what):
        packaged = _packaged(home, path)
        with files.lock(path):
            differs = path.exists() and files.read_bytes(path) != packaged
            backup = f", the old file is {_back_up(path).name}" if differs else ""
            files.write_atomic(path, packaged)
        said.append(f"Reset {path}{backup}")
    return said


def _chosen(home: Home, what: What) -> list[Path]:
    config, providers = [home.config_file], [home.providers_file, home.extras_file]
    return {"config": config, "providers": providers, "all": config + providers}[what]


def _create(home: Home, path: Path) -> bool:
    if path.exists():
        return False
    with files.lock(path):
        if path.exists():  # another process was faster, and may have edited it by now
            return False
        files.write_atomic(path, _packaged(home, path))
    return True


def _packaged(home: Home, path: Path) -> bytes:
    source = home.package / path.name
    if path == home.providers_file and not source.exists() and (known := _catalogue(home)):
        return known
    try:
        return source.read_bytes()
    except OSError as error:
        raise ConfigError(f"{source} is missing: {error.strerror}. Install llms again, or unset LLMS_ROOT.") from error


def _catalogue(home: Home) -> bytes:
    """What the packaged models.dev tells of the providers in the packaged llms.json; nothing where there is none."""
    known, origin = snapshot.read(home.package)
    if not known:
        return b""
    named = catalog.looked_up(files.parse_json(_packaged(home, home.config_file), name=home.config_file.name))
    return catalog.to_bytes({id: known[id] for id in named if id in known}, origin)


def _is_old(path: Path) -> bool:
    version = files.read_json(path, fix="Correct it or run `llms --reset config`.").get("version", 0)
    return isinstance(version, int) and version < schema.VERSION


def _merged(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """`new` with what `old` says under the kept keys; a default `old` never had stays."""
    for key in _KEPT:
        if isinstance(old.get(key), dict):
            new[key] = {**new.get(key, {}), **old[key]}
    return new


def _back_up(path: Path) -> Path:
    """Copies `path` to `<name>.<today>.bak`, with a number where that is taken: no backup is overwritten."""
    today = f"{datetime.now().astimezone():%Y-%m-%d}"
    backup, number = path.with_name(f"{path.name}.{today}.bak"), 1
    while backup.exists():
        number += 1
        backup = path.with_name(f"{path.name}.{today}-{number}.bak")
    files.write_atomic(backup, files.read_bytes(path))
    return backup
