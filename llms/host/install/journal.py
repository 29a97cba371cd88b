"""Puts a staged extension in place so that an end at any moment leaves the old state or the new one.

What is fetched waits in a folder `.staging-…` beside the extensions. Before that folder gets its journal, nothing has
happened: it can be deleted. From then on the change will happen: whoever finds the journal finishes it.
"""

import shutil
import tempfile
from pathlib import Path

import msgspec

from llms.host.install import lock
from llms.host.install.lock import Entry
from llms.kernel import files
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home

STAGING = ".staging-"
PREVIOUS = ".previous"
_JOURNAL = "journal.json"
_NEW, _OLD = "new", "old"


class Change(msgspec.Struct, frozen=True):
    """What shall be true of the extension `name`. Without an entry it is gone, and its former version too."""

    name: str
    entry: Entry | None = None
    is_folder: bool = True  # else a package, of which only the lock file tells


def stage(home: Home) -> Path:
    """A new staging folder."""
    try:
        home.extensions.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=STAGING, dir=home.extensions))
    except OSError as error:
        raise files.cannot_write(home.extensions, error) from error


def content(staging: Path) -> Path:
    """Where in `staging` the new version belongs."""
    return staging / _NEW


def copy(folder: Path, staging: Path) -> None:
    """Puts a whole copy of `folder` where the new version belongs, git's files and requirements with it."""
    try:
        shutil.copytree(folder, content(staging), symlinks=True)
    except (OSError, shutil.Error) as error:
        raise ConfigError(f"{folder} cannot be copied: {error}. Check its permissions and the space left.") from error


def previous(home: Home, name: str) -> Path:
    """Where the version before the present one is kept."""
    return home.extensions / PREVIOUS / name


def commit(home: Home, staging: Path, change: Change) -> None:
    """Makes `change` true, and deletes `staging`. The caller has the lock. Raises ConfigError."""
    files.write_atomic(staging / _JOURNAL, msgspec.json.encode(change))
    _finish(home, staging, change)


def recover(home: Home) -> None:
    """Finishes what was begun and deletes what was not. The caller has the lock. Raises ConfigError."""
    for staging in leftovers(home):
        if (staging / _JOURNAL).exists():
            try:
                change = msgspec.json.decode(files.read_bytes(staging / _JOURNAL), type=Change)
            except msgspec.DecodeError as error:
                raise ConfigError(f"{staging / _JOURNAL} was damaged: {error}. Delete {staging}.") from error
            _finish(home, staging, change)
        else:
            discard(staging)


def recover_unfinished(home: Home) -> None:
    """For a server that starts: finishes an install that was killed at its last step. Free if there is none."""
    if any((staging / _JOURNAL).exists() for staging in leftovers(home)):
        with files.lock(home.lock_file):
            recover(home)


def leftovers(home: Home) -> list[Path]:
    """Staging folders, of installs that run or were killed."""
    try:
        return sorted(home.extensions.glob(f"{STAGING}*"))
    except OSError:
        return []


def discard(staging: Path) -> None:
    """Deletes `staging`, as far as that goes: the next run tries again."""
    (staging / _JOURNAL).unlink(missing_ok=True)  # first: without it, the rest means nothing
    shutil.rmtree(staging, ignore_errors=True)


def _finish(home: Home, staging: Path, change: Change) -> None:
    """May be called again after an end at any line."""
    try:
        if change.is_folder:
            _swap(home, staging, change)
        _record(home, change)
    except OSError as error:
        raise files.cannot_write(home.extensions, error) from error
    discard(staging)


def _swap(home: Home, staging: Path, change: Change) -> None:
    present, new, old = home.extensions / change.name, staging / _NEW, staging / _OLD
    kept = previous(home, change.name)
    is_begun = _exists(old) or (change.entry is not None and not new.exists())
    if _exists(present) and not is_begun:
        present.rename(old)
    if change.entry is not None and new.exists():
        new.rename(present)
    if change.entry is None:
        if kept.exists():
            kept.rename(staging / "dropped")
    elif _exists(old):
        kept.parent.mkdir(exist_ok=True)
        if kept.exists():
            kept.rename(staging / "dropped")
        old.rename(kept)


def _record(home: Home, change: Change) -> None:
    entries = lock.read(home.lock_file)
    if change.entry is not None:
        entries[change.name] = change.entry
    else:
        entries.pop(change.name, None)
    lock.write(home.lock_file, entries)


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()
