"""Whose code is running, read from a stack."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from llms.kernel.undo import Undo


@dataclass(frozen=True, slots=True)
class Culprit:
    """An extension whose code is on a stack: `frame` is its outermost call there, `place` its innermost line."""

    extension: str
    place: str
    frame: FrameType


class Owners:
    """Which files are whose: an extension owns what lies in its folder."""

    def __init__(self) -> None:
        self._folders: list[tuple[str, str]] = []

    def add(self, extension: str, folder: Path) -> Undo:
        """Files below `folder` are those of `extension`."""
        entries = [(f"{place}{os.sep}", extension) for place in {folder.absolute(), folder.resolve()}]
        self._folders += entries

        def undo() -> None:
            self._folders = [entry for entry in self._folders if not any(entry is mine for mine in entries)]

        return undo

    def of(self, file: str) -> str | None:
        """The extension that owns `file`."""
        found = [entry for entry in self._folders if file.startswith(entry[0])]
        return max(found, key=lambda entry: len(entry[0]))[1] if found else None

    def culprit(self, frame: FrameType | None, extension: str | None = None) -> Culprit | None:
        """The extension whose code is innermost on the stack of `frame`; with `extension`, that one if it is there."""
        frames = [(found, self.of(found.f_code.co_filename)) for found in stack(frame)]
        theirs = [(found, owner) for found, owner in frames if owner and owner == (extension or owner)]
        if not theirs:
            return None
        innermost, owner = theirs[0]
        outermost = next(found for found, other in reversed(theirs) if other == owner)
        return Culprit(owner, self._place(innermost), outermost)

    def _place(self, frame: FrameType) -> str:
        """`lib/db.py:12 in fetch`"""
        file = frame.f_code.co_filename
        folder = max((place for place, _ in self._folders if file.startswith(place)), key=len, default="")
        return f"{file.removeprefix(folder)}:{frame.f_lineno} in {frame.f_code.co_name}"


def stack(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames of a stack, the innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back
