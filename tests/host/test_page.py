"""What extensions add to the page can be taken back, and what it replaced comes back."""

from llms.host.page import IMPORT_MAP, Page


def test_the_import_map_begins_with_what_the_guide_promises() -> None:
    assert Page().import_maps == dict(IMPORT_MAP)
    assert Page().import_maps["vue"] == "/ui/lib/vue.mjs"


def test_an_entry_that_was_overridden_comes_back() -> None:
    page = Page()
    undo = page.add_import_map({"vue": "/ext/x/vue.mjs", "mine": "/ext/x/mine.mjs"})
    assert page.import_maps["vue"] == "/ext/x/vue.mjs"
    undo()
    undo()
    assert page.import_maps == dict(IMPORT_MAP)


def test_taking_back_leaves_what_others_laid_over_it() -> None:
    page = Page()
    undo = page.add_import_map({"vue": "/ext/first.mjs"})
    page.add_import_map({"vue": "/ext/second.mjs"})
    undo()
    assert page.import_maps["vue"] == "/ext/second.mjs"


def test_headers_footers_and_modules_are_taken_back_one_by_one() -> None:
    page = Page()
    page.add_header("<meta name=a>")
    undos = [page.add_header("<meta name=b>"), page.add_footer("<p>"), page.add_module({"id": "x", "path": "/x"})]
    for undo in undos + undos:
        undo()
    assert (page.headers, page.footers, page.modules) == (["<meta name=a>"], [], [])
