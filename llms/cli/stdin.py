"""What is piped in."""

import os
import select
import stat
import sys

from llms.cli.output import note, watched
from llms.kernel.errors import RequestError

GRACE = 0.3  # seconds; how long a prompt waits for a pipe nobody may ever write to
_PATIENCE = 3.0  # seconds; after which a person wonders
_CHUNK = 1 << 16


def piped() -> bool:
    """Whether standard input is a pipe, a socket (what Node gives its children) or a file."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:  # closed
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def read_piped(*, wait: bool) -> str:
    """All text piped in; empty where nothing is.

    Without `wait`, a pipe on which nothing, not even its end, arrives for GRACE seconds counts as empty, and a line on
    stderr says so: programs that start us often leave one open.
    """
    if not piped():
        return ""
    if not wait and not _ready(GRACE):
        note("Nothing arrived on stdin, so it is left out. Add the word `-` to wait for it.")
        return ""
    if watched() and not _ready(_PATIENCE):
        note("Waiting for text on stdin. Press Ctrl-C to stop.")
    return read_all()


def read_all() -> str:
    """Standard input to its end. Raises RequestError unless it is text."""
    chunks = []
    try:
        while chunk := os.read(0, _CHUNK):  # not sys.stdin: a Ctrl-C must end this at once
            chunks.append(chunk)
        return b"".join(chunks).decode("utf-8-sig")
    except OSError as error:
        raise RequestError(f"stdin cannot be read: {error.strerror}. Pipe text in, or leave `-` out.") from error
    except UnicodeDecodeError as error:
        raise RequestError(
            f"stdin is not UTF-8 text (byte {error.start}). Attach files with --file, --image or --audio."
        ) from error


def _ready(seconds: float) -> bool:
    if sys.platform == "win32":  # where select() takes sockets only
        return True
    return bool(select.select([0], [], [], seconds)[0])
