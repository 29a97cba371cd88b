"""Git repositories of extensions, on this machine."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

EXTENSION = {"__init__.py": "def install(ctx):\n    pass\n\n__install__ = install\n"}
GIT_ENVIRON = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *words: str) -> str:
    environ = {"PATH": os.environ["PATH"], **GIT_ENVIRON}
    run = subprocess.run(["git", *words], cwd=folder, env=environ, check=True, capture_output=True, text=True)
    return run.stdout.strip()


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


class Repository:
    """A bare repository at `place`, written to through a work tree beside it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.work = place.with_name(f"{place.name}.work")
        self.work.mkdir(parents=True)
        git(self.work, "init", "--quiet", "--initial-branch=main")
        git(self.work, "init", "--quiet", "--bare", "--initial-branch=main", str(place))
        git(self.work, "remote", "add", "origin", str(place))

    def commit(self, subject: str, files: Mapping[str, str] = EXTENSION) -> str:
        """Commits and publishes `files`; gives the commit."""
        write(self.work, files)
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--allow-empty", "-m", subject)
        self.publish()
        return git(self.work, "rev-parse", "HEAD")

    def publish(self) -> None:
        git(self.work, "push", "--quiet", "--force", "origin", "HEAD", "--tags")
