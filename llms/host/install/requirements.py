"""The Python packages an extension asks for, in `requirements.txt` and `extension.toml`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from llms.host.manifest import Manifest
from llms.kernel.errors import ConfigError

FILE = "requirements.txt"
_THIS_SERVER = ("llms", "llms-py")  # would be installed over the server that runs


@dataclass(frozen=True, slots=True)
class Requirements:
    """`wanted` are those that count on this machine; `notes` say what was left out, and why."""

    wanted: tuple[Requirement, ...] = ()
    notes: tuple[str, ...] = ()


def read(folder: Path, manifest: Manifest) -> Requirements:
    """What the extension in `folder` asks for. Raises ConfigError for a line that cannot be understood."""
    wanted: dict[str, Requirement] = {}
    notes = []
    for name, line in (*_lines(folder), *(("extension.toml", line) for line in manifest.requirements)):
        if line.startswith("-"):
            notes.append(f"{name}: left out the option `{line}`; set it for pip yourself if you trust it")
            continue
        requirement = _requirement(name, line)
        if canonicalize_name(requirement.name) in _THIS_SERVER:
            notes.append(f"{name}: left out {requirement}, which would replace this server")
        elif requirement.marker is None or requirement.marker.evaluate():
            wanted[str(requirement)] = requirement
    return Requirements(tuple(wanted.values()), tuple(notes))


def _lines(folder: Path) -> Iterator[tuple[str, str]]:
    path = folder / FILE
    if not path.is_file():
        return
    try:
        text = path.read_text("utf-8-sig").replace("\\\n", " ")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. Save it as UTF-8.") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if content := f" {line}".partition(" #")[0].strip():
            yield f"{FILE} line {number}", content


def _requirement(name: str, line: str) -> Requirement:
    try:
        requirement = Requirement(line.partition(" --")[0].strip())  # `--hash=…` may follow
    except InvalidRequirement as error:
        raise ConfigError(f"{name}: '{line}' is no requirement such as 'package>=1.2'. Correct it.") from error
    if requirement.url is not None:
        parts = urlsplit(requirement.url)
        if parts.scheme != "https" or not parts.path.endswith(".whl"):
            raise ConfigError(f"{name}: '{requirement.name}' comes from an address. Name a published version instead.")
    return requirement
