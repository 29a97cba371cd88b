"""A real browser on the page of a real server, whose only provider is a vendor that does as it is told."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from llms.kernel.errors import ConfigError
from llms.testing import FakeUpstream, TestServer, make_app
from llms.testing.app import upstream_config

from .browser import ARGUMENTS, Chromium, find_chromium
from .packages import read_axe

OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
async def server(fake_upstream: FakeUpstream) -> AsyncIterator[TestServer]:
    async with make_app(config=upstream_config(fake_upstream)) as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    try:
        return find_chromium()
    except ConfigError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def axe() -> str:
    try:
        return read_axe()
    except ConfigError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
async def browser(chromium: Chromium) -> AsyncIterator[Browser]:
    env: dict[str, str | float | bool] = {**os.environ, **chromium.env}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.executable, args=ARGUMENTS, env=env)
        yield browser
        await browser.close()


@pytest.fixture
async def open_page(server: TestServer, browser: Browser) -> AsyncIterator[OpenPage]:
    """Opens the page, of this server or of another; the options are those of a browser context.

    Whatever a test does there, nothing may throw, break the content security policy or complain in the console.
    """
    problems: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        refused = message.location["url"].endswith("/v1/chat/completions")  # the browser's own note on a status
        if message.type in ("error", "warning") and not refused:
            problems.append(message.text)

    async def open_page(at: TestServer = server, **options: object) -> Page:
        context = await browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        page = await context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(at.url)
        return page

    yield open_page
    assert problems == []


@pytest.fixture
async def page(open_page: OpenPage) -> Page:
    return await open_page()
