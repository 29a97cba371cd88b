"""The files of an extension: what they hash to, and whether they stay inside their folder."""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from llms.kernel.errors import ConfigError

OVERLAY = ".requirements"  # what an extension needs in other versions than the server has
_NOT_CONTENT = frozenset({".git", "__pycache__", OVERLAY})
MOST_FILES = 20_000
MOST_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Tree:
    """`files` maps each path to what its kind, mode and content hash to."""

    files: Mapping[str, str]
    size: int

    @property
    def hash(self) -> str:
        """Changes with any path, content, link or executable bit; not with times or owners."""
        whole = hashlib.sha256()
        for path in sorted(self.files):
            whole.update(f"{path}\0{self.files[path]}\0".encode("utf-8", "surrogateescape"))
        return f"sha256:{whole.hexdigest()}"


def read(folder: Path) -> Tree:
    """The files of `folder`, without git's own, compiled ones and installed requirements.

    Raises ConfigError for links that lead out, for what is neither file nor link, and for too much of all.
    """
    files, size = {}, 0
    for path in _walk(folder):
        size += path.lstat().st_size
        files[path.relative_to(folder).as_posix()] = _digest(path, folder)
        refuse_too_much(len(files), size)
    return Tree(files, size)


def copy(folder: Path, into: Path) -> None:
    """Copies what `read` would see to the new folder `into`; links stay links. Raises ConfigError as `read` does."""
    read(folder)
    try:
        shutil.copytree(folder, into, symlinks=True, ignore=lambda _, names: _NOT_CONTENT.intersection(names))
    except (OSError, shutil.Error) as error:
        raise ConfigError(f"{folder} cannot be copied: {error}. Check its permissions and the space left.") from error


def prune(folder: Path, *, keep_git: bool = False) -> None:
    """Deletes what is no content of an extension but could do harm, such as compiled code nobody can read."""
    for parent, folders, files in os.walk(folder):
        for name in [name for name in (*folders, *files) if name.casefold() in _NOT_CONTENT]:
            path = Path(parent) / name
            if path.is_symlink() or name in files:
                path.unlink()
            elif not (keep_git and path == folder / ".git"):
                shutil.rmtree(path)
        folders[:] = [name for name in folders if name.casefold() not in _NOT_CONTENT]


def differences(old: Tree, new: Tree) -> list[str]:
    """`+ added`, `- gone` and `~ changed` paths, in the order of their names."""
    paths = sorted({*old.files, *new.files})
    marks = ((_mark(old.files.get(path), new.files.get(path)), path) for path in paths)
    return [f"{mark} {path}" for mark, path in marks if mark]


def is_content(path: str) -> bool:
    """Whether the file at `path`, relative to an extension, is a part of it."""
    return not _NOT_CONTENT.intersection(path.split("/"))


def refuse_too_much(files: int, size: int) -> None:
    """Raises ConfigError where no extension can be meant."""
    if files > MOST_FILES or size > MOST_BYTES:
        raise ConfigError(
            f"That is more than {MOST_FILES} files or {MOST_BYTES // 1_000_000} MB: no extension is so large. "
            "Check what it holds."
        )


def _mark(old: str | None, new: str | None) -> str:
    if old == new:
        return ""
    return "+" if old is None else "-" if new is None else "~"


def _walk(folder: Path) -> Iterator[Path]:
    for parent, names, files in os.walk(folder):
        names[:] = [name for name in names if name not in _NOT_CONTENT]
        links = [name for name in names if (Path(parent) / name).is_symlink()]
        for name in (*files, *links):
            if name not in _NOT_CONTENT:  # a submodule's `.git` is a file
                yield Path(parent) / name


def _digest(path: Path, root: Path) -> str:
    facts = path.lstat()
    if stat.S_ISLNK(facts.st_mode):
        return f"link {_inner_target(path, root)}"
    if not stat.S_ISREG(facts.st_mode):
        raise ConfigError(f"{path.relative_to(root)} is neither a file nor a folder. Take it out of the extension.")
    kind = "program" if facts.st_mode & stat.S_IXUSR else "file"
    try:
        with path.open("rb") as file:
            return f"{kind} {hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error


def _inner_target(path: Path, root: Path) -> str:
    target = os.readlink(path)  # noqa: PTH115 - a Path would tidy the text, which is hashed
    try:
        inside = not Path(target).is_absolute() and path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a loop
        inside = False
    if not inside:
        raise ConfigError(f"The link {path.relative_to(root)} leads out of the extension. Take it out.")
    return target
