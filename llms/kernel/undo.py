"""Taking back what was registered."""

from collections.abc import Callable

Undo = Callable[[], None]  # takes one registration back; a second call does nothing
