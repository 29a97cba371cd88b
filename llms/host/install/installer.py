"""Adds, updates, takes back and removes extensions: one at a time, and nobody else meanwhile."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from llms.host.discovery import BUILT_INS
from llms.host.install import journal, lock, source, tree
from llms.host.install.environment import Environment
from llms.host.install.git import Git
from llms.host.install.installed import Installed
from llms.host.install.journal import Change
from llms.host.install.lock import Entry
from llms.host.install.plan import Plan
from llms.host.install.planner import Planner
from llms.host.install.resolution import install_lines
from llms.host.install.source import Source
from llms.kernel import files
from llms.kernel.errors import ConfigError, NotFound
from llms.kernel.paths import Home, is_plain_name


class Installer:
    """Made by `opened`. Each `plan_…` fetches and looks, `apply` does what the plan says. All raise LlmsError."""

    def __init__(self, home: Home, environ: Mapping[str, str], environment: Environment) -> None:
        self._home = home
        self._environ = environ
        self._environment = environment
        self._git = Git(environ)
        self._stagings: list[Path] = []

    # -- what is there ---------------------------------------------------------------------------------------------

    def source(self, text: str) -> Source:
        """What `text` names. Nothing is fetched."""
        return source.parse(text, self._environ)

    def has(self, name: str) -> bool:
        """Whether an extension of this name is there, in the lock file or as a folder alone."""
        return name in self.entries or self._is_there(name)

    def folder(self, name: str) -> Path:
        """The folder of the user's extension `name`. Raises NotFound, or ConfigError for what is no name."""
        if not is_plain_name(name) or name.startswith("."):
            raise ConfigError(f"{name!r} is no name of an extension. `llms ext ls` shows the names.")
        if not self.has(name):
            raise NotFound(f"There is no extension '{name}'. {self._instead(name)}")
        return self._home.extensions / name

    @property
    def entries(self) -> dict[str, Entry]:
        """What the lock file says."""
        return lock.read(self._home.lock_file)

    @property
    def names(self) -> list[str]:
        """The user's extensions, and those that only the lock file knows."""
        found = {path.name for path in self._folders() if not path.name.startswith((".", "_"))}
        return sorted({*found, *self.entries})

    @property
    def updatable(self) -> list[str]:
        """Those that came from somewhere."""
        return [name for name in self.names if name in self.entries or (self._home.extensions / name / ".git").exists()]

    # -- planning --------------------------------------------------------------------------------------------------

    def plan_add(self, text: str) -> Plan:
        """What adding the extension that `text` names would do, whether it is there already or not."""
        return self._planner().add(self.source(text))

    def plan_update(self, name: str, *, ref: str = "", force: bool = False) -> Plan | None:
        """What updating would change; None if it is up to date. `force`: edits made by hand may go."""
        folder = self.folder(name)
        if folder.is_symlink():
            raise ConfigError(f"{folder} is a link. Update what it leads to: {folder.resolve()}.")
        return self._planner().update(name, ref=ref, force=force)

    def plan_rollback(self, name: str) -> Plan:
        """What going back to the version before would change."""
        self.folder(name)
        return self._planner().rollback(name)

    # -- acting ----------------------------------------------------------------------------------------------------

    def apply(self, plan: Plan) -> None:
        """Does it, whole or not at all. Raises ConfigError."""
        if plan.refusals:
            raise ConfigError(f"{plan.name} cannot be installed: {'; '.join(plan.refusals)}.")
        if plan.verb == "add" and self.has(plan.name):
            raise ConfigError(f"'{plan.name}' is there already. `llms ext update {plan.name}` brings it up to date.")
        lines = install_lines(plan.wanted, plan.resolution.new)
        is_folder = plan.source.kind != "package"
        if lines and plan.resolution.outcome == "overlay":
            overlay = journal.content(plan.staging) / tree.OVERLAY
            self._environment.packages.install(lines, plan.staging, into=overlay)
        elif lines:
            self._environment.packages.install(lines, plan.staging)
        journal.commit(self._home, plan.staging, Change(plan.name, self._entry(plan), is_folder))

    def remove(self, name: str) -> None:
        """Takes the extension out, with its former version. Of a link, only the link goes."""
        self.folder(name)
        entry = self.entries.get(name)
        if entry is not None and entry.kind == "package" and name in self._environment.installed().versions:
            self._environment.packages.uninstall(name)
        change = Change(name, is_folder=entry is None or entry.kind != "package")
        journal.commit(self._home, self._stage(), change)

    def close(self) -> None:
        """Deletes what was fetched and not installed."""
        for staging in self._stagings:
            journal.discard(staging)

    def _entry(self, plan: Plan) -> Entry:
        """What the lock file will say: the versions are those that are there now, not those that were planned."""
        overlay = journal.content(plan.staging) / tree.OVERLAY
        apart = dict(Installed([str(overlay)]).versions) if overlay.is_dir() else {}
        versions = self._environment.installed(overlay).closure(plan.wanted) if plan.wanted else {}
        return Entry(
            kind=plan.source.kind,
            source=plan.source.place,
            commit=plan.commit,
            ref=plan.source.ref,
            tree=plan.tree.hash,
            installed=datetime.now(UTC).isoformat(timespec="seconds"),
            requirements={name: version for name, version in sorted(versions.items()) if name not in apart},
            overlay=dict(sorted(apart.items())),
            provides=tuple(plan.provides),
            previous=plan.former.former() if plan.former else None,
        )

    # -- inside ----------------------------------------------------------------------------------------------------

    def _planner(self) -> Planner:
        return Planner(self._home, self._environ, self._git, self._environment, self._stage())

    def _stage(self) -> Path:
        staging = journal.stage(self._home)
        self._stagings.append(staging)
        return staging

    def _is_there(self, name: str) -> bool:
        path = self._home.extensions / name
        return path.is_symlink() or path.is_dir()

    def _instead(self, name: str) -> str:
        if name in BUILT_INS:
            return f"'{name}' is built in: `llms ext disable {name}` switches it off."
        return f"Choose from: {', '.join(self.names) or 'none, nothing is installed'}."

    def _folders(self) -> list[Path]:
        extensions = self._home.extensions
        return [path for path in extensions.iterdir() if path.is_dir()] if extensions.is_dir() else []


@contextmanager
def opened(home: Home, environ: Mapping[str, str], *, environment: Environment | None = None) -> Iterator[Installer]:
    """The installer of `home`, for one process at a time. First it finishes or clears what an earlier one left.

    Raises ConfigError where another one is at work.
    """
    home.prepare()
    with files.lock(home.lock_file):
        journal.recover(home)
        installer = Installer(home, environ, environment or Environment(environ))
        try:
            yield installer
        finally:
            installer.close()
