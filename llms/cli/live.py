"""Markdown on a terminal while it is still being written."""

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Literal

from markdown_it import MarkdownIt
from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment, SegmentLines
from rich.text import Text

from llms.cli.answer import visible

_PER_SECOND = 10
Kind = Literal["thought", "text"]


class LiveAnswer:
    """Finished blocks are printed for good; the last, unfinished one is redrawn as it grows.

    A block taller than the terminal shows its end until it is finished, because what has scrolled away cannot be
    redrawn. Reasoning is shown dim.
    """

    def __init__(self) -> None:
        self._kind: Kind = "text"
        self._pending = ""
        self._begun = False  # whether anything was printed that a block must be set apart from
        self._console = Console()
        self._live = Live(
            get_renderable=self._unfinished,
            console=self._console,
            refresh_per_second=_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=sys.stderr.isatty(),  # a log line goes above the block that is being redrawn
        )

    def __enter__(self) -> "LiveAnswer":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish(len(self._pending))
        self._live.stop()

    def feed(self, delta: Mapping[str, object]) -> None:
        self._add("thought", delta.get("reasoning_content"))
        self._add("text", delta.get("content"))

    def _add(self, kind: Kind, piece: object) -> None:
        if not isinstance(piece, str) or not piece:
            return
        if kind != self._kind:
            self._finish(len(self._pending))
            self._kind = kind
        self._pending += visible(piece)
        if "\n\n" in self._pending[-len(piece) - 1 :]:  # the only place where it pays to look for an end
            self._finish(_finished(self._pending, kind))

    def _finish(self, length: int) -> None:
        """Prints the first `length` characters of what is pending for good."""
        block, self._pending = self._pending[:length], self._pending[length:]
        if lines := self._lines(block):
            self._begun = True
            with self._console:  # both in one write, so that nothing flickers
                self._live.refresh()  # takes the block out of what is redrawn
                self._console.print(SegmentLines(lines, new_lines=True), end="")

    def _unfinished(self) -> SegmentLines:
        height = max(1, self._console.height - 1)
        return SegmentLines(self._lines(_end_of(self._pending, height))[-height:], new_lines=True)

    def _lines(self, block: str) -> list[list[Segment]]:
        """`block` as the terminal's lines, with an empty one before it where something stands above."""
        if not block.strip():
            return []
        shown = Text(block.strip("\n"), style="dim") if self._kind == "thought" else _markdown(block)
        lines = [_without_padding(line) for line in self._console.render_lines(shown, pad=False)]
        while lines and not lines[0]:
            lines.pop(0)
        while lines and not lines[-1]:
            lines.pop()
        return [[], *lines] if self._begun and lines else lines


def _markdown(text: str) -> Markdown:
    return Markdown(text, code_theme="ansi_dark", hyperlinks=False)  # a link shows where it leads


def _finished(text: str, kind: Kind) -> int:
    """How much of `text` nothing that follows can change: all paragraphs, or all Markdown blocks, but the last."""
    if kind == "thought":
        return text.rfind("\n\n") + 1
    blocks = MarkdownIt("commonmark").enable("table").disable("inline").parse(text)
    starts = [block.map[0] for block in blocks if block.level == 0 and block.map]
    return len("".join(f"{line}\n" for line in text.split("\n")[: starts[-1]])) if starts else 0


def _end_of(block: str, count: int) -> str:
    """The last `count` lines of an unfinished block: drawing the rest, which scrolls off, would take too long.

    Code keeps the line that opens it.
    """
    lines = block.split("\n")
    if len(lines) <= count:
        return block
    opening = lines[:1] if lines[0].startswith(("```", "~~~")) else []
    return "\n".join([*opening, *lines[-count:]])


def _without_padding(line: list[Segment]) -> list[Segment]:
    """`line` without blanks at its end, which would wrap when the window shrinks or a Ctrl-C is echoed after them."""
    kept = list(line)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        last = kept.pop()
        kept.append(Segment(last.text.rstrip(), last.style))
    return kept
