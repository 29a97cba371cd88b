"""What a person does on the page, and where they look."""

from playwright.async_api import Locator, Page

from llms.testing.upstream import chunk, sse


async def ask(page: Page, text: str) -> None:
    await box(page).fill(text)
    await box(page).press("Enter")


def box(page: Page) -> Locator:
    return page.get_by_label("Your message")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def answer(page: Page) -> Locator:
    """The newest answer."""
    return page.locator("article.answer").last


def thought(text: str) -> bytes:
    """A piece of reasoning, as vendors stream it."""
    return sse(chunk({"reasoning_content": text}))
