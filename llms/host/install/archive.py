"""Archives: fetched, and unpacked so that nothing lands outside its folder."""

import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from llms.host.install import tree
from llms.host.install.source import ARCHIVES
from llms.kernel.errors import ConfigError
from llms.kernel.paths import is_plain_name

_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError)
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    mode: int  # with the kind of file, as `stat` has it
    link: str
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a .zip, .tar.gz or .tgz into the new `folder`; a single folder around everything is left out.

    Raises ConfigError for paths and links that lead out, for devices, for too much, and for a broken archive.
    """
    around = folder.with_name(f"{folder.name}.around")
    around.mkdir()
    try:
        with _members(archive) as members:
            _extract(members, around)
    except _BROKEN as error:
        raise ConfigError(f"{archive.name} cannot be unpacked: {error}. Check that it is whole.") from error
    entries = list(around.iterdir())
    single = entries[0] if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink() else around
    single.rename(folder)
    if single is not around:
        around.rmdir()


def _extract(members: Iterator[_Member], root: Path) -> None:
    """Links come last: no file is ever written through one. `tree.read` says later whether they stay inside."""
    links, size = [], 0
    for count, member in enumerate(members, start=1):
        tree.refuse_too_much(count, size)  # folders count as well
        path = _inside(root, member.name)
        if stat.S_ISDIR(member.mode):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(member.mode):
            links.append((path, member.link))
        elif stat.S_ISREG(member.mode):
            size = _write(member, path, size)
        else:
            raise ConfigError(f"{member.name} is neither a file nor a folder. Take it out of the archive.")
    for path, target in links:
        os.symlink(target, path)  # noqa: PTH211 - as written, not tidied


def _write(member: _Member, path: Path, size: int) -> int:
    """Writes one file; gives the size of all so far. What the archive says of its size is not believed."""
    source = member.open()
    if source is None:
        raise ConfigError(f"{member.name} has no content. Make the archive again.")
    with source, path.open("xb") as file:
        while block := source.read(_CHUNK):
            size += len(block)
            tree.refuse_too_much(0, size)
            file.write(block)
    path.chmod(0o755 if member.mode & stat.S_IXUSR else 0o644)
    return size


def _inside(root: Path, name: str) -> Path:
    parts = name.removeprefix("./").rstrip("/").split("/")
    if parts in ([""], ["."]):
        return root
    if not all(map(is_plain_name, parts)):
        raise ConfigError(f"The archive has a file called {name!r}, which leads out of its folder. Do not trust it.")
    return root.joinpath(*parts)


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[_Member]]:
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as zipped:
            yield _zip_members(zipped)
    else:
        with tarfile.open(archive, "r:gz") as tarred:
            yield _tar_members(tarred)


def _zip_members(zipped: zipfile.ZipFile) -> Iterator[_Member]:
    for info in zipped.infolist():
        mode = info.external_attr >> 16
        if not stat.S_IFMT(mode):  # made where files have no modes
            mode |= stat.S_IFDIR if info.is_dir() else stat.S_IFREG
        link = ""
        if stat.S_ISLNK(mode):
            with zipped.open(info) as file:
                link = file.read(4096).decode("utf-8", "surrogateescape")
        yield _Member(info.filename, mode, link, partial(zipped.open, info))


def _tar_members(tarred: tarfile.TarFile) -> Iterator[_Member]:
    for info in tarred:
        kind = (
            stat.S_IFREG
            if info.isreg()
            else stat.S_IFDIR
            if info.isdir()
            else stat.S_IFLNK
            if info.issym()
            else stat.S_IFCHR  # devices, pipes, hard links: none of them is let in
        )
        yield _Member(info.name, kind | info.mode & 0o777, info.linkname, partial(tarred.extractfile, info))


def suffix(path: str) -> str:
    """`.zip`, `.tar.gz` or `.tgz`."""
    return next(end for end in ARCHIVES if path.lower().endswith(end))


def fetch_local(path: Path, into: Path) -> None:
    """Copies an archive from this machine, so that what was looked at is what is installed."""
    try:
        shutil.copyfile(path, into)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error
