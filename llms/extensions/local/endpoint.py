"""Where a running model answers, and the private place for it."""

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from llms.api import ProviderUnreachable

_PATH_BYTES = 100
"""Of a unix socket's path macOS takes 103 bytes, Linux 107."""


@dataclass(frozen=True)
class Endpoint:
    """A unix socket or, where asyncio knows none, a loopback port that asks for a key."""

    url: str
    """Base of every request; with a socket its host name means nothing."""
    socket: Path | None
    api_key: str | None


def private_folder(*, for_file: str) -> Path:
    """A new folder only we can enter, which is all that guards the socket; its path is short enough for one."""
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108
        if not parent or not Path(parent).is_absolute():
            continue
        if len(os.fsencode(parent)) + len("/llms-12345678/") + len(for_file) > _PATH_BYTES:
            continue
        with contextlib.suppress(OSError):
            return Path(tempfile.mkdtemp(prefix="llms-", dir=parent))
    raise ProviderUnreachable(
        "There is no short, writable folder for the local model's socket: set TMPDIR to one.",
        provider="local",
    )
