"""Fetches a version of an extension, and finds out what installing it would mean."""

from collections.abc import Mapping
from pathlib import Path

from llms import __version__
from llms.host.discovery import BUILT_INS, TAKEN, is_extension
from llms.host.install import journal, lock, requirements, source, tree, wheel
from llms.host.install.difference import Difference, between
from llms.host.install.environment import Environment
from llms.host.install.fetch import fetch
from llms.host.install.git import Git
from llms.host.install.lock import Entry
from llms.host.install.neighbours import held_by_others
from llms.host.install.plan import Plan, Verb
from llms.host.install.resolution import Resolution, Resolver
from llms.host.install.source import Source
from llms.host.install.tree import Tree
from llms.host.manifest import Manifest
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home


class Planner:
    """Makes one plan; what it fetches waits in `staging`. Every method raises ConfigError."""

    def __init__(
        self, home: Home, environ: Mapping[str, str], git: Git, environment: Environment, staging: Path
    ) -> None:
        self._home, self._environ, self._git, self._environment = home, environ, git, environment
        self._staging = staging
        self._new = journal.content(staging)

    def add(self, origin: Source) -> Plan:
        """The extension that `origin` names, as it is there now."""
        return self._package("add", origin) if origin.kind == "package" else self._folder("add", origin)

    def update(self, name: str, *, ref: str, force: bool) -> Plan | None:
        """The newest version of what is installed; None if that is what is there."""
        entry, origin = self._known(name)
        if ref:
            origin = source.with_ref(origin, ref)
        if origin.kind == "package":
            plan = self._package("update", origin, entry)
            return plan if plan.commit != entry.commit or plan.resolution.new else None
        present = tree.read(self._home.extensions / name)
        plan = self._folder("update", origin, entry)
        is_same = (plan.commit, plan.tree.hash) == (entry.commit, present.hash)
        if is_same and entry.tree and not plan.resolution.new and not ref:
            return None
        if not force:
            self._refuse_losing(name, entry, present, origin.place)
        return plan

    def rollback(self, name: str) -> Plan:
        """The version before the present one."""
        entry = lock.read(self._home.lock_file).get(name)
        if entry is None or entry.previous is None:
            raise ConfigError(
                f"No former version of '{name}' is kept. `llms ext add {name}@REF` installs a certain one."
            )
        origin = entry.previous.origin(name)
        if origin.kind == "package":
            return self._package("rollback", source.with_ref(origin, entry.previous.commit), entry)
        kept = journal.previous(self._home, name)
        if not kept.is_dir():
            raise ConfigError(f"{kept} is gone. `llms ext update {name}` fetches the newest version.")
        journal.copy(kept, self._staging)
        return self._looked_at("rollback", origin, entry.previous.commit, entry)

    # -- what is there ---------------------------------------------------------------------------------------------

    def _known(self, name: str) -> tuple[Entry, Source]:
        """What the lock file says of `name`; of a clone made by hand, what it would say."""
        entry = lock.read(self._home.lock_file).get(name)
        if entry is not None:
            return entry, entry.origin(name)
        folder = self._home.extensions / name
        address = self._git.origin(folder) if (folder / ".git").exists() else ""
        if not address:
            raise ConfigError(f"'{name}' was made by hand: there is nothing to update it from. Edit {folder}.")
        found = source.parse(address, self._environ)
        origin = Source("git", found.place, name, self._git.branch(folder), found.address)
        return Entry("git", origin.place, self._git.head(folder), origin.ref), origin

    def _refuse_losing(self, name: str, entry: Entry, present: Tree, place: str) -> None:
        """Raises ConfigError where an update would lose what the user did."""
        folder = self._home.extensions / name
        if not folder.is_dir():
            return
        fix = f"Keep what you need elsewhere, then run `llms ext update {name} --force`"
        if entry.tree:
            if present.hash != entry.tree:
                raise ConfigError(f"'{name}' was edited by hand since it was installed. {fix}.")
        elif changed := [path for path in self._git.changed_files(folder) if tree.is_content(path)]:
            raise ConfigError(
                f"'{name}' has uncommitted changes ({', '.join(changed[:3])}). Commit and push them, or: {fix}."
            )
        elif self._git.has_unpublished(folder):
            raise ConfigError(f"'{name}' has commits or stashes that {place} lacks. Push them, or: {fix}.")

    # -- what would be there ---------------------------------------------------------------------------------------

    def _folder(self, verb: Verb, origin: Source, former: Entry | None = None) -> Plan:
        commit = fetch(origin, self._new, self._git)
        return self._looked_at(verb, origin, commit, former)

    def _looked_at(self, verb: Verb, origin: Source, commit: str, former: Entry | None) -> Plan:
        """The plan for what waits in the staging folder."""
        found, manifest = tree.read(self._new), Manifest.read(self._new)
        if not is_extension(self._new):
            raise ConfigError(f"{origin} is no extension: it has neither an __init__.py nor a ui folder. Check it.")
        asked = requirements.read(self._new, manifest)
        resolution = self._resolver(origin.name).resolve(asked.wanted) if asked.wanted else Resolution()
        return Plan(
            verb=verb,
            name=origin.name,
            source=origin,
            commit=commit,
            tree=found,
            manifest=manifest,
            wanted=asked.wanted,
            resolution=resolution,
            staging=self._staging,
            notes=(*self._notes(origin), *asked.notes),
            refusals=_refusals(origin.name, manifest, resolution),
            difference=self._difference(origin.name, former, commit),
            former=former,
        )

    def _package(self, verb: Verb, origin: Source, former: Entry | None = None) -> Plan:
        """The plan for a Python package, which goes beside the server."""
        name = origin.name
        wheel.fetch(self._environment.packages, str(wheel.requirement(name, origin.ref)), self._new, self._staging)
        points = wheel.entry_points(name, self._new)
        number = wheel.version(name, self._new)
        manifest = Manifest.read(wheel.module(points[0], self._new))
        package = wheel.requirement(name, number)
        resolution = self._resolver(name).resolve_package(package)
        return Plan(
            verb=verb,
            name=name,
            source=origin,
            commit=number,
            tree=tree.read(self._new),
            manifest=manifest,
            wanted=(package,),
            resolution=resolution,
            staging=self._staging,
            provides=tuple(point.name for point in points),
            refusals=_refusals(name, manifest, resolution),
            difference=Difference(former.commit) if former else None,
            former=former,
        )

    def _difference(self, name: str, former: Entry | None, commit: str) -> Difference | None:
        folder = self._home.extensions / name
        if former is None or not folder.is_dir():
            return None
        return between(folder, self._new, self._git, old_commit=former.commit, commit=commit)

    def _resolver(self, name: str) -> Resolver:
        installed = self._environment.installed(self._new / tree.OVERLAY)
        held = held_by_others(self._home, self._environment.installed(), name)
        return Resolver(lambda: self._environment.packages, installed, held, self._staging)

    def _notes(self, origin: Source) -> list[str]:
        notes = []
        if origin.name in BUILT_INS:
            notes.append(f"it takes the place of the built-in extension '{origin.name}'")
        if (self._new / ".gitmodules").exists():
            notes.append("its submodules are not fetched")
        if origin.kind == "git" and (Path(origin.place) / ".git").is_dir():
            # Not asked of git: `git status` would run the filters that a stranger's repository configures.
            notes.append(f"what is not committed in {origin.place} is left out")
        return notes


def _refusals(name: str, manifest: Manifest, resolution: Resolution) -> list[str]:
    found = list(resolution.clashes)
    if name in TAKEN:
        found.append(f"'{name}' is a name the server uses itself")
    if why := manifest.why_not(__version__):
        found.append(why[:1].lower() + why[1:].rstrip("."))
    return found
