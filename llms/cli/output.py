"""Where words go: answers to stdout, so that they can be piped on; everything else to stderr."""

import sys


def say(text: str, *, end: str = "\n") -> None:
    """Writes (a part of) the answer, at once."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def note(text: str, *, end: str = "\n") -> None:
    """Tells the person at the terminal something that is not the answer."""
    sys.stderr.write(text + end)
    sys.stderr.flush()


def watched() -> bool:
    """Whether a person reads what `note` writes."""
    return sys.stderr.isatty()
