"""The reference has every public name, says since when it is there, and is as the code makes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from llms.host import reference
from llms.host.app_extensions import AppExtensions
from llms.host.context import ExtensionContext
from llms.host.origins import APP, CTX, Origins
from llms.host.surface import names
from llms.testing import make_app

DOCS = Path(__file__).parents[2] / "docs"


def told(origins: Origins) -> list[str]:
    return [name for words in origins.values() for name in words.split()]


def public(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def install(_ctx: object) -> None:
    """An extension that does nothing."""


async def test_every_public_name_of_ctx_has_an_origin_and_no_other_has() -> None:
    async with make_app(install) as server:
        (extension,) = server.host.loaded
        assert extension.ctx is not None
        assert sorted(told(CTX)) == sorted(public(extension.ctx))
        assert sorted(told(APP)) == sorted(public(extension.ctx.app))


def sections() -> Iterator[tuple[str, str, str]]:
    for part in reference.CTX_PARTS:
        yield from ((name.name, name.section, name.text) for name in names(part))


def test_every_public_name_of_ctx_is_on_the_page_with_its_origin() -> None:
    page = reference.ctx_page()
    for prefix, origins in (("", CTX), ("ctx.app.", APP)):
        for origin, words in origins.items():
            for name in words.split():
                part = page.partition(f"\n### {prefix}{name}\n")[2].partition("\n##")[0]
                assert f"\n*Since {origin}.*\n" in part, f"{prefix}{name} is not on the page"


def test_every_name_has_a_text_and_a_section_of_the_page() -> None:
    assert [name for name, section, text in sections() if not text or section not in reference.SECTIONS] == []
    assert [name.name for name in names(AppExtensions) if not name.text] == []


def test_nothing_public_is_inherited_from_elsewhere() -> None:
    assert {name for part in reference.CTX_PARTS for name in vars(part) if name[0] != "_"} >= public(ExtensionContext)


def test_the_pages_are_as_the_code_makes_them() -> None:
    stale = [path for path, page in reference.pages(DOCS).items() if path.read_text("utf-8") != page]
    assert stale == [], "run `python -m llms.host.reference`"


def test_check_names_a_stale_page_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docs = copied(tmp_path)
    page = docs / "hooks.md"
    page.write_text(page.read_text("utf-8").replace("| `startup` |", "| `startdown` |"), "utf-8")
    assert reference.main(["--check"], docs) == 1
    assert capsys.readouterr().err == f"{page} is stale. Run `python -m llms.host.reference`.\n"
    assert "startdown" in page.read_text("utf-8")


def test_without_check_stale_pages_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docs = copied(tmp_path)
    (docs / reference.CTX_PAGE).unlink()
    assert reference.main([], docs) == 0
    assert capsys.readouterr().out == f"Wrote {docs / reference.CTX_PAGE}\n"
    assert reference.main(["--check"], docs) == 0


def test_a_page_without_the_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="one block 'hooks', and has 0"):
        reference.with_block("# Hooks\n", "hooks", "| a |")


def copied(folder: Path) -> Path:
    """The pages that are made, in a folder of their own."""
    for path in reference.pages(DOCS):
        place = folder / path.relative_to(DOCS)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(path.read_text("utf-8"), "utf-8")
    return folder
