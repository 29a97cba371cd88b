"""Headers every answer has, whoever made it."""

import logging

import pytest

from llms.testing import FakeUpstream, TestServer, make_app

from .wire import Answer, ask, chat, fetch, stream

EVERYWHERE = [
    ("GET", "/health", 200),
    ("GET", "/", 200),
    ("GET", "/ui/app.css", 200),
    ("GET", "/nothing", 404),
    ("GET", "/v1/chat/completions", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), EVERYWHERE)
async def test_every_answer_is_signed(server: TestServer, method: str, path: str, status: int) -> None:
    answer = await fetch(server, method, path)
    assert answer.status == status
    assert answer.headers["server"] == "llms"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]


async def test_a_streamed_answer_is_signed(server: TestServer, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Hello")
    headers = (await stream(server)).headers
    assert headers["server"] == "llms"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]


async def test_a_refused_request_is_signed(server: TestServer) -> None:
    answer = await fetch(server, "GET", "/health", headers={"Origin": "http://evil.example"})
    assert answer.status == 403
    assert answer.headers["server"] == "llms"
    assert answer.headers["x-request-id"]


async def test_no_answer_tells_which_software_serves_it(server: TestServer) -> None:
    for method, path, _ in EVERYWHERE:
        answer = await fetch(server, method, path)
        assert not any("aiohttp" in value or "Python" in value for value in answer.headers.values())


@pytest.mark.parametrize("path", ["/", "/ui/chat.mjs", "/ui/app.css"])
async def test_a_page_may_only_load_what_is_ours(server: TestServer, path: str) -> None:
    policy = (await fetch(server, "GET", path)).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


# -- request ids -------------------------------------------------------------------------------------------------


async def ask_as(server: TestServer, request_id: str) -> Answer:
    return await fetch(server, "GET", "/health", headers={"X-Request-Id": request_id})


@pytest.mark.parametrize("given", ["abc", "0f8fad5b-d9cb-469f-a165-70867728950e", "a.b:c_d-e", "x" * 128])
async def test_the_callers_request_id_is_kept(server: TestServer, given: str) -> None:
    assert (await ask_as(server, given)).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "two words", 'quo"te', "<script>", "a\tb", "näh", "a/b"])
async def test_a_request_id_unfit_for_a_log_line_is_replaced(server: TestServer, given: str) -> None:
    found = (await ask_as(server, given)).headers["x-request-id"]
    assert found
    assert found != given


async def test_each_request_gets_an_id_of_its_own(server: TestServer) -> None:
    found = {(await fetch(server, "GET", "/health")).headers["x-request-id"] for _ in range(5)}
    assert len(found) == 5


async def test_the_request_id_travels_with_the_chat() -> None:
    seen: list[str] = []

    def install(ctx: object) -> None:
        ctx.register_chat_request_filter(lambda chat, context: seen.append(context["request_id"]))  # type: ignore[attr-defined]

    async with make_app(install) as server:
        await ask(server, headers={"X-Request-Id": "mine-1"})
    assert seen == ["mine-1"]


async def test_a_failed_request_is_logged_under_its_id(server: TestServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "llms.web"):
        await ask(server, chat(model="unknown"), headers={"X-Request-Id": "mine-2"})
    assert [getattr(record, "request_id", None) for record in caplog.records] == ["mine-2"]


async def test_an_internal_error_tells_the_id_to_look_for_and_nothing_else(
    server: TestServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.app.registry, "models", None)
    answer = await fetch(server, "GET", "/models", headers={"X-Request-Id": "mine-3"})
    assert answer.status == 500
    assert answer.message == "Internal error. The log tells more under request id mine-3."
    [record] = caplog.records
    assert "mine-3" in record.message
    assert record.exc_info
