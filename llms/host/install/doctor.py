"""Looks at what is installed and says what is wrong with it, and how to put it right. Runs none of it."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llms import __version__
from llms.host.discovery import user_folders
from llms.host.install import journal, lock, requirements, tree
from llms.host.install.environment import Environment
from llms.host.install.lock import Entry
from llms.host.manifest import Manifest
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home


@dataclass(frozen=True, slots=True)
class Finding:
    """`extension` is empty where none is to blame."""

    extension: str
    problem: str
    fix: str


def examine(home: Home, environment: Environment) -> list[Finding]:
    """All that is wrong. Raises ConfigError for a lock file that cannot be understood."""
    entries = lock.read(home.lock_file)
    folders = {extension.name: extension.path for extension in user_folders(home.extensions)}
    found = list(_leftovers(home, entries))
    for name in sorted({*entries, *folders}):
        entry, folder = entries.get(name), folders.get(name)
        if entry is not None and entry.kind == "package":
            found += _package(name, entry, environment)
        elif folder is None:
            found += _missing(home, name)
        else:
            found += _folder(name, folder, entry, environment)
    return found


def _leftovers(home: Home, entries: dict[str, Entry]) -> Iterator[Finding]:
    for staging in journal.leftovers(home):
        yield Finding("", f"{staging} is of an install that runs or was killed", "The next `llms ext add` clears it.")
    kept = home.extensions / journal.PREVIOUS
    for folder in sorted(kept.iterdir()) if kept.is_dir() else ():
        entry = entries.get(folder.name)
        if entry is None or entry.previous is None:
            yield Finding("", f"{folder} belongs to nothing", "Delete it.")


def _missing(home: Home, name: str) -> Iterator[Finding]:
    yield Finding(
        name,
        f"{home.extensions / name} is gone, or empty",
        f"Fetch it with `llms ext update {name}`, or forget it with `llms ext remove {name}`.",
    )


def _package(name: str, entry: Entry, environment: Environment) -> Iterator[Finding]:
    version = environment.installed().versions.get(name)
    if version is None:
        fix = f"Forget it with `llms ext remove {name}`, then add it again with `llms ext add pypi:{name}`."
        yield Finding(name, "its package is not installed", fix)
    elif version != entry.commit:
        yield Finding(name, f"version {version} is installed, {entry.commit} was", f"Run `llms ext update {name}`.")


def _folder(name: str, folder: Path, entry: Entry | None, environment: Environment) -> Iterator[Finding]:
    yield from _edits(name, folder, entry)
    yield from _syntax(name, folder)
    try:
        manifest = Manifest.read(folder)
        wanted = requirements.read(folder, manifest).wanted
    except ConfigError as error:
        yield Finding(name, str(error), "")
        return
    if why := manifest.why_not(__version__):
        yield Finding(name, why, "")
    lacking = environment.installed(folder / tree.OVERLAY).missing(wanted)
    if lacking:
        names = sorted({str(one) for one in lacking})
        fix = (
            f"Install them with `llms ext update {name}`."
            if entry is not None or (folder / ".git").exists()
            else f"Run `pip install {' '.join(repr(one) for one in names)}` for the Python that runs llms."
        )
        yield Finding(name, f"it needs {', '.join(names)}", fix)


def _edits(name: str, folder: Path, entry: Entry | None) -> Iterator[Finding]:
    if entry is None or folder.is_symlink():
        return
    try:
        if tree.read(folder).hash == entry.tree:
            return
    except ConfigError as error:
        yield Finding(name, str(error), "")
        return
    fix = f"`llms ext update {name} --force` puts the published version back, and keeps this one for `rollback`."
    yield Finding(name, "it was edited by hand since it was installed", fix)


def _syntax(name: str, folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder)
        if not tree.is_content(place.as_posix()):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(path.read_bytes())
        except (SyntaxError, ValueError) as error:
            line = f" line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            fix = f"Correct it, or look for a version for this Python: `llms ext update {name}`."
            yield Finding(name, f"{place}{line} is no code for this Python ({error})", fix)
        except OSError as error:
            yield Finding(name, f"{place} cannot be read ({error.strerror})", "Check its permissions.")
