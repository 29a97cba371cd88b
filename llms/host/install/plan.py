"""What an installation would do: data, for whoever has to agree to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from llms.host.install.difference import Difference
from llms.host.install.lock import Entry
from llms.host.install.resolution import Resolution
from llms.host.install.source import Source
from llms.host.install.tree import Tree
from llms.host.manifest import Manifest

Verb = Literal["add", "update", "rollback"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A version that is fetched and waits in `staging`. `refusals` say why it cannot be installed."""

    verb: Verb
    name: str
    source: Source
    commit: str
    tree: Tree
    manifest: Manifest
    wanted: Sequence[Requirement]
    resolution: Resolution
    staging: Path
    provides: Sequence[str] = ()
    notes: Sequence[str] = ()
    refusals: Sequence[str] = ()
    difference: Difference | None = None
    former: Entry | None = None  # what the lock says of the version that is there
