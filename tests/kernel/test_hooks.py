"""Hooks: who is called, in which order, what may stop a request, and what it costs whom."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from llms.kernel.accounts import Account
from llms.kernel.errors import RequestError
from llms.kernel.foreign import ExtensionError
from llms.kernel.hooks import DROP, Hook, Hooks


@pytest.fixture
def hooks() -> Hooks:
    return Hooks()


def _all(hooks: Hooks) -> list[Hook]:
    return [hook for hook in vars(hooks).values() if isinstance(hook, Hook)]


def test_every_hook_is_named_as_its_attribute(hooks: Hooks) -> None:
    assert [hook.name for hook in _all(hooks)] == [name for name, hook in vars(hooks).items() if isinstance(hook, Hook)]


def test_every_hook_has_one_sentence_or_two_that_say_when_it_is_called(hooks: Hooks) -> None:
    assert [hook.name for hook in _all(hooks) if not hook.doc.endswith(".")] == []


def test_only_the_request_and_the_tool_call_can_be_stopped(hooks: Hooks) -> None:
    assert [hook.name for hook in _all(hooks) if hook.stop] == ["chat_request", "tool_call"]


async def test_handlers_run_in_the_order_they_registered(hooks: Hooks) -> None:
    calls: list[str] = []
    hooks.startup.add(lambda: calls.append("first"), extension="a")
    hooks.startup.add(lambda: calls.append("second"), extension="b")
    await hooks.startup()
    assert calls == ["first", "second"]


async def test_cleanup_handlers_run_backwards(hooks: Hooks) -> None:
    calls: list[str] = []
    hooks.cleanup.add(lambda: calls.append("first"), extension="a")
    hooks.cleanup.add(lambda: calls.append("second"), extension="b")
    await hooks.cleanup()
    assert calls == ["second", "first"]


async def test_the_next_handler_waits_for_the_one_before(hooks: Hooks) -> None:
    calls: list[str] = []

    async def slow() -> None:
        await asyncio.sleep(0)
        calls.append("slow")

    hooks.startup.add(slow, extension="a")
    hooks.startup.add(lambda: calls.append("quick"), extension="b")
    await hooks.startup()
    assert calls == ["slow", "quick"]


async def test_a_handler_gets_the_arguments_of_its_hook(hooks: Hooks) -> None:
    given: list[Any] = []

    async def note(response: Any, context: Any) -> None:
        given.extend((response, context))

    hooks.chat_response.add(note, extension="a")
    response, context = {"id": "1"}, {"user": None}
    await hooks.chat_response(response, context)
    assert given[0] is response
    assert given[1] is context


async def test_a_sync_handler_runs_in_a_worker_thread(hooks: Hooks) -> None:
    threads: list[int] = []
    hooks.startup.add(lambda: threads.append(threading.get_ident()), extension="a")
    await hooks.startup()
    assert threads != [threading.get_ident()]


async def test_an_async_handler_runs_on_the_event_loop(hooks: Hooks) -> None:
    threads: list[int] = []

    async def note() -> None:
        threads.append(threading.get_ident())

    hooks.startup.add(note, extension="a")
    await hooks.startup()
    assert threads == [threading.get_ident()]


async def test_a_handler_edits_its_argument_in_place(hooks: Hooks) -> None:
    chat: dict[str, Any] = {}
    hooks.chat_request.add(lambda chat, context: chat.update(model="other"), extension="a")
    await hooks.chat_request(chat, {})
    assert chat == {"model": "other"}


def _broken(*_: Any) -> None:
    raise ValueError("no luck")


async def test_an_observing_hook_goes_on_after_a_handler_failed(hooks: Hooks) -> None:
    calls: list[str] = []
    hooks.chat_response.add(_broken, extension="bad")
    hooks.chat_response.add(lambda *_: calls.append("good"), extension="good")
    await hooks.chat_response({}, {})
    assert calls == ["good"]


async def test_a_failure_is_logged_under_the_extensions_name(hooks: Hooks, caplog: pytest.LogCaptureFixture) -> None:
    hooks.chat_response.add(_broken, extension="bad")
    await hooks.chat_response({}, {})
    assert caplog.record_tuples == [("llms.ext.bad", logging.ERROR, "chat_response failed: no luck")]


async def test_a_failing_request_handler_ends_the_request(hooks: Hooks) -> None:
    calls: list[str] = []
    hooks.chat_request.add(_broken, extension="bad")
    hooks.chat_request.add(lambda *_: calls.append("never"), extension="good")
    with pytest.raises(ExtensionError, match="no luck"):
        await hooks.chat_request({}, {})
    assert calls == []


async def test_a_request_handler_may_refuse_in_our_own_terms(hooks: Hooks) -> None:
    def refuse(*_: Any) -> None:
        raise RequestError("Not on a Sunday. Come back tomorrow.")

    hooks.chat_request.add(refuse, extension="sunday")
    with pytest.raises(RequestError, match="Come back tomorrow"):
        await hooks.chat_request({}, {})


async def test_an_observing_handler_over_its_deadline_is_left_behind() -> None:
    hooks, calls = Hooks(deadline=0.01), []

    async def forever() -> None:
        await asyncio.Event().wait()

    hooks.startup.add(forever, extension="slow")
    hooks.startup.add(lambda: calls.append("next"), extension="good")
    await hooks.startup()
    assert calls == ["next"]
    assert "took longer than 0.01 s in forever" in str(hooks.accounts.of("slow").last_error)


async def test_calls_errors_and_time_are_counted_against_the_extension(hooks: Hooks) -> None:
    hooks.startup.add(lambda: None, extension="a")
    hooks.chat_response.add(_broken, extension="a")
    await hooks.startup()
    await hooks.chat_response({}, {})
    account = hooks.accounts.of("a")
    assert (account.calls, account.errors, account.last_error) == (2, 1, "no luck")
    assert account.seconds > 0


async def test_a_request_that_a_handler_stopped_is_counted_too(hooks: Hooks) -> None:
    hooks.chat_request.add(_broken, extension="a")
    with pytest.raises(ExtensionError):
        await hooks.chat_request({}, {})
    assert hooks.accounts.of("a").errors == 1


async def test_extensions_have_separate_accounts(hooks: Hooks) -> None:
    hooks.startup.add(lambda: None, extension="a")
    hooks.startup.add(_broken, extension="b")
    await hooks.startup()
    assert (hooks.accounts.of("a").errors, hooks.accounts.of("b").errors) == (0, 1)


def test_a_new_account_is_empty() -> None:
    assert Account() == Account(calls=0, errors=0, seconds=0.0, last_error=None)


async def test_what_add_gives_back_takes_the_handler_out(hooks: Hooks) -> None:
    calls: list[str] = []
    undo = hooks.startup.add(lambda: calls.append("never"), extension="a")
    undo()
    await hooks.startup()
    assert calls == []
    assert not hooks.startup


async def test_undoing_twice_leaves_the_same_handlers_other_registration(hooks: Hooks) -> None:
    calls: list[str] = []

    def note() -> None:
        calls.append("once")

    undo = hooks.startup.add(note, extension="a")
    hooks.startup.add(note, extension="a")
    undo()
    undo()
    await hooks.startup()
    assert calls == ["once"]


async def test_a_handler_may_take_itself_out_while_it_runs(hooks: Hooks) -> None:
    calls: list[str] = []

    async def once() -> None:
        undo()
        calls.append("once")

    undo = hooks.startup.add(once, extension="a")
    hooks.startup.add(lambda: calls.append("next"), extension="a")
    await hooks.startup()
    await hooks.startup()
    assert calls == ["once", "next", "next"]


def test_a_hook_without_handlers_is_false(hooks: Hooks) -> None:
    assert not hooks.chat_delta
    hooks.chat_delta.add(_broken, extension="a")
    assert hooks.chat_delta


async def test_transform_without_an_answer_keeps_the_edited_value(hooks: Hooks) -> None:
    hooks.chat_delta.add(lambda chunk, context: chunk.update(id="edited"), extension="a")
    chunk: dict[str, Any] = {"id": "1"}
    assert await hooks.chat_delta.transform(chunk, {}) is chunk
    assert chunk == {"id": "edited"}


async def test_transform_replaces_the_value_for_those_who_follow(hooks: Hooks) -> None:
    hooks.chat_delta.add(lambda chunk, context: {"id": "replaced"}, extension="a")
    hooks.chat_delta.add(lambda chunk, context: {"was": chunk["id"]}, extension="b")
    assert await hooks.chat_delta.transform({"id": "1"}, {}) == {"was": "replaced"}


async def test_transform_drops_the_value_and_asks_nobody_else(hooks: Hooks) -> None:
    calls: list[str] = []
    hooks.chat_delta.add(lambda chunk, context: DROP, extension="a")
    hooks.chat_delta.add(lambda chunk, context: calls.append("never"), extension="b")
    assert await hooks.chat_delta.transform({"id": "1"}, {}) is None
    assert calls == []


async def test_transform_goes_on_with_the_value_a_failing_handler_got(hooks: Hooks) -> None:
    hooks.chat_delta.add(_broken, extension="bad")
    assert await hooks.chat_delta.transform({"id": "1"}, {}) == {"id": "1"}
