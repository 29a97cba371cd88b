"""The page for everyone: by keyboard, by ear, by touch, in both colour schemes, on wide and narrow screens."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from llms.testing import FakeUpstream, Gate, Hang

from .chatting import answer, ask, box, button, thought
from .conftest import OpenPage

RICH = "# Title\n\nText with `code`.\n\n- one\n- two\n\n```python\n" + "x = 1; " * 40 + "\n```\n\n" + "w" * 300
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
WIDTHS = pytest.mark.parametrize("width", [390, 1280])


@SCHEMES
@WIDTHS
async def test_axe_finds_nothing(
    open_page: OpenPage, fake_upstream: FakeUpstream, axe: str, scheme: str, width: int
) -> None:
    page = await open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    assert await violations(page, axe) == []
    fake_upstream.enqueue_stream(thought("Let me see."), RICH)
    fake_upstream.enqueue_error(400, "Not now.")
    await ask(page, "Show me everything")
    await expect(button(page, "Copy")).to_be_visible()
    await answer(page).get_by_text("Reasoning").click()
    assert await violations(page, axe) == []
    await ask(page, "And again")
    await expect(button(page, "Retry")).to_be_visible()
    assert await violations(page, axe) == []


async def violations(page: Page, axe: str) -> list[Any]:
    """What axe has against the page as it stands, once colours have settled."""
    await page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished))")
    await page.evaluate(axe)
    found = await page.evaluate("axe.run()")
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]]


async def test_a_conversation_needs_no_mouse(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Line by line", Hang())
    await expect(box(page)).to_be_focused()
    await page.keyboard.type("first line")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("second line")
    await page.keyboard.press("Enter")
    await expect(answer(page)).to_contain_text("Line by line")
    await page.keyboard.press("Tab")
    await expect(button(page, "Stop")).to_be_focused()
    await page.keyboard.press("Space")
    await expect(answer(page)).to_contain_text("Stopped")
    await expect(box(page)).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await expect(button(page, "Copy")).to_be_focused()
    assert fake_upstream.requests[0].body["messages"][0]["content"] == "first line\nsecond line"


async def test_enter_while_an_answer_streams_keeps_what_was_written(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Still talking", Hang())
    await ask(page, "Talk")
    await expect(answer(page)).to_contain_text("Still talking")
    await ask(page, "My next question")
    await expect(box(page)).to_have_value("My next question")
    await expect(button(page, "Stop")).to_be_visible()


async def test_enter_that_accepts_a_composed_word_does_not_send(page: Page) -> None:
    await box(page).fill("日本")
    await box(page).dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    await expect(box(page)).to_have_value("日本")
    await expect(page.locator("article")).to_have_count(0)


async def test_the_box_grows_with_what_is_written(page: Page) -> None:
    low = await box(page).bounding_box()
    await box(page).fill("line\n" * 5)
    high = await box(page).bounding_box()
    assert low and high
    assert high["height"] > low["height"] * 2


async def test_the_finished_answer_is_announced_and_not_its_pieces(page: Page, fake_upstream: FakeUpstream) -> None:
    rest = Gate()
    fake_upstream.enqueue_stream("Half", rest, " and **whole**.")
    announcer = page.locator("#announcer")
    await ask(page, "Speak")
    await expect(answer(page)).to_contain_text("Half")
    await expect(announcer).to_have_text("Answering")
    await expect(answer(page)).to_have_attribute("aria-busy", "true")
    rest.opened.set()
    await expect(announcer).to_have_text("Half and whole.")
    await expect(answer(page)).to_have_attribute("aria-busy", "false")


async def test_right_to_left_text_runs_right_to_left(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("שלום עולם\n\nHello world")
    await ask(page, "Both")
    await expect(answer(page)).to_contain_text("Hello world")
    await expect(answer(page).locator(".body p").first).to_have_css("direction", "rtl")
    await expect(answer(page).locator(".body p").last).to_have_css("direction", "ltr")


@pytest.mark.parametrize("width", [320, 390])
async def test_nothing_is_wider_than_a_phone(open_page: OpenPage, fake_upstream: FakeUpstream, width: int) -> None:
    page = await open_page(viewport={"width": width, "height": 700}, has_touch=True, is_mobile=True)
    fake_upstream.enqueue_stream(RICH)
    await ask(page, "w" * 300)
    await expect(button(page, "Copy")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == width


async def test_everything_one_taps_is_large_enough(open_page: OpenPage, fake_upstream: FakeUpstream) -> None:
    page = await open_page(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    fake_upstream.enqueue_stream(thought("Let me see."), "Well.")
    fake_upstream.enqueue_error(400, "Not now.")
    await ask(page, "Hi")
    await expect(button(page, "Copy")).to_be_visible()
    await ask(page, "And?")
    await expect(button(page, "Retry")).to_be_visible()
    small = await page.evaluate(
        """[...document.querySelectorAll("button, select, summary, textarea")]
            .filter((control) => control.checkVisibility())
            .filter((control) => control.getBoundingClientRect().height < 44 || control.clientWidth < 44)
            .map((control) => control.outerHTML)"""
    )
    assert small == []


async def test_motion_stops_for_those_who_ask(open_page: OpenPage, fake_upstream: FakeUpstream) -> None:
    page = await open_page(reduced_motion="reduce")
    fake_upstream.enqueue_stream(Hang())
    await ask(page, "Hi")
    await expect(page.locator(".waiting span").first).to_have_css("animation-name", "none")


async def test_without_javascript_the_page_says_so(open_page: OpenPage) -> None:
    page = await open_page(java_script_enabled=False)
    await expect(page.locator("noscript p")).to_be_visible()
