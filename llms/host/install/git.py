"""git, told to fetch and to do nothing else: no hooks, no submodules, no helpers, no questions."""

import os
from collections.abc import Mapping
from pathlib import Path

from llms.host.install.command import CommandFailed, run
from llms.host.install.source import Source
from llms.kernel.errors import ConfigError

_SAFE = (
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "submodule.recurse=false"),
    *("-c", "advice.detachedHead=false"),
    "--no-pager",
)
_ELSEWHERE = (  # would make git work on another repository than the one it is called for
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_PREFIX"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_TEMPLATE_DIR", "GIT_EXTERNAL_DIFF"),
    *("GIT_CONFIG", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_UPLOAD_PACK"),
)
_MOST_SUBJECTS = 20


class Git:
    """Each method raises ConfigError, with the fix, where git fails or takes longer than `seconds`."""

    def __init__(self, environ: Mapping[str, str], *, seconds: float = 300.0) -> None:
        self._seconds = seconds
        self._environ = {name: value for name, value in environ.items() if name not in _ELSEWHERE} | {
            "GIT_ALLOW_PROTOCOL": "https:ssh:file",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
            "LC_ALL": "C",
        }

    def clone(self, source: Source, folder: Path) -> str:
        """Clones `source` into the new `folder` at its ref; gives the commit. No password is left in the folder."""
        words = ("clone", "--quiet", "--no-checkout", "--no-recurse-submodules", "--no-local", "--template=")
        try:
            self._run(*words, "--", source.place, str(folder), also=_password_of(source))
        except CommandFailed as error:
            raise ConfigError(
                f"{source.place} cannot be cloned ({error.said}). Check the name, your access and the network."
            ) from error
        commit = self._resolve(folder, source)
        self._run("checkout", "--quiet", "--detach", commit, "--", folder=folder)
        return commit

    def _resolve(self, folder: Path, source: Source) -> str:
        ref = source.ref
        names = (f"refs/remotes/origin/{ref}", f"refs/tags/{ref}", ref) if ref else ("HEAD",)
        for name in names:
            if found := self._commit(folder, name):
                return found
        missing = f"no branch, tag or commit '{ref}'" if ref else "no commit yet"
        raise ConfigError(f"{source.place} has {missing}. Check what follows '@'.")

    def _commit(self, folder: Path, name: str) -> str:
        try:
            words = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}")
            return self._run(*words, folder=folder).strip()
        except CommandFailed:
            return ""

    # -- a clone that is there -------------------------------------------------------------------------------------

    def head(self, folder: Path) -> str:
        """The commit checked out in `folder`; empty before the first."""
        return self._commit(folder, "HEAD")

    def branch(self, folder: Path) -> str:
        """The branch `folder` is on; empty if on none."""
        return self._said(folder, "symbolic-ref", "--quiet", "--short", "HEAD")

    def origin(self, folder: Path) -> str:
        """Where `folder` was cloned from; empty if nowhere."""
        return self._said(folder, "config", "--get", "remote.origin.url")

    def changed_files(self, folder: Path) -> list[str]:
        """Files that differ from the commit, or are in none."""
        words = ("status", "--porcelain", "--no-renames", "-z", "--untracked-files=all", "--ignore-submodules=all")
        said = self._run(*self._without_filters(folder), *words, folder=folder)
        return [line[3:] for line in said.split("\0") if line]

    def _without_filters(self, folder: Path) -> list[str]:
        """Options with which the programs that a repository's own configuration names for its files do not run."""
        try:
            names = self._run("config", "--name-only", "-z", "--get-regexp", r"^filter\.", folder=folder)
        except CommandFailed:  # there are none
            return []
        filters = {name.rpartition(".")[0] for name in names.split("\0") if name}
        off = ("clean=", "smudge=", "process=", "required=false")
        return [word for name in sorted(filters) for setting in off for word in ("-c", f"{name}.{setting}")]

    def has_unpublished(self, folder: Path) -> bool:
        """Whether any branch, stash or HEAD of `folder` has a commit that no remote is known to have."""
        return bool(self._run("rev-list", "--max-count=1", "--all", "--not", "--remotes", folder=folder).strip())

    def subjects(self, folder: Path, old: str, new: str) -> list[str] | None:
        """What was committed after `old` up to `new`, last first; None if `new` does not follow from `old`."""
        if not self._is_ancestor(folder, old, new):
            return None
        words = ("log", "--no-color", "--no-show-signature", f"--max-count={_MOST_SUBJECTS}", "--format=%h %s")
        return self._run(*words, f"{old}..{new}", "--", folder=folder).splitlines()

    def _is_ancestor(self, folder: Path, old: str, new: str) -> bool:
        if not old or not self._commit(folder, old):
            return False
        try:
            self._run("merge-base", "--is-ancestor", old, new, folder=folder)
        except CommandFailed:
            return False
        return True

    def _said(self, folder: Path, *words: str) -> str:
        try:
            return self._run(*words, folder=folder).strip()
        except CommandFailed:
            return ""

    def _run(self, *words: str, folder: Path | None = None, also: Mapping[str, str] | None = None) -> str:
        environ = {**self._environ, **(also or {})}
        return run(["git", *_SAFE, *words], environ=environ, seconds=self._seconds, folder=folder).out


def _password_of(source: Source) -> dict[str, str]:
    """Gives git the user and password of the URL through the environment: not in `ps`, not in `.git/config`."""
    if source.address == source.place:
        return {}
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{source.address}.insteadOf",
        "GIT_CONFIG_VALUE_0": source.place,
    }
