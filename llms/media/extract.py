"""The program that turns one document into text: `python -m llms.media.extract TYPE`, bytes in, text out.

It runs in a process of its own, because documents come from strangers: what they may cost is bounded by the system,
and a parser that hangs or dies takes nothing along. What it raises ends on stderr, the reason in the last line.
"""

import io
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Any

MAX_TEXT = 2_000_000  # characters: more than any model's context holds
_MAX_MEMORY = 1 << 30
_MAX_SECONDS = 60
_MAX_UNPACKED = 300 << 20  # bytes that a document which is an archive may hold


def main() -> None:
    _bound()
    text = "".join(_limited(_READERS[sys.argv[1]](sys.stdin.buffer.read())))
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))


def _bound() -> None:
    """Bounds memory and processor time, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MAX_SECONDS, _MAX_SECONDS))


def _limited(pieces: Iterable[str]) -> Iterator[str]:
    left = MAX_TEXT
    for piece in pieces:
        if len(piece) >= left:
            yield piece[:left] + "\n\n[The rest is left out.]"
            return
        left -= len(piece)
        yield piece


def _pdf(data: bytes) -> Iterator[str]:
    from pypdf import PdfReader

    for number, page in enumerate(PdfReader(io.BytesIO(data)).pages, 1):
        if text := page.extract_text().strip():
            yield f"[Page {number}]\n{text}\n\n"


def _docx(data: bytes) -> Iterator[str]:
    from docx import Document
    from docx.table import Table

    for block in Document(io.BytesIO(_unpackable(data))).iter_inner_content():
        if isinstance(block, Table):
            yield from _rows([cell.text for cell in row.cells] for row in block.rows)
        elif block.text.strip():
            style = (block.style.name if block.style is not None else None) or ""
            level = style.removeprefix("Heading ")
            yield f"{'#' * int(level)} " if level.isdigit() and level != style else ""
            yield f"{block.text}\n\n"


def _xlsx(data: bytes) -> Iterator[str]:
    from openpyxl import load_workbook

    for sheet in load_workbook(io.BytesIO(_unpackable(data)), read_only=True, data_only=True).worksheets:
        sheet.reset_dimensions()  # what the file says of its size may be anything
        yield f"## {sheet.title}\n\n"
        yield from _rows(sheet.iter_rows(values_only=True))


def _pptx(data: bytes) -> Iterator[str]:
    from pptx import Presentation

    for number, slide in enumerate(Presentation(io.BytesIO(_unpackable(data))).slides, 1):
        yield f"## Slide {number}\n\n"
        for shape in slide.shapes:
            if shape.has_text_frame and shape.text_frame.text.strip():
                yield f"{shape.text_frame.text}\n\n"
            if shape.has_table:
                yield from _rows([cell.text for cell in row.cells] for row in shape.table.rows)
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) and notes.text.strip():
            yield f"Notes: {notes.text}\n\n"


def _rows(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    for row in rows:
        cells = ["" if cell is None else " ".join(str(cell).split()) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield "| " + " | ".join(cells) + " |\n"
    yield "\n"


def _unpackable(data: bytes) -> bytes:
    """`data`, an archive whose files together are not absurdly large. Raises ValueError."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(file.file_size for file in archive.infolist()) > _MAX_UNPACKED:
            raise ValueError("it unpacks to more than 300 MB")
    return data


_READERS: MappingProxyType[str, Callable[[bytes], Iterator[str]]] = MappingProxyType(
    {"pdf": _pdf, "docx": _docx, "xlsx": _xlsx, "pptx": _pptx}
)

if __name__ == "__main__":
    main()
