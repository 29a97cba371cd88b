"""What sets one version of an extension apart from another."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llms.host.install import requirements, tree
from llms.host.install.git import Git
from llms.host.manifest import Manifest
from llms.kernel.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes against the version that is there. `subjects` is None where the history was rewritten."""

    commit: str  # that is there
    subjects: Sequence[str] | None = ()
    files: Sequence[str] = ()  # `+ added`, `- gone`, `~ changed`
    permissions: Sequence[str] = ()  # `+ net`, `- exec`
    requirements: Sequence[str] = ()


def between(old: Path, new: Path, git: Git, *, old_commit: str, commit: str) -> Difference:
    """What changes when the folder `new` takes the place of the folder `old`. Raises ConfigError."""
    (old_permissions, old_wanted), (permissions, wanted) = _declared(old), _declared(new)
    return Difference(
        commit=old_commit,
        subjects=git.subjects(new, old_commit, commit) if commit else (),
        files=tree.differences(tree.read(old), tree.read(new)),
        permissions=_changes(old_permissions, permissions),
        requirements=_changes(old_wanted, wanted),
    )


def _declared(folder: Path) -> tuple[Sequence[str], Sequence[str]]:
    """Permissions and requirements; none of a version whose declarations cannot be read."""
    try:
        manifest = Manifest.read(folder)
        return manifest.permissions, [str(one) for one in requirements.read(folder, manifest).wanted]
    except ConfigError:
        return (), ()


def _changes(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """`- gone` and `+ added`."""
    gone, added = sorted({*old} - {*new}), sorted({*new} - {*old})
    return [*(f"- {one}" for one in gone), *(f"+ {one}" for one in added)]
