"""Which tools a model is offered, and who runs the ones it calls."""

from typing import Any

import pytest

from llms.host.context import ExtensionContext
from llms.kernel.types import Chat, Context
from llms.testing import FakeUpstream, make_app, sse
from llms.testing.app import upstream_config
from llms.testing.upstream import chunk

from .recorder import BOTH, Recorder
from .tooling import ALL, Toolbox, calling, calls_of, client_tool, finish_of, history

# -- whose tool it is ------------------------------------------------------------------------------------------


@BOTH
async def test_a_bare_clients_own_call_is_handed_to_it(streamed: bool) -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        server.provider.enqueue(calling(("add", {"a": 3})))
        reply = await server.chat(stream=streamed, tools=[client_tool("add")])
        [asked] = server.provider.history
    assert (calls_of(reply), finish_of(reply)) == (["add"], "tool_calls")
    assert asked["tools"] == [client_tool("add")]
    assert tools.calls == tools.seen == []


@BOTH
async def test_a_call_to_a_tool_of_the_client_ends_the_loop_and_is_handed_to_it(streamed: bool) -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        server.provider.enqueue(calling(("add", {"a": 3})), calling(("theirs", {"x": 1})))
        reply = await server.chat(stream=streamed, tools=[client_tool("theirs")], **ALL)
        names = [tool["function"]["name"] for tool in server.provider.history[0]["tools"]]
    assert names == ["theirs", "add"]
    assert (calls_of(reply), finish_of(reply)) == (["theirs"], "tool_calls")
    assert tools.calls == [(3, 2)]
    assert len(history(reply)) == 2


@BOTH
async def test_ours_do_not_run_beside_a_call_that_the_client_must_answer_first(streamed: bool) -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        server.provider.enqueue(calling(("add", {"a": 3}), ("theirs", {})))
        reply = await server.chat(stream=streamed, tools=[client_tool("theirs")], **ALL)
        assert len(server.provider.history) == 1
    assert calls_of(reply) == ["theirs"]
    assert tools.calls == []


@BOTH
async def test_a_clients_tool_with_the_name_of_one_of_ours_stays_the_clients(streamed: bool) -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        server.provider.enqueue(calling(("add", {"a": 3})))
        reply = await server.chat(stream=streamed, tools=[client_tool("add")], **ALL)
        offered = server.provider.history[0]["tools"]
    assert calls_of(reply) == ["add"]
    assert tools.calls == []
    assert [tool for tool in offered if tool["function"]["name"] == "add"] == [client_tool("add")]


@BOTH
@pytest.mark.parametrize(("chosen", "runs"), [("none", False), ("all", True)])
async def test_a_tool_told_just_as_ours_is_ours_only_where_it_was_chosen(
    chosen: str, runs: bool, streamed: bool
) -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        server.provider.enqueue(calling(("add", {"a": 3})), "5")
        own = server.app.tools.selected("add")
        reply = await server.chat(stream=streamed, tools=own, metadata={"tools": chosen})
    assert tools.calls == ([(3, 2)] if runs else [])
    assert calls_of(reply) == ([] if runs else ["add"])


async def test_tools_that_an_extension_put_into_its_own_chat_run() -> None:
    tools = Toolbox()
    async with make_app(tools) as server:
        server.provider.enqueue(calling(("add", {"a": 3})), "5")
        chat: Chat = {
            "model": "fake-model",
            "messages": [{"role": "user", "content": "Hi"}],
            "tools": server.app.tools.selected("add"),
        }
        answer = await server.app.pipeline.answer(chat, {"tools": "none"})
    assert answer["choices"][0]["message"]["content"] == "5"
    assert tools.calls == [(3, 2)]


@BOTH
@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "add"}}])
async def test_a_choice_that_forces_a_call_forces_only_the_first(choice: Any, streamed: bool) -> None:
    async with make_app(Toolbox()) as server:
        server.provider.enqueue(calling(("add", {"a": 3})), "5")
        assert (await server.chat(stream=streamed, tool_choice=choice, **ALL)).text == "5"
        assert [asked["tool_choice"] for asked in server.provider.history] == [choice, "auto"]  # type: ignore[typeddict-item]


CALL_IN_PIECES = [
    {"tool_calls": [{"index": 0, "id": "call_0", "type": "function", "function": {"name": "add", "arguments": ""}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": ": 3}"}}]},
]


async def test_a_vendors_call_in_pieces_is_put_together_and_not_shown(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream("Wait.", *[sse(chunk(piece)) for piece in CALL_IN_PIECES], finish="tool_calls")
    fake_upstream.enqueue_stream("It is ", "5.", prompt_tokens=3)
    tools = Toolbox()
    async with make_app(tools, config=upstream_config(fake_upstream)) as server:
        reply = await server.chat(stream=True, **ALL)
    assert tools.calls == [(3, 2)]
    assert (reply.text, calls_of(reply), finish_of(reply)) == ("Wait.\n\nIt is 5.", [], "stop")
    assert fake_upstream.requests[1].body["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"a": 3}'


async def test_a_bare_client_gets_a_vendors_stream_as_it_is(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_stream(*[sse(chunk(piece)) for piece in CALL_IN_PIECES], finish="tool_calls")
    async with make_app(Toolbox(), config=upstream_config(fake_upstream)) as server:
        reply = await server.chat(stream=True, tools=[client_tool("add")])
    assert [chunk["choices"][0]["delta"] for chunk in reply.chunks[1:4]] == CALL_IN_PIECES


@BOTH
async def test_only_the_tools_that_were_chosen_are_offered(streamed: bool) -> None:
    def one() -> str:
        return "1"

    def two() -> str:
        return "2"

    async with make_app(Toolbox(one, two)) as server:
        server.provider.enqueue(calling(("one", {}), ("two", {})))
        await server.chat(stream=streamed, metadata={"tools": "one"})
        assert [tool["function"]["name"] for tool in server.provider.history[0]["tools"]] == ["one"]


@pytest.mark.parametrize("tools", [5, True, ["add"], {"add": 1}])
async def test_a_choice_of_tools_that_cannot_be_read_is_refused(tools: Any) -> None:
    async with make_app(Toolbox()) as server:
        reply = await server.chat(metadata={"tools": tools})
        assert server.provider.history == []
    assert reply.status == 400
    assert "'all', 'none' or names" in reply.body["error"]["message"]


@BOTH
@pytest.mark.parametrize("tools", [5, "add", {"add": {}}])
async def test_tools_that_are_no_list_are_refused(tools: Any, streamed: bool) -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        reply = await server.chat(stream=streamed, tools=tools)
    assert (reply.status, reply.body["error"]["param"]) == (400, "tools")
    assert recorder.hooks == ["error"]


@BOTH
async def test_a_tool_that_a_request_filter_offers_runs(streamed: bool) -> None:
    tools = Toolbox()

    def install(ctx: ExtensionContext) -> None:
        def offer(chat: Chat, _: Context) -> None:
            chat["tools"] = [*chat["tools"], ctx.get_tool_definition("add") or {}]

        ctx.register_chat_request_filter(offer)

    async with make_app(tools, install) as server:
        server.provider.enqueue(calling(("add", {"a": 3})), "5")
        assert (await server.chat(stream=streamed)).text == "5"
    assert tools.calls == [(3, 2)]


async def test_the_request_filters_see_the_tools_that_are_offered() -> None:
    recorder = Recorder()
    async with make_app(Toolbox(), recorder) as server:
        await server.chat(**ALL)
    chat, context = recorder.subject("request"), recorder.context
    assert [tool["function"]["name"] for tool in chat["tools"]] == ["add"]
    assert context["chat"] is chat


# -- models without tools --------------------------------------------------------------------------------------


@BOTH
async def test_a_model_without_tools_is_offered_none_of_ours(streamed: bool) -> None:
    async with make_app(Toolbox()) as server:
        server.provider.models["fake-model"]["tool_call"] = False
        reply = await server.chat(stream=streamed, tool_choice="auto", **ALL)
        [asked] = server.provider.history
    assert reply.text == "ok"
    assert not {"tools", "tool_choice"} & asked.keys()


@BOTH
async def test_a_model_without_tools_that_calls_one_of_ours_fails(streamed: bool) -> None:
    tools, recorder = Toolbox(), Recorder()
    async with make_app(tools, recorder) as server:
        server.provider.models["fake-model"]["tool_call"] = False
        server.provider.enqueue(calling(("add", {"a": 3})))
        await server.chat(stream=streamed, **ALL)
        assert len(server.provider.history) == 1
    assert "called a tool, but is known to have none" in str(recorder.subject("error"))
    assert tools.calls == []


@BOTH
async def test_a_model_of_which_nothing_is_known_may_call_tools(streamed: bool) -> None:
    async with make_app(Toolbox()) as server:
        del server.provider.models["fake-model"]["tool_call"]
        server.provider.enqueue(calling(("add", {"a": 3})), "5")
        assert (await server.chat(stream=streamed, **ALL)).text == "5"


@BOTH
async def test_a_client_that_brought_tools_gets_the_calls_of_any_model(streamed: bool) -> None:
    async with make_app(Toolbox()) as server:
        server.provider.models["fake-model"]["tool_call"] = False
        server.provider.enqueue(calling(("theirs", {})))
        reply = await server.chat(stream=streamed, tools=[client_tool("theirs")], **ALL)
        assert server.provider.history[0]["tools"] == [client_tool("theirs")]
    assert (reply.status, calls_of(reply)) == (200, ["theirs"])
