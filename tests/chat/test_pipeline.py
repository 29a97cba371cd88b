"""The hooks of one chat, seen through the server as an extension sees them."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from llms.host.context import ExtensionContext
from llms.kernel.errors import Forbidden, RequestError
from llms.kernel.types import Chat, Chunk, Completion, Context
from llms.providers.events import StreamEvent
from llms.testing import FakeProvider, FakeUpstream, Gate, Hang, make_app, sse
from llms.testing.app import upstream_config
from llms.testing.upstream import chunk

from .recorder import BOTH, Recorder, add, fail, refusing

# -- the order of hooks --------------------------------------------------------------------------------------------


async def test_a_whole_answer_passes_the_request_then_the_response_filters() -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        await server.chat()
    assert recorder.hooks == ["request", "response"]


async def test_a_streamed_answer_passes_the_delta_filters_in_between() -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        server.provider.enqueue(["Hel", "lo"])
        await server.chat(stream=True)
    assert recorder.hooks[0] == "request"
    assert recorder.hooks[-1] == "response"
    assert set(recorder.hooks[1:-1]) == {"delta"}


@BOTH
async def test_the_response_filter_sees_the_whole_answer(streamed: bool) -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        server.provider.enqueue(["Hel", "lo"])
        await server.chat(stream=streamed)
    response: Completion = recorder.subject("response")
    assert response["choices"][0]["message"]["content"] == "Hello"
    assert response["choices"][0]["finish_reason"] == "stop"
    assert response["usage"]["total_tokens"] == 2
    assert "duration" in response["metadata"]


async def test_filters_run_in_the_order_they_registered() -> None:
    order: list[str] = []
    first, second = (Recorder(request=lambda *_, name=name: order.append(name)) for name in ("first", "second"))
    async with make_app(first, second) as server:
        await server.chat()
    assert order == ["first", "second"]


async def test_a_plain_function_serves_as_a_filter_and_runs_beside_the_event_loop() -> None:
    threads: list[threading.Thread] = []

    def install(ctx: ExtensionContext) -> None:
        ctx.register_chat_request_filter(lambda chat, context: threads.append(threading.current_thread()))

    async with make_app(install) as server:
        assert (await server.chat()).status == 200
    assert threads
    assert threading.main_thread() not in threads


async def test_a_filter_that_cannot_stop_waiting_does_not_hold_up_others() -> None:
    entered, released = threading.Event(), threading.Event()

    def block(chat: Chat, _: Context) -> None:
        if chat["messages"][0]["content"] == "block":
            entered.set()
            released.wait(20)

    def install(ctx: ExtensionContext) -> None:
        ctx.register_chat_request_filter(block)

    async with make_app(install) as server:
        blocked = asyncio.create_task(server.chat("block"))
        await asyncio.to_thread(entered.wait, 20)
        assert (await server.chat("pass")).status == 200
        assert not blocked.done()
        released.set()
        await blocked


# -- request filters -----------------------------------------------------------------------------------------------


@BOTH
async def test_a_request_filter_may_edit_the_chat(streamed: bool) -> None:
    recorder = Recorder(request=lambda chat, _: chat["messages"].insert(0, {"role": "system", "content": "Be brief."}))
    async with make_app(recorder) as server:
        await server.chat("Hi", stream=streamed)
        assert [message["role"] for message in server.provider.history[0]["messages"]] == ["system", "user"]


async def test_a_request_filter_may_choose_the_model() -> None:
    recorder = Recorder(request=lambda chat, _: chat.update(model="fake-model"))
    async with make_app(recorder) as server:
        assert (await server.chat(model="whatever")).status == 200


@BOTH
async def test_what_a_request_filter_makes_of_the_chat_is_checked(streamed: bool) -> None:
    async with make_app(Recorder(request=lambda chat, _: chat.update(messages=[]))) as server:
        assert (await server.chat(stream=streamed)).status == 400


@BOTH
async def test_a_request_filter_that_raises_ends_the_request_and_reaches_the_error_filters(streamed: bool) -> None:
    recorder = Recorder(request=fail(ValueError("over budget")))
    async with make_app(recorder) as server:
        reply = await server.chat(stream=streamed)
        assert server.provider.history == []
    assert reply.status == 500
    assert reply.body["error"]["message"] == "over budget"
    assert recorder.hooks == ["request", "error"]


async def test_a_request_filter_that_raises_keeps_later_ones_from_running() -> None:
    later = Recorder()
    async with make_app(Recorder(request=fail(ValueError("stop"))), later) as server:
        await server.chat()
    assert "request" not in later.hooks


@BOTH
async def test_a_request_filter_may_answer_with_an_error_of_ours(streamed: bool) -> None:
    async with make_app(Recorder(request=fail(Forbidden("Not at night. Come back at 8.")))) as server:
        reply = await server.chat(stream=streamed)
    assert reply.status == 403
    assert reply.body["error"]["message"] == "Not at night. Come back at 8."


# -- filters that only look on -------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("hook", ["response", "status", "error"])
async def test_a_filter_that_looks_on_changes_nothing_by_raising(
    hook: str, streamed: bool, no_waiting: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(**{hook: fail(ValueError("its own bug"))})
    async with make_app(recorder) as server:
        server.provider.enqueue(refusing(500), "Hello")
        if hook == "error":
            server.provider.enqueue(*[refusing(400)] * 3)
            await server.chat(stream=streamed)
        reply = await server.chat(stream=streamed)
    assert hook in recorder.hooks
    assert "its own bug" not in str(reply.body)
    assert "its own bug" in caplog.text


async def test_a_response_filter_that_raises_is_skipped_and_the_model_is_not_asked_again() -> None:
    async with make_app(Recorder(response=fail(ValueError("its own bug")))) as server:
        server.provider.enqueue("Hello")
        reply = await server.chat()
        assert reply.text == "Hello"
        assert len(server.provider.history) == 1


# -- delta filters -------------------------------------------------------------------------------------------------


async def texts(recorder: Recorder, *given: str) -> tuple[str, Completion]:
    """What the client and the response filter saw of a streamed answer."""
    async with make_app(recorder) as server:
        server.provider.enqueue(list(given))
        reply = await server.chat(stream=True)
    assert reply.status == 200
    return reply.text, recorder.subject("response")


def content(chunk: Chunk) -> str:
    return chunk["choices"][0]["delta"].get("content") or "" if chunk["choices"] else ""  # type: ignore[return-value]


async def test_a_delta_filter_may_edit_a_chunk_in_place() -> None:
    def shout(chunk: Chunk, _: Context) -> None:
        if text := content(chunk):
            chunk["choices"][0]["delta"]["content"] = text.upper()

    seen, kept = await texts(Recorder(delta=shout), "Hel", "lo")
    assert seen == "HELLO"
    assert kept["choices"][0]["message"]["content"] == "HELLO"


async def test_a_delta_filter_may_replace_a_chunk() -> None:
    def replace(chunk: Chunk, _: Context) -> Chunk | None:
        if content(chunk) != "secret":
            return None
        return {"choices": [{"index": 0, "delta": {"content": "***"}}]}

    seen, kept = await texts(Recorder(delta=replace), "a ", "secret", " b")
    assert seen == "a *** b"
    assert kept["choices"][0]["message"]["content"] == "a *** b"


async def test_a_delta_filter_may_drop_a_chunk() -> None:
    seen, kept = await texts(Recorder(delta=lambda chunk, _: False if content(chunk) == "b" else None), "a", "b", "c")
    assert seen == "ac"
    assert kept["choices"][0]["message"]["content"] == "ac"


async def test_delta_filters_each_see_what_the_one_before_left() -> None:
    def append(letter: str) -> Any:
        def act(chunk: Chunk, _: Context) -> None:
            if text := content(chunk):
                chunk["choices"][0]["delta"]["content"] = text + letter

        return act

    async with make_app(Recorder(delta=append("1")), Recorder(delta=append("2"))) as server:
        server.provider.enqueue(["a", "b"])
        assert (await server.chat(stream=True)).text == "a12b12"


@pytest.mark.parametrize("answer", [True, "text", 5, ["list"]])
async def test_what_a_delta_filter_returns_beside_a_chunk_counts_as_nothing(answer: Any) -> None:
    seen, _ = await texts(Recorder(delta=lambda *_: answer), "Hel", "lo")
    assert seen == "Hello"


async def test_a_delta_filter_that_raises_is_skipped() -> None:
    seen, _ = await texts(Recorder(delta=fail(ValueError("its own bug"))), "Hel", "lo")
    assert seen == "Hello"


async def test_a_delta_filter_is_not_asked_about_a_whole_answer() -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        await server.chat()
    assert "delta" not in recorder.hooks


async def test_an_edited_chunk_of_a_vendor_is_sent_as_edited(fake_upstream: FakeUpstream) -> None:
    def sign(chunk: Chunk, _: Context) -> None:
        chunk["system_fingerprint"] = "ours"  # type: ignore[typeddict-unknown-key]

    fake_upstream.enqueue_stream("Hello")
    async with make_app(Recorder(delta=sign), config=upstream_config(fake_upstream)) as server:
        reply = await server.chat(stream=True)
    assert {chunk.get("system_fingerprint") for chunk in reply.chunks} == {"ours"}


# -- error filters -------------------------------------------------------------------------------------------------


@BOTH
async def test_an_error_filter_sees_the_error_and_where_it_came_from(streamed: bool) -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        server.provider.enqueue(refusing(400, "too long"))
        await server.chat(stream=streamed)
    assert recorder.hooks == ["request", "error"]
    assert str(recorder.subject("error")) == "too long"
    assert recorder.context["stackTrace"].startswith("Traceback (most recent call last)")
    assert "ProviderError: too long" in recorder.context["stackTrace"]


@BOTH
async def test_error_filters_run_once_however_many_attempts_failed(streamed: bool, no_waiting: list[float]) -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        other = add(server, "other")
        server.provider.enqueue(*[refusing(500, "first")] * 3)
        other.enqueue(*[refusing(500, "second")] * 3)
        reply = await server.chat(stream=streamed)
    assert recorder.hooks.count("error") == 1
    assert str(recorder.subject("error")) == "first"
    assert reply.body["error"]["message"] == "first"
    assert "first" in recorder.context["stackTrace"]


@BOTH
@pytest.mark.parametrize("fields", [{"model": "unknown"}, {"model": ""}, {"messages": []}])
async def test_a_chat_nobody_can_answer_reaches_the_error_filters(fields: dict[str, Any], streamed: bool) -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        await server.chat(**{"stream": streamed, **fields})
    assert isinstance(recorder.subject("error"), RequestError)


async def test_an_error_in_the_middle_of_a_stream_reaches_the_error_filters(fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, sse({"error": {"message": "out of memory"}}))
    recorder = Recorder(delta=lambda *_: gate.opened.set())
    async with make_app(recorder, config=upstream_config(fake_upstream)) as server:
        await server.chat(stream=True)
    assert "out of memory" in str(recorder.subject("error"))
    assert "response" not in recorder.hooks


@BOTH
async def test_an_error_filter_cannot_turn_the_error_into_an_answer(streamed: bool) -> None:
    async with make_app(Recorder(error=lambda *_: {"choices": []})) as server:
        server.provider.enqueue(refusing(400))
        assert (await server.chat(stream=streamed)).status == 400


# -- ending early --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["cancelled", "completed"])
async def test_a_filter_may_end_a_stream_and_the_vendor_is_left(fake_upstream: FakeUpstream, word: str) -> None:
    fake_upstream.enqueue_stream("Hel", Hang())
    recorder = Recorder(delta=lambda _, context: context.update({word: True}))
    async with make_app(recorder, config=upstream_config(fake_upstream)) as server:
        await asyncio.wait_for(server.chat(stream=True), 20)
        await asyncio.wait_for(fake_upstream.gone.wait(), 20)


# -- from inside ---------------------------------------------------------------------------------------------------


async def test_an_extension_may_chat_through_the_whole_pipeline() -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        server.provider.enqueue("Hello")
        chat: Chat = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
        completion = await server.app.pipeline.answer(chat)
    assert completion["choices"][0]["message"]["content"] == "Hello"
    assert recorder.hooks == ["request", "response"]
    assert recorder.context["tools"] == "all"


async def test_a_stream_that_is_not_read_to_its_end_lets_go_of_the_provider() -> None:
    closed: list[bool] = []

    class Watched(FakeProvider):
        async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
            try:
                while True:
                    yield [StreamEvent(chunk({"content": "x"}))]  # type: ignore[arg-type]
            finally:
                closed.append(True)

    async with make_app() as server:
        server.app.registry.live["fake"] = Watched()
        chat: Chat = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
        batches = server.app.pipeline.stream(chat)
        await anext(batches)
        await batches.aclose()
    assert closed == [True]
