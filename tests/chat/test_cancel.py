"""Chats that nobody wants an answer to any more."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from llms.chat.cancel import Cancellation, RequestCancelled
from llms.kernel.types import Chat, Context
from llms.providers.events import StreamEvent
from llms.testing import FakeProvider, make_app

from .recorder import BOTH, Recorder, add, refusing
from .tooling import ALL, Toolbox, calling, calls_of

CHAT: Chat = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
WORDS = pytest.mark.parametrize("word", ["cancelled", "completed"])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is, in its only entry."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("context", "asked_for"),
    [({}, False), ({"cancelled": True}, True), ({"completed": True}, True), ({"cancelled": False}, False)],
)
def test_a_chat_is_cancelled_once_its_context_says_so(context: Any, asked_for: bool) -> None:
    assert Cancellation().asked_for(context) is asked_for


def test_whoever_keeps_the_thread_is_asked_at_most_every_tenth_of_a_second(clock: list[float]) -> None:
    asked: list[str] = []

    def note(thread: str) -> bool:
        asked.append(thread)
        return False

    cancellation = Cancellation()
    cancellation.add(note, extension="app")
    context: Any = {"threadId": "7"}
    for moment in (0.0, 0.05, 0.099, 0.101, 0.15, 0.21):
        clock[0] = 100.0 + moment
        assert not cancellation.asked_for(context)
    assert asked == ["7"] * 3


def test_a_thread_that_was_cancelled_stays_so(clock: list[float]) -> None:
    cancellation = Cancellation()
    undo = cancellation.add(lambda thread: thread == "7", extension="app")
    context: Any = {"threadId": "7"}
    assert cancellation.asked_for(context)
    undo()
    undo()
    assert cancellation.asked_for(context)
    assert context["cancelled"] is True


def test_each_chat_has_its_own_tenth_of_a_second(clock: list[float]) -> None:
    cancellation = Cancellation()
    cancellation.add(lambda thread: thread == "7", extension="app")
    assert not cancellation.asked_for({"threadId": "6"})
    assert cancellation.asked_for({"threadId": "7"})


def test_a_chat_without_a_thread_is_nobodys_to_cancel() -> None:
    cancellation = Cancellation()
    cancellation.add(lambda _: True, extension="app")
    assert not cancellation.asked_for({})


def test_who_cannot_tell_cancels_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: str) -> bool:
        raise OSError("disk full")

    cancellation = Cancellation()
    cancellation.add(broken, extension="app")
    assert not cancellation.asked_for({"threadId": "7"})
    assert "Extension 'app' cannot tell whether thread 7 was cancelled: disk full" in caplog.text


def test_after_its_undo_nobody_is_asked() -> None:
    cancellation = Cancellation()
    cancellation.add(lambda _: True, extension="app")()
    assert not cancellation.asked_for({"threadId": "7"})


# -- through the pipeline --------------------------------------------------------------------------------------


@WORDS
async def test_a_chat_cancelled_before_it_is_asked_gives_none_and_is_no_failure(word: str) -> None:
    recorder = Recorder(request=lambda _, context: context.update({word: True}))
    async with make_app(recorder) as server:
        assert await server.app.pipeline.complete(CHAT) is None
        assert [events async for events in server.app.pipeline.stream(CHAT)] == []
        assert server.provider.history == []
    assert recorder.hooks == ["request", "request"]


async def test_who_needs_an_answer_is_told_that_it_was_cancelled() -> None:
    async with make_app(Recorder(request=lambda _, context: context.update(cancelled=True))) as server:
        with pytest.raises(RequestCancelled, match="was cancelled"):
            await server.app.pipeline.answer(CHAT)


@BOTH
@WORDS
async def test_a_chat_cancelled_while_tools_run_is_not_asked_again(word: str, streamed: bool) -> None:
    tools, recorder = Toolbox(act=lambda _, context: context.update({word: True})), Recorder()
    async with make_app(tools, recorder) as server:
        server.provider.enqueue(calling(("add", {"a": 3}), text="Let me see."))
        if streamed:
            reply = await server.chat(stream=True, **ALL)
            assert (reply.status, reply.text) == (200, "Let me see.")
        else:
            assert await server.app.pipeline.complete(CHAT) is None
        assert len(server.provider.history) == 1
    assert "error" not in recorder.hooks
    if streamed:
        answer = recorder.subject("response")
        assert "tool_calls" not in answer["choices"][0]["message"]
        assert [message["role"] for message in answer["tool_history"]] == ["assistant", "tool"]
    else:
        assert "response" not in recorder.hooks


class Cancelling(FakeProvider):
    """A provider during whose answer the chat is cancelled."""

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        assert context is not None
        context["cancelled"] = True
        async for events in super().stream(chat, context):
            yield events


@BOTH
async def test_tools_do_not_run_where_the_chat_was_cancelled_meanwhile(streamed: bool) -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        provider = server.app.registry.live["fake"] = Cancelling()
        provider.enqueue(calling(("add", {"a": 3})))
        if streamed:
            assert calls_of(await server.chat(stream=True, **ALL)) == []
        else:
            assert await server.app.pipeline.complete(CHAT) is None
    assert tools.calls == []


async def test_an_answer_that_came_after_all_counts_as_cancelled() -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        server.app.registry.live["fake"] = Cancelling()
        assert await server.app.pipeline.complete(CHAT) is None
    assert recorder.hooks == ["request"]


@BOTH
async def test_no_other_provider_is_asked_once_a_chat_was_cancelled(streamed: bool) -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        provider = server.app.registry.live["fake"] = Cancelling()
        provider.enqueue(refusing(500))
        other = add(server, "other")
        if streamed:
            assert [events async for events in server.app.pipeline.stream(CHAT)] == []
        else:
            assert await server.app.pipeline.complete(CHAT) is None
        assert other.history == []
    assert recorder.hooks == ["request"]
