"""Documents turned into text: real ones, made by the libraries that write them."""

import asyncio
import io
import zipfile

import pytest
from docx import Document
from openpyxl import Workbook
from pptx import Presentation
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from llms.kernel.errors import RequestError
from llms.media.documents import Documents, is_text

OFFICE = "application/vnd.openxmlformats-officedocument"
WORD = f"{OFFICE}.wordprocessingml.document"
EXCEL = f"{OFFICE}.spreadsheetml.sheet"
SLIDES = f"{OFFICE}.presentationml.presentation"


def pdf(*pages: str) -> bytes:
    """A PDF whose pages say these texts."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for text in pages:
        page = writer.add_blank_page(width=200, height=200)
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
        fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def docx() -> bytes:
    document = Document()
    document.add_heading("Plan", level=2)
    document.add_paragraph("Buy milk.")
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "milk", "2"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def xlsx() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Prices"
    sheet.append(["milk", 2.5, None])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def pptx() -> bytes:
    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "Milk"
    slide.notes_slide.notes_text_frame.text = "Smile."
    out = io.BytesIO()
    show.save(out)
    return out.getvalue()


async def test_a_pdf_is_read_page_by_page() -> None:
    text = await Documents().text(pdf("Hello", "World"), "application/pdf", "a.pdf")
    assert text == "[Page 1]\nHello\n\n[Page 2]\nWorld\n\n"


async def test_a_word_document_is_read_with_its_headings_and_tables() -> None:
    text = await Documents().text(docx(), WORD, "a.docx")
    assert text == "## Plan\n\nBuy milk.\n\n| milk | 2 |\n\n"


async def test_a_workbook_is_read_sheet_by_sheet() -> None:
    assert await Documents().text(xlsx(), EXCEL, "a.xlsx") == "## Prices\n\n| milk | 2.5 |\n\n"


async def test_slides_are_read_with_their_notes() -> None:
    text = await Documents().text(pptx(), SLIDES, "a.pptx")
    assert text == "## Slide 1\n\nMilk\n\nNotes: Smile.\n\n"


@pytest.mark.parametrize("mime", ["text/csv", "application/json", "application/ld+json", "image/svg+xml"])
def test_what_is_text_is_known(mime: str) -> None:
    assert is_text(mime)


async def test_text_is_taken_as_it_is() -> None:
    assert await Documents().text("\ufeffa,b\nö".encode(), "text/csv", "a.csv") == "a,b\nö"


async def test_text_of_an_unknown_type_is_read_too() -> None:
    assert await Documents().text(b"fn main() {}", "application/octet-stream", "main.rs") == "fn main() {}"


async def test_what_is_no_document_is_refused() -> None:
    with pytest.raises(RequestError, match=r"cannot read 'a\.bin'"):
        await Documents().text(b"\x00\x01", "application/octet-stream", "a.bin")


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (b"%PDF-1.7 and then nothing", "application/pdf"),
        (b"", "application/pdf"),
        (b"PK\x03\x04 broken", WORD),
        (b"no archive", EXCEL),
        (b"no archive", SLIDES),
    ],
)
async def test_a_broken_document_is_refused_with_the_reason(data: bytes, mime: str) -> None:
    with pytest.raises(RequestError, match=r"'b' cannot be read: .+ Send it as text"):
        await Documents().text(data, mime, "b")


async def test_an_archive_that_unpacks_to_gigabytes_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as file:
        for _ in range(330):
            file.write(b"\0" * (1 << 20))
    with pytest.raises(RequestError, match="unpacks to more than 300 MB"):
        await Documents().text(out.getvalue(), WORD, "bomb.docx")


async def test_a_document_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(RequestError, match=r"longer than 0\.01 s"):
        await Documents(patience=0.01).text(pdf("Hello"), "application/pdf", "slow.pdf")


async def test_a_document_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = Documents()
    first = await documents.text(pdf("Hello"), "application/pdf", "a.pdf")
    started: list[str] = []

    async def refused(*_: object, **__: object) -> None:
        started.append("")
        raise AssertionError("asked again")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refused)
    assert await documents.text(pdf("Hello"), "application/pdf", "other.pdf") == first
    assert not started


async def test_a_document_that_is_wanted_twice_at_once_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    documents, started = Documents(), counted(monkeypatch)
    texts = await asyncio.gather(*(documents.text(pdf("Hello"), "application/pdf", "a.pdf") for _ in range(5)))
    assert len(set(texts)) == len(started) == 1


async def test_that_a_document_cannot_be_read_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    documents, started = Documents(), counted(monkeypatch)
    for _ in range(3):
        with pytest.raises(RequestError, match="cannot be read"):
            await documents.text(b"%PDF-1.7", "application/pdf", "a.pdf")
    assert len(started) == 1


async def test_who_leaves_does_not_take_the_document_from_others() -> None:
    documents = Documents()
    first, second = (asyncio.create_task(documents.text(pdf("Hi"), "application/pdf", "a.pdf")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert "Hi" in await second


async def test_a_workbook_that_claims_to_be_huge_is_read_for_what_it_holds() -> None:
    sheet = xlsx()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sheet)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            told = old.read(name)
            if name.endswith("sheet1.xml"):
                assert b'<dimension ref="A1:C1"' in told
                told = told.replace(b'<dimension ref="A1:C1"', b'<dimension ref="A1:XFD1048576"')
            new.writestr(name, told)
    assert await Documents().text(out.getvalue(), EXCEL, "a.xlsx") == "## Prices\n\n| milk | 2.5 |\n\n"


def counted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each process that is started from now on."""
    started: list[object] = []
    real = asyncio.create_subprocess_exec

    async def watched(*args: str, **options: object) -> asyncio.subprocess.Process:
        started.append(args)
        return await real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    return started


async def test_the_process_that_reads_sees_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}
    real = asyncio.create_subprocess_exec

    async def watched(*args: str, **options: object) -> asyncio.subprocess.Process:
        seen.update(options)
        return await real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    await Documents().text(pdf("Hello"), "application/pdf", "a.pdf")
    assert "OPENAI_API_KEY" not in str(seen["env"])
