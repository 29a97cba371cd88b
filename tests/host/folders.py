"""Folders of extensions, written by tests."""

import os
from pathlib import Path

HOOKED = """
from . import notes

def __install__(ctx):
    ctx.add_get("version", lambda request: {"version": VERSION, "imported": len(notes.IMPORTED)})
    ctx.register_startup_handler(lambda: print_to(ctx, "startup"))
    ctx.register_cleanup_handler(lambda: print_to(ctx, "cleanup"))
    ctx.register_shutdown_handler(lambda: print_to(ctx, "shutdown"))

def print_to(ctx, word):
    with open(f"{ctx.path}/.words", "a") as file:
        file.write(f"{VERSION} {word}\\n")
"""


def write(folder: Path, **files: str) -> Path:
    """A folder with these files; `__` in a name stands for a dot, `init` for `__init__.py`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / ("__init__.py" if name == "init" else name.replace("__", ".").replace("_of_", "/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def answering(folder: Path, version: object, *, more: str = "") -> Path:
    """An extension that answers `version` at its route of that name, and notes which of its hooks ran."""
    notes = "IMPORTED = []\nIMPORTED.append(1)\n"
    write(folder, init=f"VERSION = {version!r}\n{HOOKED}\n{more}", notes__py=notes)
    touch(folder)
    return folder


def touch(folder: Path) -> None:
    """Makes every file look as if it was written in a second of its own, so that no cached bytecode is taken for it."""
    for path in folder.rglob("*.py"):
        facts = path.stat()
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1_000_000))


def words(folder: Path) -> list[str]:
    """Which handlers have run, with the version of the code they belong to."""
    path = folder / ".words"
    return path.read_text().splitlines() if path.exists() else []
