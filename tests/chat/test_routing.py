"""Two vendors behind one door: what a client sees when one of them fails."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from llms.testing import Cut, FakeProvider, FakeUpstream, Hang, Pause, Reply, TestServer, make_app, sse
from llms.testing.upstream import chunk

from .clock import Clock
from .recorder import BOTH
from .tooling import ALL, Toolbox, calling
from .vendors import FAILURES, NOWHERE, SSE, STREAM_FAILURES, Failure, answers, config, entry

WAYS = [(failure, streamed) for failure in FAILURES for streamed in (False, True)]
WAYS += [(failure, True) for failure in STREAM_FAILURES]
CHAT: Any = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
EACH_WAY = pytest.mark.parametrize(
    ("failure", "streamed"),
    WAYS,
    ids=[f"{failure}-{'streamed' if streamed else 'whole'}" for failure, streamed in WAYS],
)


@pytest.fixture
async def other() -> AsyncIterator[FakeUpstream]:
    async with FakeUpstream() as upstream:
        yield upstream


def two(one: FakeUpstream | str, other: FakeUpstream | str, **more: Any) -> Any:
    """A server with these two vendors, `one` before `other`."""
    providers = {"one": entry(one), "other": entry(other)}
    return make_app(config=config(providers=more.pop("providers", providers), **more))


def failing(failure: Failure, upstream: FakeUpstream) -> tuple[FakeUpstream | str, dict[str, Any]]:
    """The vendor that fails so, and the limits that make it fail soon."""
    failure.script(upstream)
    limits = {"first_byte_timeout": 0.05} if failure.name == "timeout" else {}
    return (NOWHERE if failure.name == "connection refused" else upstream), {"limits": limits}


def paths(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """What the log says of the ways that chats took."""
    found = [record for record in caplog.records if record.name == "llms.chat" and record.levelno == level]
    return [record.getMessage() for record in found if record.getMessage().startswith("chat ")]


def is_clean(reply: Reply, text: str) -> bool:
    """Whether the client saw this answer, and nothing else."""
    if not reply.chunks:
        return (reply.status, reply.text) == (200, text)
    ends = [c["finish_reason"] for chunk in reply.chunks for c in chunk["choices"] if c.get("finish_reason")]
    return (reply.status, reply.text, ends) == (200, text, ["stop"]) and reply.body.endswith("data: [DONE]\n\n")


# -- one fails -----------------------------------------------------------------------------------------------------


@EACH_WAY
async def test_a_client_sees_one_clean_answer_and_the_log_tells_why(
    fake_upstream: FakeUpstream, other: FakeUpstream, caplog: pytest.LogCaptureFixture, failure: Failure, streamed: bool
) -> None:
    caplog.set_level(logging.INFO)
    first, more = failing(failure, fake_upstream)
    answers(other, "Hello", streamed=streamed)
    async with two(first, other, **more) as server:
        reply = await server.chat(stream=streamed)
    assert is_clean(reply, "Hello")
    assert (reply.headers["x-llms-provider"], reply.headers["x-llms-attempts"]) == ("other", "2")
    assert len(other.requests) == 1
    [line] = paths(caplog)
    assert f": one {failure.why}" in line
    assert line.endswith(" s) -> other ok")


@EACH_WAY
async def test_when_all_fail_the_client_gets_the_first_cause_with_its_status(
    fake_upstream: FakeUpstream, other: FakeUpstream, caplog: pytest.LogCaptureFixture, failure: Failure, streamed: bool
) -> None:
    caplog.set_level(logging.INFO)
    first, more = failing(failure, fake_upstream)
    other.enqueue_error(418, "I am a teapot")
    async with two(first, other, **more) as server:
        reply = await server.chat(stream=streamed)
    assert reply.status == failure.status
    assert "teapot" not in reply.body["error"]["message"]
    [line] = paths(caplog)
    assert f": one {failure.why}" in line
    assert "-> other 418 (refused" in line


@BOTH
async def test_an_answer_cut_after_its_first_byte_ends_with_an_error_and_not_with_a_second_answer(
    fake_upstream: FakeUpstream, other: FakeUpstream, streamed: bool
) -> None:
    fake_upstream.enqueue_stream("Hel", Cut())
    answers(other, "Hello", streamed=streamed)
    async with two(fake_upstream, other) as server:
        reply = await server.chat(stream=streamed)
    if streamed:
        assert (reply.status, reply.text, len(other.requests)) == (200, "Hel", 0)
        assert reply.chunks[-1]["error"]["type"] == "upstream_error"
        assert reply.headers["x-llms-provider"] == "one"
    else:  # nothing has left for the client yet
        assert is_clean(reply, "Hello")


async def test_a_stream_that_opens_with_nothing_for_long_counts_as_begun(
    fake_upstream: FakeUpstream, other: FakeUpstream
) -> None:
    fake_upstream.enqueue(*[sse(chunk({"role": "assistant"}))] * 100, Cut(), headers=SSE)
    async with two(fake_upstream, other) as server:
        reply = await server.chat(stream=True)
    assert reply.chunks[-1]["error"]
    assert other.requests == []


# -- what is told --------------------------------------------------------------------------------------------------


@BOTH
async def test_an_answer_tells_who_gave_it(fake_upstream: FakeUpstream, other: FakeUpstream, streamed: bool) -> None:
    answers(fake_upstream, "Hello", streamed=streamed)
    async with two(fake_upstream, other) as server:
        reply = await server.chat(stream=streamed)
    told = {name: reply.headers.get(f"x-llms-{name}") for name in ("provider", "model", "attempts")}
    assert told == {"provider": "one", "model": "fake-model", "attempts": "1"}


async def test_names_that_no_header_can_have_are_escaped(fake_upstream: FakeUpstream) -> None:
    models = {"fake-model": {"id": "modèle\r\nx: y", "name": "M"}}
    async with make_app(config=config(providers={"zwölf\n": entry(fake_upstream, models=models)})) as server:
        reply = await server.chat()
    assert reply.headers["x-llms-provider"] == "zw%C3%B6lf%0A"
    assert reply.headers["x-llms-model"] == "mod%C3%A8le%0D%0Ax: y"


async def test_a_chat_that_needed_one_attempt_is_told_only_to_who_debugs(
    fake_upstream: FakeUpstream, other: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with two(fake_upstream, other) as server:
        await server.chat()
    assert paths(caplog) == []
    [line] = paths(caplog, logging.DEBUG)
    assert line.endswith(": one ok")


async def test_the_line_names_the_request_and_the_pause_between_rounds(
    fake_upstream: FakeUpstream, no_waiting: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fake_upstream.enqueue_error(429, "slow down", headers={"Retry-After": "2"})
    async with make_app(config=config(providers={"one": entry(fake_upstream)}, limits={"retries": 2})) as server:
        reply = await server.post("/v1/chat/completions", CHAT, headers={"X-Request-Id": "abc"})
    assert reply.headers["x-llms-attempts"] == "2"
    [line] = paths(caplog)
    assert line.startswith("chat abc: one 429 (rate limited, 0.0 s) -> waited 2.")
    assert line.endswith(" s -> one ok")


@BOTH
async def test_where_all_are_rate_limited_the_client_is_told_when_to_come_back(
    fake_upstream: FakeUpstream, other: FakeUpstream, streamed: bool
) -> None:
    for upstream, seconds in ((fake_upstream, "60"), (other, "20")):
        upstream.enqueue_error(429, "slow down", headers={"Retry-After": seconds})
    async with two(fake_upstream, other) as server:
        reply = await server.chat(stream=streamed)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "20")


async def test_the_context_tells_how_many_attempts_there_were(fake_upstream: FakeUpstream, other: FakeUpstream) -> None:
    fake_upstream.enqueue_error(500, "no")
    async with two(fake_upstream, other) as server:
        context: Any = {}
        await server.app.pipeline.answer(CHAT, context)
    assert (context["provider"], context["attempts"]) == ("other", 2)


# -- a context that is used again ----------------------------------------------------------------------------------


async def test_who_answered_one_chat_is_not_asked_first_for_the_next_with_the_same_context(
    fake_upstream: FakeUpstream, other: FakeUpstream
) -> None:
    fake_upstream.enqueue_error(500, "no")
    async with two(fake_upstream, other) as server:
        context: Any = {}
        await server.app.pipeline.answer(CHAT, context)
        assert context["provider"] == "other"
        await server.app.pipeline.answer(CHAT, context)
        assert (context["provider"], context["attempts"]) == ("one", 1)
        await server.app.pipeline.answer(CHAT, {**context})
    assert (len(fake_upstream.requests), len(other.requests)) == (3, 1)


async def test_a_provider_that_the_caller_sets_is_asked_first(fake_upstream: FakeUpstream, other: FakeUpstream) -> None:
    async with two(fake_upstream, other) as server:
        context: Any = {}
        await server.app.pipeline.answer(CHAT, context)
        context["provider"] = "other"
        await server.app.pipeline.answer(CHAT, context)
    assert len(other.requests) == 1


# -- cooling down --------------------------------------------------------------------------------------------------


def asked(server: TestServer) -> Clock:
    """A clock by which this server's providers cool down."""
    clock = Clock()
    server.app.pipeline.routing.cooldowns.clock = clock
    return clock


async def test_one_that_fails_again_and_again_is_asked_last_until_its_time_is_over(
    fake_upstream: FakeUpstream, other: FakeUpstream
) -> None:
    for _ in range(3):
        fake_upstream.enqueue_error(500, "no")
    async with two(fake_upstream, other, routing={"cooldown": 10}) as server:
        clock = asked(server)
        attempts = [(await server.chat()).headers["x-llms-attempts"] for _ in range(5)]
        assert (attempts, len(fake_upstream.requests)) == (["2", "2", "2", "1", "1"], 3)
        clock.passes(10)
        assert (await server.chat()).headers["x-llms-provider"] == "one"


async def test_one_that_cools_down_is_asked_where_there_is_no_other(fake_upstream: FakeUpstream) -> None:
    for _ in range(3):
        fake_upstream.enqueue_error(500, "no")
    async with make_app(config=config(providers={"one": entry(fake_upstream)})) as server:
        asked(server)
        assert [(await server.chat()).status for _ in range(4)] == [502, 502, 502, 200]


async def test_one_that_cools_down_is_asked_where_the_others_fail(
    fake_upstream: FakeUpstream, other: FakeUpstream
) -> None:
    fake_upstream.enqueue_error(401, "no")
    async with two(fake_upstream, other) as server:
        asked(server)
        await server.chat()
        other.enqueue_error(503, "no")
        reply = await server.chat()
    assert (reply.text, reply.headers["x-llms-provider"]) == ("ok", "one")


async def test_when_all_cool_down_and_fail_the_client_gets_a_real_cause(
    fake_upstream: FakeUpstream, other: FakeUpstream
) -> None:
    for _ in range(4):
        fake_upstream.enqueue_error(503, "as one said")
        other.enqueue_error(401, "as the other said")
    async with two(fake_upstream, other) as server:
        asked(server)
        replies = [await server.chat() for _ in range(4)]
    assert {(reply.status, reply.body["error"]["message"]) for reply in replies} == {(502, "One: as one said")}


async def test_what_was_learnt_outlives_a_change_of_the_configuration(
    fake_upstream: FakeUpstream, other: FakeUpstream
) -> None:
    fake_upstream.enqueue_error(401, "no")
    async with two(fake_upstream, other) as server:
        asked(server)
        await server.chat()
        await server.app.change_config(lambda data: data["limits"].update(retries=2))
        assert (await server.chat()).headers["x-llms-attempts"] == "1"
        await server.app.change_config(lambda data: data["providers"]["one"].update(api_key="another-key-01234"))
        assert (await server.chat()).headers["x-llms-provider"] == "one"  # a new key is not the one that was refused


FLAGGED = {"message": "Your input was flagged", "code": 403}
NO_SUCH_MODEL = {"message": "Project `p` does not have access to model `m`", "code": "model_not_found"}
TOO_DEAR = {"message": "This request requires more credits, or fewer max_tokens.", "code": 402}


@pytest.mark.parametrize(
    ("status", "error"), [(403, FLAGGED), (403, NO_SUCH_MODEL), (404, NO_SUCH_MODEL), (402, TOO_DEAR)]
)
async def test_what_one_caller_asked_for_does_not_put_the_key_aside_for_others(
    fake_upstream: FakeUpstream, other: FakeUpstream, status: int, error: Any
) -> None:
    fake_upstream.enqueue(json.dumps({"error": error}).encode(), status=status)
    async with two(fake_upstream, other) as server:
        replies = [await server.chat() for _ in range(2)]
    assert [reply.headers["x-llms-provider"] for reply in replies] == ["other", "one"]


@pytest.mark.parametrize("tools", [{}, ALL], ids=["plain", "tool loop"])
async def test_one_whose_streams_always_break_off_cools_down(
    fake_upstream: FakeUpstream, other: FakeUpstream, tools: Any
) -> None:
    for _ in range(3):
        fake_upstream.enqueue_stream("Hel", Cut())
    answers(other, "Hello", streamed=True)
    providers = {"one": entry(fake_upstream), "other": entry(other)}
    async with make_app(Toolbox(), config=config(providers=providers)) as server:
        asked(server)
        texts = [(await server.chat(stream=True, **tools)).text for _ in range(4)]
    assert texts == ["Hel", "Hel", "Hel", "Hello"]


async def test_a_stream_that_came_to_its_end_clears_the_failures_before_it(
    fake_upstream: FakeUpstream, other: FakeUpstream
) -> None:
    for _ in range(2):
        fake_upstream.enqueue_stream("Hel", Cut())
        fake_upstream.enqueue_stream("Hel", Cut())
        answers(fake_upstream, "Hello", streamed=True)
    async with two(fake_upstream, other) as server:
        asked(server)
        texts = [(await server.chat(stream=True)).text for _ in range(6)]
    assert texts == ["Hel", "Hel", "Hello"] * 2


async def test_a_stream_that_its_reader_leaves_says_nothing_about_who_gives_it(
    fake_upstream: FakeUpstream, other: FakeUpstream
) -> None:
    for _ in range(5):
        fake_upstream.enqueue_stream("Hel", Hang())
    async with two(fake_upstream, other) as server:
        asked(server)
        for _ in range(5):
            async with aclosing(server.app.pipeline.stream(CHAT)) as batches:
                await anext(batches)
    assert (len(fake_upstream.requests), len(other.requests)) == (5, 0)


# -- how long ------------------------------------------------------------------------------------------------------

ONLY_COMMENTS: list[Any] = [b": still here\n\n", Pause(0.02)] * 500


async def test_a_vendor_that_sends_only_comments_is_given_up_for_another(
    fake_upstream: FakeUpstream, other: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fake_upstream.enqueue(*ONLY_COMMENTS, headers=SSE)
    answers(other, "Hello", streamed=True)
    limits = {"first_byte_timeout": 0.1, "client_timeout": 0.1}
    async with two(fake_upstream, other, limits=limits) as server:
        reply = await server.chat(stream=True)
        await fake_upstream.gone.wait()
    assert is_clean(reply, "Hello")
    assert ": one (timed out" in paths(caplog)[0]


async def test_where_there_is_no_other_the_client_is_told_which_limit_was_too_short(
    fake_upstream: FakeUpstream,
) -> None:
    fake_upstream.enqueue(*ONLY_COMMENTS, headers=SSE)
    limits = {"first_byte_timeout": 0.4, "client_timeout": 0.3}
    async with make_app(config=config(providers={"one": entry(fake_upstream)}, limits=limits)) as server:
        reply = await server.chat(stream=True)
    assert reply.status == 504
    assert "within 0.4 s. Raise `limits.first_byte_timeout`" in reply.body["error"]["message"]


class Slow(FakeProvider):
    """Begins to answer only after longer than anybody would wait."""

    async def stream(self, *args: Any) -> Any:
        await asyncio.sleep(0.1)
        async for events in super().stream(*args):
            yield events


class Unhurried(Slow):
    takes_its_time = True


class Maker(Slow):
    """Has pictures made."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.modalities = {"image": FakeProvider("maker")}


class Whole:
    """One of an extension that can only give whole answers."""

    def __init__(self, id: str) -> None:
        self.id, self._slow = id, Slow(id)

    def __getattr__(self, name: str) -> Any:
        if name == "stream":
            raise AttributeError(name)
        return getattr(self._slow, name)

    async def chat(self, chat: Any) -> Any:
        return await self._slow.chat(chat)


@pytest.mark.parametrize(
    ("kind", "modalities", "status"),
    [
        (Slow, ["text"], 504),
        (Unhurried, ["text"], 200),
        (Maker, ["text"], 504),
        (Maker, ["image"], 200),
        (Whole, ["text"], 200),
    ],
)
async def test_only_what_comes_in_pieces_has_to_begin_in_time(kind: Any, modalities: list[str], status: int) -> None:
    def install(ctx: Any) -> None:
        ctx.get_providers()["slow"] = kind("slow")

    limits = {"first_byte_timeout": 0.02, "client_timeout": 0.02}
    async with make_app(install, config=config(limits=limits)) as server:
        del server.app.registry.live["fake"]
        assert (await server.chat(stream=True, modalities=modalities)).status == status


# -- a tool loop ---------------------------------------------------------------------------------------------------


def call_add(upstream: FakeUpstream, *, streamed: bool) -> None:
    answer = calling(("add", {"a": 1}))
    if not streamed:
        upstream.enqueue(json.dumps(answer).encode())
        return
    [call] = answer["choices"][0]["message"]["tool_calls"]
    delta = sse(chunk({"role": "assistant", "tool_calls": [{**call, "index": 0}]}))
    upstream.enqueue(delta, sse(chunk({}, finish_reason="tool_calls")), b"data: [DONE]\n\n", headers=SSE)


@BOTH
async def test_a_later_round_goes_to_another_vendor_and_no_tool_runs_again(
    fake_upstream: FakeUpstream, other: FakeUpstream, caplog: pytest.LogCaptureFixture, streamed: bool
) -> None:
    caplog.set_level(logging.INFO)
    call_add(fake_upstream, streamed=streamed)
    fake_upstream.enqueue_error(500, "no")
    answers(other, "3", streamed=streamed)
    toolbox = Toolbox()
    providers = {"one": entry(fake_upstream), "other": entry(other)}
    async with make_app(toolbox, config=config(providers=providers)) as server:
        reply = await server.chat(stream=streamed, **ALL)
    assert reply.text == "3"
    assert toolbox.calls == [(1, 2)]
    assert [message["role"] for message in other.requests[0].body["messages"]] == ["user", "assistant", "tool"]
    told = (reply.headers["x-llms-provider"], reply.headers["x-llms-attempts"])
    assert told == (("one", "1") if streamed else ("other", "2"))  # the first round's events left before the second
    assert len(paths(caplog)) == 1


@BOTH
async def test_a_turn_whose_later_round_fails_for_good_is_not_begun_again(
    fake_upstream: FakeUpstream, other: FakeUpstream, streamed: bool
) -> None:
    call_add(fake_upstream, streamed=streamed)
    fake_upstream.enqueue_error(500, "as one said")
    other.enqueue_error(400, "no")
    toolbox = Toolbox()
    providers = {"one": entry(fake_upstream), "other": entry(other)}
    async with make_app(toolbox, config=config(providers=providers)) as server:
        reply = await server.chat(stream=streamed, **ALL)
    assert toolbox.calls == [(1, 2)]
    assert (len(fake_upstream.requests), len(other.requests)) == (2, 1)
    assert reply.status == 502 or reply.chunks[-1]["error"]["message"] == "One: as one said"


async def test_rounds_of_one_turn_stay_with_who_answered_it(fake_upstream: FakeUpstream, other: FakeUpstream) -> None:
    fake_upstream.enqueue_error(500, "no")
    call_add(other, streamed=False)
    providers = {"one": entry(fake_upstream), "other": entry(other)}
    async with make_app(Toolbox(), config=config(providers=providers)) as server:
        await server.chat(**ALL)
    assert (len(fake_upstream.requests), len(other.requests)) == (1, 2)
