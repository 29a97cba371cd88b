"""The extensions one can install by their bare name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from llms.host.install import download, source
from llms.kernel.errors import ConfigError

_API = "https://api.github.com"
_PAGE = 100
_MOST_PAGES = 10


@dataclass(frozen=True, slots=True)
class Repository:
    name: str
    description: str


def repositories(environ: Mapping[str, str], *, api: str = _API) -> list[Repository]:
    """What the organisation offers, sorted. Raises ConfigError where that cannot be known."""
    base = source.base(environ)
    if base.startswith("https://github.com") or api != _API:
        return sorted(_on_github(api), key=lambda found: found.name)
    folder = Path(urlsplit(base).path if base.startswith("file://") else base) / source.ORGANISATION
    try:
        names = sorted(path.name.removesuffix(".git") for path in folder.iterdir() if source.is_repository(path))
    except OSError as error:
        raise ConfigError(f"{base} cannot list its extensions. Name the one you want: `llms --add NAME`.") from error
    return [Repository(name, "") for name in names]


def _on_github(api: str) -> list[Repository]:
    found: list[Repository] = []
    for page in range(1, _MOST_PAGES + 1):
        address = f"{api}/orgs/{source.ORGANISATION}/repos?per_page={_PAGE}&page={page}"
        try:
            answer = download.get_json(address)
            rows = [Repository(str(row["name"]), str(row.get("description") or "")) for row in answer]
        except ConfigError as error:
            raise ConfigError(f"{error} You can still install one by its name: `llms --add NAME`.") from error
        except (AttributeError, KeyError, TypeError) as error:
            raise ConfigError("GitHub answered with no list. Try later, or name one: `llms --add NAME`.") from error
        found += rows
        if len(rows) < _PAGE:
            break
    return found
