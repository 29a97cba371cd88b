"""The Python packages that are installed, and which of them need each other."""

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import Distribution, distributions

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

SERVER = "llms"


class Installed:
    """What was on `path` when this was made; by default on the path of this process. Names are canonical."""

    def __init__(self, path: Sequence[str] | None = None) -> None:
        importlib.invalidate_caches()
        self._found: dict[str, Distribution] = {}
        for found in distributions(path=list(sys.path if path is None else path)):
            if found.metadata["Name"] and found.version:
                self._found.setdefault(canonicalize_name(found.metadata["Name"]), found)
        self.versions: Mapping[str, str] = {name: found.version for name, found in self._found.items()}

    def closure(self, wanted: Iterable[Requirement]) -> dict[str, str]:
        """The versions of `wanted` and of all they need in turn, as far as it is there."""
        found = ((name, self.versions.get(name)) for name, _ in self._walk(wanted))
        return {name: version for name, version in found if version is not None}

    def missing(self, wanted: Iterable[Requirement]) -> list[Requirement]:
        """What of `wanted`, and of all they need in turn, is not there or in another version."""
        return [requirement for name, requirement in self._walk(wanted) if not self._satisfies(name, requirement)]

    def server(self) -> dict[str, str]:
        """What the server may import: all it needs, and of its extras what is there.

        Where the server itself was not installed as a package, that is everything.
        """
        if SERVER not in self._found:
            return dict(self.versions)
        extras = self._found[SERVER].metadata.get_all("Provides-Extra") or ()
        return self.closure([Requirement(f"{SERVER}[{','.join(extras)}]" if extras else SERVER)])

    def _satisfies(self, name: str, requirement: Requirement) -> bool:
        version = self.versions.get(name)
        return version is not None and requirement.specifier.contains(version, prereleases=True)

    def _walk(self, wanted: Iterable[Requirement]) -> Iterator[tuple[str, Requirement]]:
        """Each requirement there is on the way, once, with its canonical name."""
        seen: set[str] = set()
        waiting = list(wanted)
        while waiting:
            requirement = waiting.pop()
            if str(requirement) in seen:
                continue
            seen.add(str(requirement))
            name = canonicalize_name(requirement.name)
            yield name, requirement
            if name in self._found:
                waiting += self._needs(name, frozenset(requirement.extras))

    def _needs(self, name: str, extras: frozenset[str]) -> list[Requirement]:
        needs = []
        for text in self._found[name].requires or ():
            try:
                requirement = Requirement(text)
            except InvalidRequirement:  # metadata of another time
                continue
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                needs.append(requirement)
        return needs
