"""Whether an extension asks for the packages that it imports."""

import sys
from collections.abc import Collection, Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import llms
from llms.host.install import requirements
from llms.host.manifest import Manifest
from llms.testing.conformance.source import Import, Module

PACKAGE = Path(llms.__file__).parent


def unlisted(folder: Path, modules: Collection[Module], manifest: Manifest) -> Iterator[Import]:
    """The imports that no listed package accounts for, each top-level name once. Raises ConfigError for a bad list.

    What llms itself needs is always there. One that nobody has installed may be called otherwise than its package:
    where a listed package is not installed either, it counts as that one.
    """
    listed = {canonicalize_name(requirement.name) for requirement in requirements.read(folder, manifest).wanted}
    providers = packages_distributions()
    installed = {canonicalize_name(name) for names in providers.values() for name in names}
    accounted = listed | _of_llms(extras=folder.is_relative_to(PACKAGE))  # its own extensions tell which extra to add
    seen: set[str] = set()
    for found in _foreign(folder, modules):
        top = found.name.partition(".")[0]
        brought_by = {canonicalize_name(name) for name in providers.get(top, ())} or {canonicalize_name(top)}
        is_unknown = top not in providers and bool(listed - installed)
        if top not in seen and not is_unknown and not brought_by & accounted:
            seen.add(top)
            yield found


def own_names(folder: Path) -> set[str]:
    """What its own files and folders can be imported as: by no name of Python's own modules."""
    try:
        found = {entry.stem for entry in folder.iterdir() if entry.suffix == ".py" or entry.is_dir()}
    except OSError:
        found = set()
    return {*found, folder.name} - sys.stdlib_module_names


def _foreign(folder: Path, modules: Collection[Module]) -> Iterator[Import]:
    """The needed imports of what is neither Python's, nor llms', nor the extension's own."""
    known = {*sys.stdlib_module_names, "llms", "__main__", *own_names(folder)}
    for module in modules:
        for found in module.imports():
            if not found.is_optional and found.name.partition(".")[0] not in known:
                yield found


def _of_llms(*, extras: bool) -> set[str]:
    """The packages that llms needs wherever it is installed; with `extras`, also those it can do without."""
    needed = map(Requirement, requires("llms") or ())
    return {canonicalize_name(found.name) for found in needed if extras or "extra" not in str(found.marker or "")}
