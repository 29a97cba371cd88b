"""Whether what an extension needs can be installed beside what the server and other extensions use."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from llms.host.install.command import CommandFailed
from llms.host.install.installed import Installed
from llms.host.install.packages import Packages
from llms.kernel.errors import ConfigError

Outcome = Literal["fits", "overlay", "refused"]


@dataclass(frozen=True, slots=True)
class Held:
    """A version that a running server needs. `apart`: it is in the overlay of an extension."""

    version: str
    owner: str
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Resolution:
    """`fits`: `new` goes beside the server, and nothing that is there changes. `overlay`: `new` goes into the
    extension's own folder. `refused`: it cannot run in this process; `clashes` say why.
    """

    outcome: Outcome = "fits"
    present: Mapping[str, str] = field(default_factory=dict)
    new: Mapping[str, str] = field(default_factory=dict)
    clashes: tuple[str, ...] = ()


class Resolver:
    """Asks pip or uv, and installs nothing."""

    def __init__(
        self, packages: Callable[[], Packages], installed: Installed, held: Mapping[str, Held], scratch: Path
    ) -> None:
        self._packages, self._installed, self._held, self._scratch = packages, installed, held, scratch

    def resolve(self, wanted: Sequence[Requirement]) -> Resolution:
        """How `wanted` can be had. Raises ConfigError where it cannot be had at all, or the network is away."""
        present = self._installed.closure(wanted)
        if not self._installed.missing(wanted) and not self._clashes(present):
            return Resolution(present=present)
        free = self._freely(wanted)
        beside = self._beside(wanted, free)
        if beside is not None:
            return Resolution("fits", _without(present, beside), beside)
        apart = self._attempt(wanted, _pins((name, held.version) for name, held in self._held.items()))
        if apart is not None:
            return Resolution("overlay", _without(present, apart), apart)
        return self._refusal(present, free)

    def resolve_package(self, package: Requirement) -> Resolution:
        """How a package that is an extension, in another version than now or not, can go beside the server."""
        own = canonicalize_name(package.name)
        others = {name: version for name, version in self._installed.versions.items() if name != own}
        new = self._attempt([package], [*_pins(others.items()), *self._pins_apart()], upgrade=True)
        return self._refusal({}, self._freely([package], upgrade=True)) if new is None else Resolution(new=new)

    def _beside(self, wanted: Sequence[Requirement], free: Mapping[str, str]) -> Mapping[str, str] | None:
        """What is to be added where nothing changes that is there; None if that cannot be."""
        apart = self._pins_apart()
        if not apart and not free.keys() & self._installed.versions.keys():
            return free
        return self._attempt(wanted, [*_pins(self._installed.versions.items()), *apart])

    def _freely(self, wanted: Sequence[Requirement], *, upgrade: bool = False) -> dict[str, str]:
        try:
            return self._packages().resolve(_texts(wanted), [], self._scratch, upgrade=upgrade)
        except CommandFailed as error:
            raise ConfigError(
                f"The requirements cannot be resolved ({error.said}). Check their names and the network; to have "
                "source packages built, which runs their code, set PIP_ONLY_BINARY=:none: (for uv UV_NO_BUILD=0)."
            ) from error

    def _attempt(
        self, wanted: Sequence[Requirement], pins: Sequence[str], *, upgrade: bool = False
    ) -> dict[str, str] | None:
        """What would be installed, None where it does not go with `pins`."""
        try:
            return self._packages().resolve(_texts(wanted), pins, self._scratch, upgrade=upgrade)
        except CommandFailed as error:
            if error.late:
                raise
            return None

    def _pins_apart(self) -> list[str]:
        return _pins((name, held.version) for name, held in self._held.items() if held.apart)

    def _refusal(self, present: Mapping[str, str], free: Mapping[str, str]) -> Resolution:
        clashes = self._clashes({**present, **free})
        return Resolution("refused", clashes=tuple(clashes) or ("no versions go with what the server uses",))

    def _clashes(self, versions: Mapping[str, str]) -> list[str]:
        held = ((name, version, self._held[name]) for name, version in versions.items() if name in self._held)
        return [
            f"it needs {name} {version}, {other.owner} uses {other.version}"
            for name, version, other in held
            if version != other.version
        ]


def install_lines(wanted: Sequence[Requirement], versions: Mapping[str, str]) -> list[str]:
    """`versions` as requirements; one that comes from an address keeps it."""
    addresses: dict[str, str] = {canonicalize_name(one.name): str(one) for one in wanted if one.url is not None}
    return [addresses.get(name, f"{name}=={version}") for name, version in sorted(versions.items())]


def _pins(versions: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name}=={version}" for name, version in sorted(versions) if _is_version(version)]


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _texts(wanted: Sequence[Requirement]) -> list[str]:
    return [str(requirement) for requirement in wanted]


def _without(present: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    return {name: version for name, version in present.items() if name not in new}
