"""What the page shows when something goes wrong: the reason, what there is of the answer, and a way on."""

from playwright.async_api import Page, expect

from llms.testing import Cut, FakeUpstream, Gate, TestServer, sse

from .chatting import answer, ask, box, button


async def test_an_error_before_the_answer_is_shown_with_the_servers_words(
    page: Page, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_error(400, "That is too long for this model.")
    await ask(page, "Hi")
    await expect(page.get_by_role("alert")).to_contain_text("That is too long for this model.")
    await expect(button(page, "Send")).to_be_visible()


async def test_retry_asks_again(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_error(400, "Not now.")
    fake_upstream.enqueue_stream("Now.")
    await ask(page, "When?")
    await button(page, "Retry").click()
    await expect(answer(page)).to_contain_text("Now.")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.locator("article")).to_have_count(2)
    await expect(box(page)).to_be_focused()
    assert fake_upstream.requests[-1].body["messages"] == [{"role": "user", "content": "When?"}]


async def test_an_error_in_the_middle_keeps_what_was_said(page: Page, fake_upstream: FakeUpstream) -> None:
    rest = Gate()
    fake_upstream.enqueue_stream("It begins well", rest, sse({"error": {"message": "Overloaded, sorry."}}))
    await ask(page, "Go on")
    await expect(answer(page)).to_contain_text("It begins well")
    rest.opened.set()
    await expect(page.get_by_role("alert")).to_contain_text("Overloaded, sorry.")
    await expect(answer(page)).to_contain_text("It begins well")


async def test_a_broken_connection_keeps_what_was_said(page: Page, fake_upstream: FakeUpstream) -> None:
    rest = Gate()
    fake_upstream.enqueue_stream("It begins well", rest, Cut())
    await ask(page, "Go on")
    await expect(answer(page)).to_contain_text("It begins well")
    rest.opened.set()
    await expect(button(page, "Retry")).to_be_visible()
    await expect(answer(page)).to_contain_text("It begins well")


async def test_a_server_that_is_gone_is_named_as_the_cause(page: Page, server: TestServer) -> None:
    await expect(page.get_by_label("Model")).to_have_value("fake-model")
    await server.server.stop()
    await ask(page, "Are you there?")
    await expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")


async def test_a_failed_answer_can_be_retried_after_a_reload(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_error(400, "Not now.")
    fake_upstream.enqueue_stream("Now.")
    await ask(page, "When?")
    await expect(page.get_by_role("alert")).to_contain_text("Not now.")
    await page.reload()
    await expect(page.get_by_role("alert")).to_contain_text("Not now.")
    await button(page, "Retry").click()
    await expect(answer(page)).to_contain_text("Now.")


async def test_an_empty_answer_is_called_empty(page: Page, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("")
    await ask(page, "Say nothing")
    await expect(answer(page)).to_contain_text("The model gave an empty answer")
