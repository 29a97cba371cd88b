"""A sign of life on stderr until an answer begins."""

import sys
from contextlib import AbstractContextManager, nullcontext

from llms.cli.answer import can_redraw


def waiting() -> AbstractContextManager[object]:
    """A spinner while the block runs, where someone watches and the terminal can redraw."""
    if not can_redraw(sys.stderr):
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status("Thinking", spinner_style="dim")
