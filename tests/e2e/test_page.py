"""What the page does for a reader whose server works."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Page, expect

import llms
from llms.testing import FakeUpstream, Gate, Hang, make_app
from llms.testing.app import upstream_config

from .chatting import answer, ask, box, button, thought
from .conftest import OpenPage

UI = Path(llms.__file__).parent / "ui"


async def test_an_answer_appears_while_it_is_being_written(page: Page, fake_upstream: FakeUpstream) -> None:
    rest = Gate()
    fake_upstream.enqueue_stream("The first part", rest, " and the second.")
    await ask(page, "Tell me")
    await expect(answer(page)).to_contain_text("The first part")
    await expect(answer(page)).not_to_contain_text("second")
    rest.opened.set()
    await expect(answer(page)).to_contain_text("The first part and the second.")


async def test_stop_ends_the_answer_and_the_request_behind_it(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Once upon a time", Hang())
    await ask(page, "A long story")
    await expect(answer(page)).to_contain_text("Once upon a time")
    await button(page, "Stop").click()
    await asyncio.wait_for(fake_upstream.gone.wait(), 10)
    await expect(answer(page)).to_contain_text("Stopped")
    await expect(answer(page)).to_contain_text("Once upon a time")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(button(page, "Send")).to_be_visible()


async def test_escape_stops_too(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Once upon a time", Hang())
    await ask(page, "A long story")
    await expect(answer(page)).to_contain_text("Once upon a time")
    await page.keyboard.press("Escape")
    await expect(answer(page)).to_contain_text("Stopped")


async def test_the_model_is_told_what_was_said_before(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream(thought("A greeting."), "Hello, Ada.")
    fake_upstream.enqueue_stream("Ada.")
    await ask(page, "I am Ada")
    await expect(answer(page)).to_contain_text("Hello, Ada.")
    await ask(page, "Who am I?")
    await expect(answer(page).locator(".body")).to_have_text("Ada.")
    assert fake_upstream.requests[1].body["messages"] == [
        {"role": "user", "content": "I am Ada"},
        {"role": "assistant", "content": "Hello, Ada."},
        {"role": "user", "content": "Who am I?"},
    ]


async def test_a_starter_is_asked_with_one_click(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Blue, blue, blue.")
    await button(page, "Write a haiku about the sea").click()
    await expect(answer(page)).to_contain_text("Blue, blue, blue.")
    await expect(page.get_by_role("heading", name="What would you like to know?")).to_be_hidden()


async def test_a_reload_keeps_the_conversation(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("**Forty-two.**")
    await ask(page, "The answer?")
    await expect(button(page, "Copy")).to_be_visible()
    await page.reload()
    await expect(page.locator("article")).to_have_count(2)
    await expect(answer(page).locator("strong")).to_have_text("Forty-two.")


async def test_a_reload_in_the_middle_keeps_what_was_there(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Half of it", Hang())
    await ask(page, "All of it")
    await expect(answer(page)).to_contain_text("Half of it")
    await page.reload()
    await expect(answer(page)).to_contain_text("Half of it")
    await expect(answer(page)).to_contain_text("Stopped")


async def test_new_chat_forgets_the_old_one(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Never mind", Hang())
    await ask(page, "A secret")
    await expect(answer(page)).to_contain_text("Never mind")
    await button(page, "New chat").click()
    await expect(page.locator("article")).to_have_count(0)
    await expect(box(page)).to_be_focused()
    fake_upstream.enqueue_stream("Hello.")
    await ask(page, "Hi")
    await expect(answer(page)).to_contain_text("Hello.")
    assert fake_upstream.requests[-1].body["messages"] == [{"role": "user", "content": "Hi"}]


async def test_markup_in_an_answer_is_shown_and_never_run(page: Page, fake_upstream: FakeUpstream) -> None:
    evil = (
        "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>\n\n"
        "- <b onclick=x>item</b>\n\n**<i>bold</i>** `<u>code</u>`\n\n```<s>\n<iframe src=javascript:x></iframe>\n```"
    )
    fake_upstream.enqueue_stream(thought(evil), evil)
    await ask(page, "<h1>Mine</h1>")
    await expect(button(page, "Copy")).to_be_visible()
    await expect(answer(page).locator(".body")).to_contain_text("<script>document.title='owned'</script>")
    await expect(page.locator("article .text").first).to_have_text("<h1>Mine</h1>")
    assert await page.locator("article :is(img, script, b, i, u, s, iframe, h1)").count() == 0
    assert await page.title() == "llms"


async def test_an_answer_is_set_as_text_with_lists_and_code(page: Page, fake_upstream: FakeUpstream) -> None:
    text = "# Title\n\nSome **bold** and `code`.\n\n1. one\n   - inner\n2. two\n\n```python\nprint('*hi*')\n```\nEnd"
    fake_upstream.enqueue_stream(*text)  # a character at a time
    await ask(page, "Show me")
    await expect(button(page, "Copy")).to_be_visible()
    body = answer(page).locator(".body")
    await expect(body.locator("> h3")).to_have_text("Title")
    await expect(body.locator("p strong")).to_have_text("bold")
    await expect(body.locator("p code")).to_have_text("code")
    await expect(body.locator("> ol > li")).to_have_count(2)
    await expect(body.locator("> ol > li > ul > li")).to_have_text("inner")
    await expect(body.locator("figure pre")).to_have_text("print('*hi*')")
    await expect(body.locator("> p").last).to_have_text("End")


async def test_reasoning_is_there_but_folded(page: Page, fake_upstream: FakeUpstream) -> None:
    rest = Gate()
    fake_upstream.enqueue_stream(thought("They greet me."), rest, "Hello!")
    await ask(page, "Hi")
    await expect(answer(page).get_by_text("Thinking…")).to_be_visible()
    rest.opened.set()
    await expect(answer(page)).to_contain_text("Hello!")
    await expect(answer(page).get_by_text("They greet me.")).to_be_hidden()
    await answer(page).get_by_text("Reasoning").click()
    await expect(answer(page).get_by_text("They greet me.")).to_be_visible()


async def test_copy_gives_the_answer_as_the_model_wrote_it(open_page: OpenPage, fake_upstream: FakeUpstream) -> None:
    page = await open_page(permissions=["clipboard-read", "clipboard-write"])
    fake_upstream.enqueue_stream("**Bold** words")
    await ask(page, "Say it")
    await button(page, "Copy").click()
    await expect(button(page, "Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == "**Bold** words"


async def test_an_answer_cut_at_the_length_limit_says_so(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("And then", finish="length")
    await ask(page, "A long story")
    await expect(answer(page)).to_contain_text("Cut at the length limit")


async def test_a_reader_who_scrolled_up_is_left_there(page: Page, fake_upstream: FakeUpstream) -> None:
    rest = Gate()
    fake_upstream.enqueue_stream("A line.\n\n" * 60, rest, "The end.")
    await ask(page, "A long story")
    await expect(page.locator("article p")).to_have_count(60)
    await page.wait_for_function("scrollY > 200")  # the page had followed
    await page.evaluate("scrollTo(0, 100)")
    rest.opened.set()
    await expect(answer(page)).to_contain_text("The end.")
    await expect(button(page, "Copy")).to_be_attached()
    assert await page.evaluate("scrollY") == 100


async def test_the_chosen_model_is_remembered(open_page: OpenPage, fake_upstream: FakeUpstream) -> None:
    models = {name: {"id": name} for name in ("first", "second")}
    async with make_app(config=upstream_config(fake_upstream, models=models)) as server:
        page = await open_page(server)
        await page.get_by_label("Model").select_option("second")
        await page.reload()
        await expect(page.get_by_label("Model")).to_have_value("second")
        fake_upstream.enqueue_stream("Hello.")
        await ask(page, "Hi")
        await expect(answer(page)).to_contain_text("second")
    assert fake_upstream.requests[-1].body["model"] == "second"


async def test_the_configured_model_is_chosen_first(open_page: OpenPage, fake_upstream: FakeUpstream) -> None:
    models = {name: {"id": name} for name in ("first", "second")}
    config = upstream_config(fake_upstream, models=models) | {"defaults": {"text": {"model": "second"}}}
    async with make_app(config=config) as server:
        page = await open_page(server)
        await expect(page.get_by_label("Model")).to_have_value("second")


async def test_the_demo_model_is_called_one(open_page: OpenPage, fake_upstream: FakeUpstream) -> None:
    models = {"small": {"id": "small", "demo": True}}
    async with make_app(config=upstream_config(fake_upstream, models=models)) as server:
        page = await open_page(server)
        await expect(page.get_by_text("Tiny offline demo model")).to_be_visible()


async def test_without_a_model_the_page_says_what_to_do(open_page: OpenPage, fake_upstream: FakeUpstream) -> None:
    config = upstream_config(fake_upstream, enabled=False)
    async with make_app(config=config) as server:
        page = await open_page(server)
        await expect(page.get_by_role("status").filter(has_text="llms --enable")).to_contain_text("upstream")
        await ask(page, "Hi")
        await expect(page.get_by_role("alert")).to_contain_text("llms local install")


async def test_a_model_that_came_later_answers_the_retry(open_page: OpenPage) -> None:
    async with make_app() as server:
        server.app.registry.live.clear()
        page = await open_page(server)
        await ask(page, "Hi")
        await expect(page.get_by_role("alert")).to_contain_text("No model can answer yet.")
        server.app.registry.live[server.provider.id] = server.provider
        server.provider.enqueue("Here I am.")
        await button(page, "Retry").click()
        await expect(answer(page)).to_contain_text("Here I am.")
        await expect(page.get_by_text("No model can answer yet.")).to_have_count(0)


async def test_the_page_may_run_only_its_own_scripts(page: Page) -> None:
    response = await page.reload()
    assert response is not None
    policy = response.headers["content-security-policy"]
    (scripts,) = re.findall(r"script-src ([^;]+);", policy)
    assert re.fullmatch(r"'self' 'sha256-[^' ]+'", scripts), "its files, and the import map"
    assert "unsafe" not in policy


def test_every_module_is_fetched_at_once_not_one_after_another() -> None:
    modules = {f"/ui/{file.name}" for file in UI.glob("*.mjs")} - {"/ui/dev.mjs"}  # only there with --dev
    page = (UI / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'(?:modulepreload" href|module" src)="([^"]+)"', page)) == modules
