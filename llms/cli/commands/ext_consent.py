"""Asking before something is done that cannot be taken back easily."""

import sys

from llms.cli.output import note


def agreed(question: str, *, yes: bool) -> bool:
    """Whether the user agrees: by `--yes`, or at the terminal. Says what to do where nobody can answer."""
    if yes:
        return True
    if not sys.stdin.isatty():
        note("Nothing was changed: nobody is there to agree. Add --yes.")
        return False
    note(f"{question} [y/N] ", end="")
    answered = sys.stdin.readline().strip().lower() in ("y", "yes")
    if not answered:
        note("Nothing was changed.")
    return answered
