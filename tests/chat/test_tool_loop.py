"""A model that calls tools, seen through the server."""

import asyncio
from typing import Any

import pytest

from llms.kernel.types import Chat, Context
from llms.testing import make_app
from llms.testing.upstream import completion

from .recorder import BOTH, Recorder, add, fail, refusing
from .tooling import ALL, Toolbox, calling, calls_of, finish_of, history, results

# -- a turn with tools -----------------------------------------------------------------------------------------


@BOTH
async def test_a_tool_runs_and_its_result_goes_back_to_the_model(streamed: bool) -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        server.provider.enqueue(calling(("add", {"a": 3})), "It is 5.")
        reply = await server.chat("3 + 2?", stream=streamed, **ALL)
        again = server.provider.history[1]["messages"]
    assert (reply.status, reply.text, finish_of(reply)) == (200, "It is 5.", "stop")
    assert tools.calls == [(3, 2)]
    assert [message["role"] for message in again] == ["user", "assistant", "tool"]
    assert again[1]["tool_calls"][0]["id"] == again[2]["tool_call_id"] == "call_0"
    assert again[2]["content"] == "5"


@BOTH
async def test_four_calls_are_answered_in_their_order_whatever_becomes_of_them(streamed: bool) -> None:
    def broken() -> str:
        raise ValueError("no luck")

    tools = Toolbox(Toolbox().add, broken)
    async with make_app(tools) as server:
        server.provider.enqueue(
            calling(("add", {"a": "3"}), ("broken", {}), ("unknown", {}), ("add", "{not json")), "Done."
        )
        reply = await server.chat(stream=streamed, **ALL)
        told = results(server)
    assert reply.text == "Done."
    assert told[:3] == ["5", "Error executing tool 'broken':\nno luck", "Error: Tool 'unknown' not found"]
    assert told[3].startswith("Error: Failed to parse JSON arguments for tool 'add': Expecting property name")
    kept = history(reply)
    assert [message["role"] for message in kept] == ["assistant", "tool", "tool", "tool", "tool"]
    assert [message.get("tool_call_id") for message in kept[1:]] == ["call_0", "call_1", "call_2", "call_3"]
    assert [message["content"] for message in kept[1:]] == told


@BOTH
async def test_calls_of_one_message_run_beside_each_other_and_are_answered_in_order(streamed: bool) -> None:
    both_run = asyncio.Barrier(2)

    async def meet(name: str) -> str:
        await both_run.wait()
        return name

    async with make_app(Toolbox(meet)) as server:
        server.provider.enqueue(calling(("meet", {"name": "first"}), ("meet", {"name": "second"})))
        await asyncio.wait_for(server.chat(stream=streamed, **ALL), 20)
        assert results(server) == ["first", "second"]


@BOTH
async def test_rounds_follow_each_other_until_the_model_answers(streamed: bool) -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        server.provider.enqueue(*[calling(("add", {"a": i})) for i in range(4)], "Done.")
        reply = await server.chat(stream=streamed, **ALL)
    assert [a for a, _ in tools.calls] == [0, 1, 2, 3]
    assert (reply.text, len(history(reply))) == ("Done.", 8)


@pytest.mark.parametrize("arguments", ["", " ", "null", None, {}])
async def test_no_arguments_may_be_written_in_many_ways(arguments: Any) -> None:
    def ping() -> str:
        return "called"

    async with make_app(Toolbox(ping)) as server:
        server.provider.enqueue(calling(("ping", arguments)))
        await server.chat(**ALL)
        assert results(server) == ["called"]


@pytest.mark.parametrize("arguments", ["[1]", "5", '"a"', "true", "[" * 100_000])
async def test_arguments_that_are_no_object_are_told_to_the_model(arguments: str) -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        server.provider.enqueue(calling(("add", arguments)), "Sorry.")
        assert (await server.chat(**ALL)).text == "Sorry."
        [told] = results(server)
    assert told.startswith("Error: Failed to parse JSON arguments for tool 'add': ")
    assert tools.calls == []


@BOTH
async def test_half_a_character_from_a_tool_does_not_stop_the_answer(streamed: bool) -> None:
    def half() -> str:
        return "a\ud800b"

    async with make_app(Toolbox(half)) as server:
        server.provider.enqueue(calling(("half", {})), "Done.")
        assert (await server.chat(stream=streamed, **ALL)).text == "Done."
        assert results(server) == ["a?b"]


@BOTH
async def test_calls_without_ids_or_with_the_same_one_get_ids_of_their_own(streamed: bool) -> None:
    answer = calling(*[("add", {"a": i}) for i in range(4)])
    calls = answer["choices"][0]["message"]["tool_calls"]
    calls[0]["id"] = None
    calls[3]["id"] = calls[2]["id"] = "same"
    async with make_app(Toolbox()) as server:
        server.provider.enqueue(answer)
        reply = await server.chat(stream=streamed, **ALL)
        assert sorted(results(server)) == ["2", "3", "4", "5"]
    asked, *answered = history(reply)
    ids = [call["id"] for call in asked["tool_calls"]]
    assert len(set(ids)) == 4
    assert ids == [message["tool_call_id"] for message in answered]


async def test_a_tool_is_told_who_asks() -> None:
    async def who(user: str) -> str:
        return f"it is {user}"

    async with make_app(Toolbox(who)) as server:
        server.provider.enqueue(calling(("who", {"user": "root"})))
        chat: Chat = {"model": "fake-model", "messages": [{"role": "user", "content": "Who?"}]}
        await server.app.pipeline.complete(chat, {"user": "ann"})
        assert results(server) == ["it is ann"]


@BOTH
async def test_what_a_tool_draws_is_kept_and_its_text_is_sent(streamed: bool) -> None:
    def draw() -> Any:
        return {"type": "audio", "data": "aGVsbG8=", "filename": "a.mp3"}

    async with make_app(Toolbox(draw)) as server:
        server.provider.enqueue(calling(("draw", {})))
        reply = await server.chat(stream=streamed, **ALL)
        sent = server.provider.history[1]["messages"][-1]
    [_, kept] = history(reply)
    assert kept["audios"][0]["audio_url"]["url"].startswith("/~cache/")
    assert kept["content"].startswith("[a.mp3](/~cache/")
    assert "audios" not in sent


@BOTH
async def test_a_client_that_leaves_ends_the_tools_that_run_for_it(streamed: bool) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with make_app(Toolbox(wait)) as server:
        server.provider.enqueue(calling(("wait", {}), text="One moment."))
        asking = asyncio.create_task(server.chat(stream=streamed, **ALL))
        await asyncio.wait_for(began.wait(), 20)
        asking.cancel()
        await asyncio.wait_for(ended.wait(), 20)
        assert len(server.provider.history) == 1


# -- what the client sees --------------------------------------------------------------------------------------


async def test_every_round_is_streamed_as_one_answer_with_one_end() -> None:
    async with make_app(Toolbox()) as server:
        server.provider.enqueue(calling(("add", {"a": 3}), text="Let me see."), completion("It is 5.", total_tokens=1))
        reply = await server.chat(stream=True, stream_options={"include_usage": True}, **ALL)
    assert reply.text == "Let me see.\n\nIt is 5."
    assert calls_of(reply) == []
    assert finish_of(reply) == "stop"
    deltas = [choice["delta"] for chunk in reply.chunks for choice in chunk["choices"]]
    assert sum("role" in delta for delta in deltas) == 1
    assert len({chunk["id"] for chunk in reply.chunks}) == 1
    assert sum(bool(chunk.get("usage")) for chunk in reply.chunks) == 1
    assert reply.chunks[-1]["choices"] == []


async def test_text_and_reasoning_come_while_later_rounds_are_still_to_come() -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    async def wait() -> str:
        began.set()
        await may_end.wait()
        return "waited"

    seen = []
    thinking = calling(("wait", {}), text="One moment.")
    thinking["choices"][0]["message"]["reasoning_content"] = "Hm."
    async with make_app(Toolbox(wait)) as server:
        server.provider.enqueue(thinking, "Done.")
        chat: Chat = {"model": "fake-model", "messages": [{"role": "user", "content": "Go"}]}
        async for events in server.app.pipeline.stream(chat):
            seen += [choice["delta"] for event in events for choice in event.chunk["choices"]]
            if not began.is_set():
                assert {"One moment.", "Hm."} <= {text for delta in seen for text in delta.values()}
                may_end.set()
    assert seen[-2]["content"] == "\n\nDone."


async def test_the_whole_answer_is_that_of_the_last_round() -> None:
    async with make_app(Toolbox()) as server:
        server.provider.enqueue(calling(("add", {"a": 3}), text="Let me see."), "It is 5.")
        reply = await server.chat(**ALL)
    assert reply.text == "It is 5."
    assert history(reply)[0]["content"] == "Let me see."


@BOTH
async def test_usage_and_cost_are_those_of_every_call(streamed: bool) -> None:
    recorder = Recorder()
    async with make_app(Toolbox(), recorder) as server:
        server.app.registry.live["fake"].models["fake-model"]["cost"] = {"input": 1, "output": 2}
        details = {"prompt_tokens_details": {"cached_tokens": 4}}
        first = calling(("add", {"a": 3}), prompt_tokens=10, completion_tokens=5)
        first["usage"] |= details
        last = completion("It is 5.", prompt_tokens=20, completion_tokens=7)
        last["usage"] |= details
        server.provider.enqueue(first, last)
        await server.chat(stream=streamed, **ALL)
    answer = recorder.subject("response")
    used = answer["usage"]
    assert (used["prompt_tokens"], used["completion_tokens"], used["total_tokens"]) == (30, 12, 42)
    assert used["prompt_tokens_details"]["cached_tokens"] == 8
    assert used["duration"] == recorder.context["duration"]
    assert answer["cost"] == pytest.approx(54e-6)
    assert answer["metadata"]["pricing"] == "1/2"


@BOTH
async def test_a_model_that_tells_no_usage_may_call_tools_too(streamed: bool) -> None:
    first, last = calling(("add", {"a": 3})), completion("It is 5.")
    first["usage"] = last["usage"] = None
    async with make_app(Toolbox()) as server:
        server.provider.enqueue(first, last)
        assert (await server.chat(stream=streamed, **ALL)).text == "It is 5."


# -- the limit -------------------------------------------------------------------------------------------------


@BOTH
async def test_the_loop_ends_cleanly_when_its_rounds_are_used_up(streamed: bool) -> None:
    tools, recorder = Toolbox(), Recorder()
    async with make_app(tools, recorder, config={"limits": {"max_iterations": 3}}) as server:
        server.provider.enqueue(calling(("add", {"a": 1}), text="Thinking."), *[calling(("add", {"a": 2}))] * 9)
        reply = await server.chat(stream=streamed, **ALL)
        assert len(server.provider.history) == 3
    assert (reply.status, reply.text, finish_of(reply), calls_of(reply)) == (200, "Thinking.", "length", [])
    assert [a for a, _ in tools.calls] == [1, 2]  # what the last round called would be told to nobody
    assert len(history(reply)) == 4
    assert recorder.subject("response")["choices"][0]["message"]["content"] == "Thinking."
    assert "error" not in recorder.hooks


@BOTH
@pytest.mark.parametrize(("limit", "rounds"), [(1, 1), (2, 2), (0, 10), (None, 10), ("7", 10)])
async def test_a_caller_in_this_process_may_set_its_own_limit(limit: Any, rounds: int, streamed: bool) -> None:
    recorder = Recorder(request=lambda _, context: context.update(max_iterations=limit))
    async with make_app(Toolbox(), recorder) as server:
        server.provider.enqueue(*[calling(("add", {"a": 1}))] * 12)
        await server.chat(stream=streamed, **ALL)
        assert len(server.provider.history) == rounds


# -- providers that fail ---------------------------------------------------------------------------------------


@BOTH
async def test_a_provider_that_fails_in_a_later_round_is_followed_by_another(streamed: bool) -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        other = add(server, "other")
        server.provider.enqueue(calling(("add", {"a": 3})), refusing(400))
        other.enqueue("5, says the other")
        reply = await server.chat(stream=streamed, **ALL)
        assert [message["role"] for message in other.history[0]["messages"]] == ["user", "assistant", "tool"]
    assert reply.text == "5, says the other"
    assert tools.calls == [(3, 2)]


@BOTH
async def test_a_turn_that_fails_after_a_tool_ran_is_not_begun_again(streamed: bool) -> None:
    tools, recorder = Toolbox(), Recorder()
    async with make_app(tools, recorder) as server:
        server.provider.enqueue(calling(("add", {"a": 3})), refusing(400, "too long"), "never asked")
        await server.chat(stream=streamed, **ALL)
        assert len(server.provider.history) == 2
    assert tools.calls == [(3, 2)]
    assert recorder.hooks.count("error") == 1
    assert str(recorder.subject("error")) == "too long"
    assert "response" not in recorder.hooks


@BOTH
async def test_later_rounds_ask_whoever_answered_before_first(streamed: bool) -> None:
    async with make_app(Toolbox()) as server:
        other = add(server, "other")
        server.provider.enqueue(refusing(400))
        other.enqueue(calling(("add", {"a": 3})), "5")
        assert (await server.chat(stream=streamed, **ALL)).text == "5"
        assert (len(server.provider.history), len(other.history)) == (1, 2)


# -- filters ---------------------------------------------------------------------------------------------------


@BOTH
async def test_the_tool_filters_see_the_chat_after_the_calls_and_after_each_result(streamed: bool) -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        server.provider.enqueue(calling(("add", {"a": 1}), ("add", {"a": 2})))
        await server.chat(stream=streamed, **ALL)
    assert tools.seen == [["assistant"], ["assistant", "tool"], ["assistant", "tool", "tool"]]


@BOTH
async def test_a_tool_filter_that_raises_is_skipped(streamed: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with make_app(Toolbox(act=fail(ValueError("its own bug")))) as server:
        server.provider.enqueue(calling(("add", {"a": 3})), "5")
        assert (await server.chat(stream=streamed, **ALL)).text == "5"
        assert len(server.provider.history) == 2
    assert "its own bug" in caplog.text


@BOTH
async def test_what_a_tool_filter_makes_of_the_chat_is_sent(streamed: bool) -> None:
    def shorten(chat: Chat, _: Context) -> None:
        if chat["messages"][-1]["role"] == "tool":
            chat["messages"][-1]["content"] = "short"

    async with make_app(Toolbox(act=shorten)) as server:
        server.provider.enqueue(calling(("add", {"a": 3})))
        await server.chat(stream=streamed, **ALL)
        assert results(server) == ["short"]


@BOTH
async def test_the_messages_of_tools_are_stamped_for_us_alone(streamed: bool) -> None:
    async with make_app(Toolbox()) as server:
        server.provider.enqueue(calling(("add", {"a": 3})))
        reply = await server.chat(stream=streamed, **ALL)
        assert not any("timestamp" in message for message in server.provider.history[1]["messages"])
    assert history(reply)[0]["timestamp"] > 1_600_000_000_000


@BOTH
async def test_the_response_filters_see_the_final_answer_once(streamed: bool) -> None:
    recorder = Recorder()
    async with make_app(Toolbox(), recorder) as server:
        server.provider.enqueue(calling(("add", {"a": 3}), text="Let me see."), "It is 5.")
        await server.chat(stream=streamed, **ALL)
    answer = recorder.subject("response")
    assert answer["choices"][0]["message"]["content"] == "It is 5."
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert len(answer["tool_history"]) == 2
    assert recorder.context["providerResponse"] is answer


async def test_delta_filters_change_what_the_client_sees_of_every_round() -> None:
    def shout(chunk: Any, _: Context) -> None:
        for choice in chunk["choices"]:
            if choice["delta"].get("content"):
                choice["delta"]["content"] = choice["delta"]["content"].upper()

    recorder = Recorder(delta=shout)
    async with make_app(Toolbox(), recorder) as server:
        server.provider.enqueue(calling(("add", {"a": 3}), text="Wait."), "five")
        reply = await server.chat(stream=True, **ALL)
    assert reply.text == "WAIT.\n\nFIVE"
    assert recorder.subject("response")["choices"][0]["message"]["content"] == "FIVE"


async def test_the_callers_chat_stays_as_it_was() -> None:
    async with make_app(Toolbox()) as server:
        server.provider.enqueue(calling(("add", {"a": 3})))
        chat: Chat = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
        await server.app.pipeline.complete(chat)
    assert chat == {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
