"""A Python package that is an extension: it has an entry point in the group `llms.extensions`."""

from importlib.metadata import EntryPoint, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from llms.host.discovery import GROUP
from llms.host.install.command import CommandFailed
from llms.host.install.packages import Packages
from llms.kernel.errors import ConfigError


def fetch(packages: Packages, wanted: str, folder: Path, scratch: Path) -> None:
    """Unpacks the package `wanted`, without what it needs, into the new `folder`. No line of it runs."""
    try:
        packages.install([wanted], scratch, into=folder)
    except CommandFailed as error:
        raise ConfigError(f"{wanted} cannot be fetched ({error.said}). Check its name and the network.") from error


def version(name: str, folder: Path) -> str:
    """The version of the package unpacked in `folder`."""
    found = [
        one.version for one in distributions(path=[str(folder)]) if canonicalize_name(one.metadata["Name"]) == name
    ]
    return found[0] if found else ""


def requirement(name: str, number: str) -> Requirement:
    return Requirement(f"{name}=={number}" if number else name)


def entry_points(name: str, folder: Path) -> list[EntryPoint]:
    """The extensions that the package unpacked in `folder` offers. Raises ConfigError where there are none."""
    found = [
        point
        for one in distributions(path=[str(folder)])
        if canonicalize_name(one.metadata["Name"]) == name
        for point in one.entry_points
        if point.group == GROUP
    ]
    if not found:
        raise ConfigError(f"{name} is no extension: it has no entry point in the group {GROUP}. Check its name.")
    return sorted(found, key=lambda point: point.name)


def module(point: EntryPoint, folder: Path) -> Path:
    """Where the code of an entry point is, below `folder`."""
    return folder.joinpath(*point.module.split("."))
