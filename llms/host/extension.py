"""One extension, from the folder that was found to the code that runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llms.host.context import ExtensionContext
    from llms.host.importing import Imported
    from llms.host.manifest import Manifest


class Origin(StrEnum):
    """Where an extension comes from."""

    BUILT_IN = "built-in"
    USER = "user"  # a folder in the user's extensions folder
    PACKAGE = "package"  # an installed Python package
    DEVELOPMENT = "development"  # a path given with --extension


class State(StrEnum):
    """What has become of an extension."""

    FOUND = "found"  # nothing of it has run
    LOADED = "loaded"
    DISABLED = "disabled"
    FAILED = "failed"
    INCOMPATIBLE = "incompatible"


@dataclass(slots=True, eq=False)
class Extension:
    """`reason` says why it is not loaded, `seconds` what its import and its hooks took at start."""

    name: str
    path: Path
    origin: Origin
    package: str = ""  # the importable name, of built-ins and packages
    state: State = State.FOUND
    reason: str = ""
    manifest: Manifest | None = None
    imported: Imported | None = None
    ctx: ExtensionContext | None = None
    seconds: float = 0.0

    @property
    def is_third_party(self) -> bool:
        return self.origin is not Origin.BUILT_IN

    @property
    def is_loaded(self) -> bool:
        return self.state is State.LOADED

    @property
    def may_load(self) -> bool:
        """Whether nothing speaks against loading it, so far."""
        return self.state is State.FOUND

    @property
    def module(self) -> Any:
        return None if self.imported is None else self.imported.module

    @property
    def modules(self) -> list[ModuleType]:
        """Its modules that are imported by now, itself among them."""
        name = getattr(self.module, "__name__", "")
        found = [module for key, module in sys.modules.items() if key == name or key.startswith(f"{name}.")]
        return found if name else []

    @property
    def version(self) -> str:
        return self.manifest.version if self.manifest else ""

    def hook(self, name: str) -> Any | None:
        """The function that the module offers under `name`; a lone `init` is an `__install__`."""
        found = getattr(self.module, name, None)
        if found is None and name == "__install__":
            found = getattr(self.module, "init", None)
        return found if callable(found) else None

    @property
    def hooks(self) -> list[str]:
        """The names of the hooks it has."""
        return [name for name in HOOKS if self.hook(name) is not None]

    def switched_off(self) -> str:
        """Why it is not loaded where somebody has disabled it."""
        return f"It is disabled. `llms ext enable {self.name}` enables it."

    def resign(self, state: State, reason: str) -> None:
        """It is not loaded, and why."""
        self.state, self.reason = state, reason


HOOKS = ("__parser__", "__install__", "__load__", "__run__", "__reload_providers__")
