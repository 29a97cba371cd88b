"""An answer as it is written to stdout."""

import os
import re
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, TextIO

from llms.cli.output import say

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Answer(Protocol):
    """Takes an answer in pieces. Leaving the block, for whatever reason, shows what has come."""

    def __enter__(self) -> Any: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def feed(self, delta: Mapping[str, object]) -> None: ...


class PlainAnswer:
    """The text alone, each piece at once, with a newline at its end. Reasoning is left out: it is not the answer."""

    def __init__(self) -> None:
        self._last = ""

    def __enter__(self) -> "PlainAnswer":
        return self

    def feed(self, delta: Mapping[str, object]) -> None:
        if isinstance(text := delta.get("content"), str) and text:
            self._last = text
            say(visible(text) if sys.stdout.isatty() else text, end="")

    def __exit__(self, *_: object) -> None:
        if self._last and not self._last.endswith("\n"):
            say("")


def new_answer() -> Answer:
    """Live Markdown on a terminal that can redraw, else plain text."""
    if not can_redraw(sys.stdout):
        return PlainAnswer()
    from llms.cli.live import LiveAnswer

    return LiveAnswer()


def can_redraw(stream: TextIO) -> bool:
    """Whether `stream` is a terminal whose cursor can be moved."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def visible(text: str) -> str:
    """`text` without what would move a terminal's cursor, change its colours or its title."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))
