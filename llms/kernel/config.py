"""The configuration of a running process: read once, checked, and read again when the files change."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from llms.kernel import catalog, files, schema, snapshot
from llms.kernel.catalog import Origin
from llms.kernel.errors import ConfigError
from llms.kernel.limits import Limits
from llms.kernel.paths import Home
from llms.kernel.types import Json

_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True)
class Sources:
    """The three files, and the environment that `$NAME` is looked up in."""

    config: Path
    providers: Path
    extras: Path
    environ: Mapping[str, str]
    home: Home

    def signature(self) -> tuple[tuple[int, int, int] | None, ...]:
        """Differs when a file was replaced, edited, added or removed. Costs three `stat` calls."""
        return tuple(_stat(path) for path in (self.config, self.providers, self.extras))

    def fix(self, path: Path) -> str:
        """The end of a sentence about a fault in `path`."""
        if path == self.home.config_file:
            return "Correct it or run `llms --reset config`."
        if path in (self.home.providers_file, self.home.extras_file):
            return "Correct it or run `llms --reset providers`."
        return "Correct it."

    def catalog_in(self, path: Path, data: bytes) -> tuple[Json, Origin]:
        """The providers in `data`, read from `path`, and where they come from. Raises ConfigError if it is unusable."""
        providers, origin = catalog.split(files.parse_json(data, name=path.name, fix=self.fix(path)))
        self.check(path, providers, dict[str, schema.CatalogEntry])
        return providers, origin

    def check(self, path: Path, data: Json, kind: Any) -> None:
        found = schema.problem(data, kind)
        if found:
            raise ConfigError(f"{path.name}: {found}. {self.fix(path)}")


class Config:
    """What llms.json, providers.json and providers-extra.json say.

    `data` is llms.json with top-level `$NAME` values expanded, `catalog` the other two, and `origin` tells where the
    facts in it come from. The dicts stay the same for the life of the process: a reload changes what is in them. A
    provider's `$NAME` stays as written.
    """

    def __init__(self, sources: Sources) -> None:
        self.data: Json = {}
        self.catalog: Json = {}
        self.origin = Origin()
        self.limits = Limits()
        self.warnings: list[str] = []
        self._sources = sources
        self._signature: object = None
        self._content: object = None  # of what `data` and `catalog` were made: order counts, so dicts are not compared

    @classmethod
    def load(
        cls,
        home: Home,
        *,
        config_file: Path | None = None,
        providers_file: Path | None = None,
        environ: Mapping[str, str],
    ) -> "Config":
        """Reads the files of `home`, or the ones named. A `providers.json` beside `config_file` is used too.

        Raises ConfigError, naming file and key, if one is missing or cannot be used.
        """
        beside = config_file.with_name("providers.json") if config_file else None
        config = cls(
            Sources(
                config=config_file or home.config_file,
                providers=providers_file or (beside if beside and beside.exists() else home.providers_file),
                extras=home.extras_file,
                environ=environ,
                home=home,
            )
        )
        config.reload()
        return config

    @property
    def file(self) -> Path:
        """The llms.json in use."""
        return self._sources.config

    @property
    def providers_file(self) -> Path:
        """The providers.json in use."""
        return self._sources.providers

    @property
    def home(self) -> Home:
        return self._sources.home

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that `$NAME` is looked up in."""
        return self._sources.environ

    def changed(self) -> bool:
        """Whether a file has changed since it was last read, well or badly."""
        return self._sources.signature() != self._signature

    def reload(self) -> bool:
        """Reads the files again; True if that changed anything. Raises ConfigError, and keeps what it had."""
        self._signature = self._sources.signature()  # first, so that a write during the read is not missed
        fresh = _read(self._sources)
        if fresh.content == self._content:
            return False
        self._content, self.limits, self.warnings = fresh.content, fresh.limits, fresh.warnings
        self.origin = fresh.origin
        _become(self.data, fresh.data)
        _become(self.catalog, fresh.catalog)
        return True

    def update(self, edit: Callable[[Json], None]) -> bool:
        """Lets `edit` change llms.json as it is on disk, then reloads; True if that changed anything.

        Raises ConfigError, and writes nothing, if the result could not be read back.
        """

        def checked(raw: Json) -> None:
            edit(raw)
            _expand(raw, self._sources, [])

        files.update_json(self._sources.config, checked)
        return self.reload()


@dataclass
class _Reading:
    data: Json
    catalog: Json
    origin: Origin
    limits: Limits
    content: tuple[str | bytes, ...]
    warnings: list[str] = field(default_factory=list)


def _read(sources: Sources) -> _Reading:
    raw = files.read_json(sources.config, fix=sources.fix(sources.config))
    warnings = schema.unknown_keys(raw)
    data = _expand(raw, sources, warnings)
    if data.get("version", 0) > schema.VERSION:
        warnings.append(f"llms.json: version {data['version']} is newer than this llms. Update llms.")
    facts = files.read_bytes(sources.providers)
    added = files.read_bytes(sources.extras) if sources.extras.exists() else b"{}"
    providers, origin = sources.catalog_in(sources.providers, facts)
    extras, _ = sources.catalog_in(sources.extras, added)
    known = catalog.overlay(providers, extras, date=origin.date)
    known.update(_bare(data, known, sources.home))
    return _Reading(
        data=data,
        catalog=known,
        origin=origin,
        content=(json.dumps(data), _digest(facts), _digest(added)),
        limits=msgspec.convert(data.get("limits", {}), Limits),
        warnings=warnings,
    )


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _bare(data: Json, known: Json, home: Home) -> Json:
    """The packaged facts on providers of which llms.json tells nothing but that they are wanted."""
    told = ("api", "npm", "models")
    ids = {
        id
        for id, entry in catalog.looked_up(data).items()
        if id not in known and entry.get("enabled", True) and not any(key in entry for key in told)
    }
    if not ids:
        return {}
    everything, origin = snapshot.read(home.package)
    return catalog.overlay({id: everything[id] for id in ids & everything.keys()}, {}, date=origin.date)


def _expand(raw: Json, sources: Sources, warnings: list[str]) -> Json:
    """`raw` with every top-level `$NAME` replaced, and checked. A variable that is not set gives ""."""
    data = dict(raw)
    for key, value in raw.items():
        found = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            continue
        data[key] = sources.environ.get(found[1], "")
        if found[1] not in sources.environ:
            warnings.append(f"{sources.config.name}: {key} is empty because {found[1]} is not set. Set it.")
    sources.check(sources.config, data, schema.ConfigFile)
    return data


def _become(old: Json, new: Json) -> None:
    """Turns `old` into `new` so that who reads it meanwhile never finds it empty."""
    old.update(new)
    for key in old.keys() - new.keys():
        del old[key]


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
