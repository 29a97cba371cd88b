"""Gets what a source names into a staging folder, as plain files that stay inside it."""

from pathlib import Path

from llms.host.install import archive, tree
from llms.host.install.download import download
from llms.host.install.git import Git
from llms.host.install.source import Source
from llms.kernel.errors import ConfigError


def fetch(source: Source, folder: Path, git: Git) -> str:
    """Fills the new `folder` from a git repository, a folder or an archive; gives the commit, if there is one.

    Raises ConfigError.
    """
    commit = ""
    if source.kind == "git":
        commit = git.clone(source, folder)
    elif source.kind == "archive":
        _unpack(source, folder)
    else:
        _copy(Path(source.place), folder)
    tree.prune(folder, keep_git=source.kind == "git")
    return commit


def _copy(place: Path, folder: Path) -> None:
    if not place.is_dir():
        raise ConfigError(f"{place} is no folder any more. Check the path.")
    if folder.is_relative_to(place):
        raise ConfigError(f"{place} holds the extensions folder. Name the folder of one extension.")
    tree.copy(place, folder)


def _unpack(source: Source, folder: Path) -> None:
    fetched = folder.with_name(f"fetched{archive.suffix(source.place)}")
    if "://" in source.place:
        download(source.address, fetched, most=tree.MOST_BYTES)
    else:
        archive.fetch_local(Path(source.place), fetched)
    archive.unpack(fetched, folder)
    fetched.unlink()
