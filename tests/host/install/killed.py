"""Runs one change again and again, each time killed one file system call later, until it survives.

    python killed.py add|update|rollback|remove SOURCE HOME

After each death the home must be whole: what is there is what the lock file says, and nothing is left lying about.
Prints how often it was killed, and how often the change was there afterwards. Run by test_journal.py, alone in its
process: a thread would not survive the fork.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llms.host.install import tree
from llms.host.install.environment import Environment
from llms.host.install.installer import Installer, opened
from llms.host.install.journal import recover_unfinished
from llms.host.install.plan import Plan
from llms.kernel.paths import Home

EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.chmod", "shutil.copyfile")
NAME = "mine"


def change(installer: Installer, verb: str, source: str) -> None:
    if verb == "remove":
        installer.remove(NAME)
        return
    if verb == "add":
        plan: Plan | None = installer.plan_add(source)
    else:
        plan = installer.plan_update(NAME) if verb == "update" else installer.plan_rollback(NAME)
    assert plan is not None
    installer.apply(plan)


def run(home: Home, verb: str, source: str) -> None:
    with opened(home, os.environ, environment=Environment(os.environ, path=[])) as installer:
        change(installer, verb, source)


def killed_after(calls: int, home: Home, act: Callable[[], None]) -> bool:
    """Runs `act` in a child that is killed before its call number `calls` into `home`; whether it was."""
    child = os.fork()
    if child == 0:
        left = [calls]

        def watch(event: str, args: tuple[Any, ...]) -> None:
            if event in EVENTS and any(str(arg).startswith(str(home.root)) for arg in args):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        act()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return bool(status)


def state(home: Home) -> str:
    """What is installed: the hash of the folder, which is the lock file's."""
    folder = home.extensions / NAME
    with opened(home, os.environ) as installer:
        entry = installer.entries.get(NAME)
        assert (entry is not None) == folder.exists(), "the lock file and the folder disagree"
        left = [path.name for path in home.extensions.iterdir() if path.name.startswith(".staging")]
        assert not left, f"left behind: {left}"
    if entry is None:
        return "nothing"
    assert tree.read(folder).hash == entry.tree, "the folder is not what the lock file says"
    kept = home.extensions / ".previous" / NAME
    assert (entry.previous is not None) == kept.exists(), "the former version is lost"
    assert entry.previous is None or tree.read(kept).hash == entry.previous.tree, "the former version is another"
    return entry.tree


def main(verb: str, source: str, root: str) -> None:
    template, home = Path(root), Home(Path(f"{root}.copy"))
    outcomes: list[str] = []
    while True:
        shutil.rmtree(home.root, ignore_errors=True)
        shutil.copytree(template, home.root)
        before = state(home)
        was_killed = killed_after(len(outcomes), home, lambda: run(home, verb, source))
        recover_unfinished(home)
        outcomes.append(state(home))
        if not was_killed:
            break
    after = outcomes[-1]
    assert before != after, "nothing was changed"
    assert set(outcomes) == {before, after}, "something between the old and the new state"
    first = outcomes.index(after)
    assert outcomes == [before] * first + [after] * (len(outcomes) - first), "it went back"
    sys.stdout.write(f"{len(outcomes) - 1} {len(outcomes) - 1 - first}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
