"""Handlers that see each tool call before it runs and after it ran."""

from typing import Any

import pytest

from llms.chat.tool_call import ToolCallEvent
from llms.host.context import ExtensionContext
from llms.kernel.errors import Forbidden
from llms.kernel.types import Context
from llms.testing import make_app

from .recorder import fail
from .tooling import ALL, Toolbox, calling, history, results


class Guard:
    """An extension that notes what it is shown of tool calls, and acts on it."""

    def __init__(self, *, before: Any = None, after: Any = None) -> None:
        self.seen: list[tuple[str, str, Any, str | None]] = []
        self._act = {"before": before, "after": after}
        self.__install__ = self.install

    def install(self, ctx: ExtensionContext) -> None:
        ctx.register_tool_call_filter(self.handle)

    def handle(self, call: ToolCallEvent, context: Context) -> None:
        self.seen.append((call.phase, call.name, dict(call.args), call.text))
        if act := self._act[call.phase]:
            act(call)


async def told(*guards: Any, tools: Toolbox | None = None, name: str = "add", **arguments: Any) -> str:
    """What the model is told of one call."""
    async with make_app(tools or Toolbox(), *guards) as server:
        server.provider.enqueue(calling((name, arguments or {"a": 3})), "Done.")
        assert (await server.chat(**ALL)).text == "Done."
        [text] = results(server)
    return str(text)


async def test_a_call_is_shown_before_it_runs_and_after_it_ran() -> None:
    guard = Guard()
    assert await told(guard) == "5"
    assert guard.seen == [("before", "add", {"a": 3}, None), ("after", "add", {"a": 3}, "5")]


async def test_handlers_may_be_async_and_know_the_call_and_the_context() -> None:
    seen: list[Any] = []

    def install(ctx: ExtensionContext) -> None:
        async def look(call: ToolCallEvent, context: Context) -> None:
            seen.append((call.id, context["chat"]["model"]))

        ctx.register_tool_call_filter(look)

    await told(install)
    assert seen == [("call_0", "fake-model")] * 2


@pytest.mark.parametrize("edit", [lambda call: call.args.update(b=4), lambda call: setattr(call, "args", {"a": 7})])
async def test_the_arguments_may_be_changed_before_the_call(edit: Any) -> None:
    tools = Toolbox()
    await told(Guard(before=edit), tools=tools)
    assert tools.calls in ([(3, 4)], [(7, 2)])


async def test_a_refused_call_does_not_run_and_the_model_is_told_why() -> None:
    tools, guard = Toolbox(), Guard(before=lambda call: call.refuse("Ask me first."))
    assert await told(guard, tools=tools) == "Ask me first."
    assert tools.calls == []
    assert [phase for phase, *_ in guard.seen] == ["before"]


async def test_only_the_call_that_was_refused_does_not_run() -> None:
    tools = Toolbox()
    guard = Guard(before=lambda call: call.args["a"] == 1 and call.refuse("Not one."))
    async with make_app(tools, guard) as server:
        server.provider.enqueue(calling(("add", {"a": 1}), ("add", {"a": 2})))
        await server.chat(**ALL)
        assert results(server) == ["Not one.", "4"]
    assert tools.calls == [(2, 2)]


async def test_a_call_may_be_answered_without_running() -> None:
    tools, guard = Toolbox(), Guard(before=lambda call: call.answer("from memory"))
    assert await told(guard, tools=tools) == "from memory"
    assert tools.calls == []
    assert guard.seen[1][3] == "from memory"


async def test_a_call_of_a_tool_that_nobody_registered_may_be_answered_too() -> None:
    assert await told(Guard(before=lambda call: call.answer("from elsewhere")), name="remote") == "from elsewhere"


async def test_a_result_may_be_replaced() -> None:
    assert await told(Guard(after=lambda call: call.answer(call.text.replace("5", "five")))) == "five"


async def test_a_result_may_be_withheld() -> None:
    assert await told(Guard(after=lambda call: call.refuse("It held a secret."))) == "It held a secret."


async def test_an_answer_may_bring_resources() -> None:
    resources = [{"type": "audio_url", "audio_url": {"url": "/~cache/x"}}, "rubbish", {"type": "file", "x": object()}]
    async with make_app(Toolbox(), Guard(before=lambda call: call.answer("listen", resources))) as server:
        server.provider.enqueue(calling(("add", {"a": 1})))
        [_, kept] = history(await server.chat(**ALL))
    assert (kept["content"], kept["audios"]) == ("listen", resources[:1])


@pytest.mark.parametrize("first_refuses", [True, False])
async def test_a_refusal_stands_whatever_other_handlers_say(first_refuses: bool) -> None:
    tools = Toolbox()
    guards = [Guard(before=lambda call: call.refuse("no")), Guard(before=lambda call: call.answer("yes"))]
    assert await told(*(guards if first_refuses else guards[::-1]), tools=tools) == "no"
    assert tools.calls == []


@pytest.mark.parametrize("error", [ValueError("The guard is broken."), Forbidden("The guard is broken.")])
async def test_a_handler_that_fails_before_the_call_refuses_it(error: Exception) -> None:
    tools = Toolbox()
    assert await told(Guard(before=lambda _: fail(error)()), tools=tools) == "The guard is broken."
    assert tools.calls == []


async def test_a_handler_that_answers_and_then_fails_refuses_too() -> None:
    def act(call: ToolCallEvent) -> None:
        call.answer("yes")
        raise ValueError("broken")

    assert await told(Guard(before=act)) == "broken"


async def test_a_handler_that_hangs_refuses_the_call() -> None:
    def install(ctx: ExtensionContext) -> None:
        async def hang(*_: Any) -> None:
            import asyncio

            await asyncio.Event().wait()

        ctx.register_tool_call_filter(hang)

    tools = Toolbox()
    async with make_app(tools, install, config={"limits": {"hook_timeout": 0.05}}) as server:
        server.provider.enqueue(calling(("add", {"a": 3})))
        await server.chat(**ALL)
        [text] = results(server)
    assert "took longer than 0.05 s" in text
    assert tools.calls == []


async def test_a_handler_that_fails_after_the_call_is_skipped_and_others_still_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = Guard(after=lambda _: fail(ValueError("its own bug"))())
    redacting = Guard(after=lambda call: call.answer("[redacted]"))
    assert await told(broken, redacting) == "[redacted]"
    assert "its own bug" in caplog.text


@pytest.mark.parametrize("args", [None, "a=1", [1], 5])
async def test_arguments_that_are_no_dict_refuse_the_call(args: Any) -> None:
    tools = Toolbox()
    text = await told(Guard(before=lambda call: setattr(call, "args", args)), tools=tools)
    assert "must be a dict" in text
    assert tools.calls == []


@pytest.mark.parametrize("rubbish", [5, "text", {"a": 1}, None])
async def test_rubbish_in_place_of_resources_is_left_out(rubbish: Any) -> None:
    assert await told(Guard(after=lambda call: setattr(call, "resources", rubbish))) == "5"


@pytest.mark.parametrize(("text", "sent"), [(5, "5"), (None, "None"), ("a\ud800", "a?")])
async def test_whatever_an_answer_is_goes_as_text(text: Any, sent: str) -> None:
    assert await told(Guard(before=lambda call: call.answer(text))) == sent


async def test_a_call_whose_arguments_cannot_be_read_is_not_shown() -> None:
    guard = Guard()
    async with make_app(Toolbox(), guard) as server:
        server.provider.enqueue(calling(("add", "{")))
        await server.chat(**ALL)
    assert guard.seen == []
