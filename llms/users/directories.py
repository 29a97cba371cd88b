"""The folders that agents and their tools may touch."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from llms.kernel.undo import Undo

_TASK: ContextVar[tuple[str, ...] | None] = ContextVar("workspace", default=None)


class Directories:
    """Which folders each user's agents may touch: absolute paths, or aliases such as `$TEMP`.

    A user without a list of their own has that of everybody, which stands under None in `allowed`. What a path
    really is counts, not how it is written: links and `..` are followed before anything is compared.
    """

    def __init__(self, aliases: Mapping[str, str], start: Sequence[str] = ()) -> None:
        self.aliases = dict(aliases)
        self.allowed: dict[str | None, list[str]] = {None: list(start)}
        self._start = tuple(start)

    def set(self, dirs: Sequence[str] | None, user: str | None = None) -> Undo:
        """Allows `dirs` and nothing else: an empty list allows nothing, None what was allowed at the start."""
        if isinstance(dirs, str):
            dirs = [dirs]
        before = self.allowed.get(user)
        if dirs is not None:
            self.allowed[user] = list(dirs)
        elif user is None:
            self.allowed[None] = list(self._start)
        else:
            self.allowed.pop(user, None)
        now = self.allowed.get(user)
        return lambda: self._restore(user, now, before)

    def add(self, path: str, user: str | None = None) -> Undo:
        """Allows `path` besides what is allowed already."""
        known = self._listed(user)
        if path in known:
            return lambda: None
        self.allowed[user] = [*known, path]
        return lambda: self._take_out(path, user)

    def get(self, user: str | None = None) -> list[str]:
        """What is allowed, as it was given. Inside `within`, that alone."""
        task = _TASK.get()
        return self._listed(user) if task is None else list(task)

    def resolve(self, dir: str) -> str | None:
        """The real path of an alias or an absolute path; None for anything else."""
        path = self.aliases.get(dir, dir)
        if not os.path.isabs(path) or "\0" in path:  # noqa: PTH117
            return None
        return os.path.realpath(path)

    def resolve_allowed(self, user: str | None = None) -> list[str]:
        """The real paths of all folders that are allowed, each once; entries that mean nothing are left out."""
        found = (self.resolve(entry) for entry in self.get(user))
        return list(dict.fromkeys(path for path in found if path is not None))

    def find(self, path: str, user: str | None = None) -> str | None:
        """The real path of `path` if it lies in a folder that is allowed, whether it exists or not; else None."""
        real = self.resolve(path)
        allowed = self.resolve_allowed(user)
        return real if real is not None and any(_contains(folder, real) for folder in allowed) else None

    @contextmanager
    def within(self, *dirs: str) -> Iterator[None]:
        """Allows `dirs` alone, for every user, to what runs in this block: an agent at work in one project."""
        token = _TASK.set(dirs)
        try:
            yield
        finally:
            _TASK.reset(token)

    def _listed(self, user: str | None) -> list[str]:
        own = self.allowed.get(user)
        return list(self.allowed.get(None, ()) if own is None else own)

    def _take_out(self, path: str, user: str | None) -> None:
        if path in self.allowed.get(user, ()):
            self.allowed[user] = [other for other in self.allowed[user] if other != path]

    def _restore(self, user: str | None, now: list[str] | None, before: list[str] | None) -> None:
        if self.allowed.get(user) is not now:
            return  # somebody has set another since
        if before is None:
            self.allowed.pop(user, None)
        else:
            self.allowed[user] = before


def _contains(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
