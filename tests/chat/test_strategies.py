"""In which order vendors are asked, and aliases, seen through the server."""

import random
from collections import Counter
from typing import Any

import pytest

from llms.chat.timings import FRESH, PATIENCE, Timings
from llms.testing import FakeProvider, TestServer, make_app
from llms.testing.upstream import completion

from .clock import Clock
from .recorder import BOTH, refusing

CHEAP, DEAR = {"input": 1, "output": 2}, {"input": 10, "output": 20}


def served(*providers: FakeProvider, **config: Any) -> Any:
    """A server with these providers, asked in this order."""

    def install(ctx: Any) -> None:
        for provider in providers:
            ctx.get_providers()[provider.id] = provider

    return make_app(install, config={"limits": {"retries": 1}, **config})


async def asked(server: TestServer, times: int, **fields: Any) -> list[str]:
    """Who answered so many chats."""
    del server.app.registry.live[server.provider.id]
    replies = [await server.chat(**fields) for _ in range(times)]
    return [reply.headers["x-llms-provider"] for reply in replies]


def named(*ids: str, **more: Any) -> list[FakeProvider]:
    return [FakeProvider(id, **more) for id in ids]


async def test_the_order_of_the_configuration_counts_unless_somebody_says_otherwise() -> None:
    async with served(*named("a", "b")) as server:
        assert await asked(server, 3) == ["a", "a", "a"]


@BOTH
async def test_the_cheapest_is_asked_first(streamed: bool) -> None:
    providers = FakeProvider("unknown"), FakeProvider("dear", cost=DEAR), FakeProvider("cheap", cost=CHEAP)
    async with served(*providers, routing={"strategy": "cheapest"}) as server:
        assert await asked(server, 1, stream=streamed) == ["cheap"]
        providers[2].enqueue(refusing(500))
        providers[1].enqueue(refusing(500))
        assert (await server.chat(stream=streamed)).headers["x-llms-provider"] == "unknown"


@pytest.mark.parametrize(
    ("one", "other", "cheaper"),
    [
        ({"input": 0, "output": 0}, CHEAP, "one"),
        ({"input": 1, "output": 20}, {"input": 10, "output": 1}, "one"),
        ({"type": "request", "output": 0.04}, CHEAP, "other"),
        ({"type": "request", "output": 0.001}, CHEAP, "one"),
        ({"input": 1}, CHEAP, "other"),
        ({"input": "1", "output": None}, CHEAP, "other"),
        (CHEAP, CHEAP, "one"),
    ],
)
async def test_prices_are_compared_by_what_a_usual_chat_costs(one: Any, other: Any, cheaper: str) -> None:
    async with served(FakeProvider("one", cost=one), FakeProvider("other", cost=other)) as server:
        assert await asked(server, 1, metadata={"strategy": "cheapest"}) == [cheaper]


async def test_one_that_cannot_tell_its_prices_is_taken_for_dear() -> None:
    class Unsure(FakeProvider):
        def model_cost(self, model: str) -> Any:
            raise KeyError(model)

    async with served(Unsure("unsure"), FakeProvider("dear", cost=DEAR)) as server:
        assert await asked(server, 1, metadata={"strategy": "cheapest"}) == ["dear"]


async def test_they_take_turns() -> None:
    async with served(*named("a", "b", "c"), routing={"strategy": "round-robin"}) as server:
        assert await asked(server, 5) == ["a", "b", "c", "a", "b"]


async def test_each_model_has_turns_of_its_own() -> None:
    async with served(*named("a", "b", models=("m", "n")), routing={"strategy": "round-robin"}) as server:
        assert await asked(server, 1, model="m") == ["a"]
        replies = [await server.chat(model=model) for model in ("n", "m", "n")]
    assert [reply.headers["x-llms-provider"] for reply in replies] == ["a", "b", "b"]


async def test_lists_that_share_a_provider_let_everybody_have_a_turn() -> None:
    providers = FakeProvider("a", models=("m",)), FakeProvider("b", models=("n",)), FakeProvider("c", models=("o",))
    aliases = {"two": ["m", "n"], "three": ["m", "n", "o"]}
    async with served(*providers, aliases=aliases, routing={"strategy": "round-robin"}) as server:
        counted = {model: set[str]() for model in aliases}
        for _ in range(6):
            for model in aliases:
                counted[model].add((await server.chat(model=model)).headers["x-llms-provider"])
    assert counted == {"two": {"a", "b"}, "three": {"a", "b", "c"}}


async def test_chats_that_name_a_provider_do_not_take_the_turns_of_others() -> None:
    async with served(*named("a", "b"), routing={"strategy": "round-robin"}) as server:
        free = []
        for _ in range(4):
            free += await asked_of_two(server)
            await server.chat(provider="b")
    assert set(free) == {"a"}  # whose turn it is each time, as the named one has just had its own


async def asked_of_two(server: TestServer) -> list[str]:
    server.app.registry.live.pop(server.provider.id, None)
    return [(await server.chat()).headers["x-llms-provider"]]


async def test_the_rounds_of_a_tool_loop_are_one_turn() -> None:
    providers = named("a", "b")
    for provider in providers:
        for _ in range(2):
            provider.enqueue({**completion(""), "choices": [_call()]}, "done")

    def install(ctx: Any) -> None:
        ctx.get_providers().update({provider.id: provider for provider in providers})
        ctx.register_tool(now)

    async with make_app(install, config={"limits": {"retries": 1}, "routing": {"strategy": "round-robin"}}) as server:
        assert await asked(server, 4, metadata={"tools": "all"}) == ["a", "b", "a", "b"]


@BOTH
async def test_who_is_fastest_is_asked_first_once_all_are_measured(streamed: bool) -> None:
    clock = Clock()

    class Slow(FakeProvider):
        async def stream(self, *args: Any) -> Any:
            clock.passes(float(self.id))
            async for events in super().stream(*args):
                yield events

    async with served(Slow("3"), Slow("1"), Slow("2"), routing={"strategy": "fastest"}) as server:
        server.app.pipeline.routing.timings.clock = clock
        assert await asked(server, 5, stream=streamed) == ["3", "1", "2", "1", "1"]
        clock.passes(FRESH)
        assert {(await server.chat(stream=streamed)).headers["x-llms-provider"] for _ in range(3)} == {"1", "2", "3"}


async def test_one_that_failed_is_not_taken_for_fast() -> None:
    broken, sound = named("broken", "sound")
    broken.enqueue(*[refusing(400)] * 9)
    async with served(broken, sound, routing={"strategy": "fastest"}) as server:
        assert await asked(server, 3) == ["sound"] * 3
    assert len(broken.history) == 1


async def test_a_chat_may_choose_its_strategy() -> None:
    async with served(FakeProvider("dear", cost=DEAR), FakeProvider("cheap", cost=CHEAP)) as server:
        assert await asked(server, 1, metadata={"strategy": "cheapest"}) == ["cheap"]
        assert (await server.chat()).headers["x-llms-provider"] == "dear"


@pytest.mark.parametrize("strategy", ["best", "x" * 9999, 5, ["cheapest"]])
async def test_a_strategy_that_does_not_exist_is_the_callers_fault(strategy: Any) -> None:
    async with served(*named("a")) as server:
        reply = await server.chat(metadata={"strategy": strategy})
    assert (reply.status, reply.body["error"]["param"]) == (400, "metadata.strategy")
    assert len(reply.body["error"]["message"]) < 200


async def test_a_strategy_in_the_configuration_that_does_not_exist_is_the_operators_fault() -> None:
    async with served(*named("a", "b"), aliases={"x": {"models": ["fake-model"], "strategy": "best"}}) as server:
        reply = await server.chat(model="x")
    assert reply.status == 500
    assert "Correct `aliases.x` in llms.json." in reply.body["error"]["message"]


@pytest.mark.parametrize("chosen", [{"model": "a/fake-model"}, {"provider": "a"}])
async def test_the_provider_a_caller_names_is_asked_before_a_cheaper_one(chosen: Any) -> None:
    async with served(FakeProvider("a", cost=DEAR), FakeProvider("b", cost=CHEAP)) as server:
        assert await asked(server, 1, metadata={"strategy": "cheapest"}, **chosen) == ["a"]


# -- aliases -------------------------------------------------------------------------------------------------------


@BOTH
async def test_an_alias_is_answered_by_the_models_it_stands_for(streamed: bool) -> None:
    a, b = FakeProvider("a", models=("llama",)), FakeProvider("b", models=("mini",))
    a.enqueue(refusing(404))
    async with served(a, b, aliases={"fast": ["a/llama", "b/mini"]}) as server:
        reply = await server.chat(model="fast", stream=streamed)
    assert (a.history[0]["model"], b.history[0]["model"]) == ("a/llama", "b/mini")
    assert (reply.headers["x-llms-provider"], reply.headers["x-llms-model"]) == ("b", "mini")


async def test_the_vendor_never_hears_of_the_alias(fake_upstream: Any) -> None:
    models = {"llama": {"id": "vendor/llama"}}
    providers = {"acme": {"api": fake_upstream.url, "api_key": "k" * 20, "models": models}}
    async with make_app(config={"providers": providers, "aliases": {"fast": "acme/llama"}}) as server:
        await server.chat(model="Fast")
    assert fake_upstream.requests[0].body["model"] == "vendor/llama"


async def test_weights_share_out_the_chats() -> None:
    providers = FakeProvider("a", models=("x",)), FakeProvider("b", models=("y",))
    aliases = {"fast": [{"model": "x", "weight": 3}, "y"]}
    async with served(*providers, aliases=aliases, routing={"strategy": "round-robin"}) as server:
        server.app.pipeline.routing.draw = random.Random(5).random
        counted = Counter(await asked(server, 100, model="fast"))
    assert 65 <= counted["a"] <= 85
    assert counted["a"] + counted["b"] == 100


async def test_an_alias_may_have_a_strategy_of_its_own() -> None:
    providers = FakeProvider("a", models=("x",), cost=DEAR), FakeProvider("b", models=("y",), cost=CHEAP)
    aliases = {"fast": {"models": ["x", "y"], "strategy": "cheapest"}}
    async with served(*providers, aliases=aliases) as server:
        assert await asked(server, 1, model="fast") == ["b"]
        reply = await server.chat(model="fast", metadata={"strategy": "priority"})
    assert reply.headers["x-llms-provider"] == "a"


async def test_rounds_of_a_turn_stay_with_the_model_that_answered_first() -> None:
    provider = FakeProvider("a", models=("x", "y"))
    provider.enqueue(refusing(500), {**completion(""), "choices": [_call()]})

    def install(ctx: Any) -> None:
        ctx.get_providers()["a"] = provider
        ctx.register_tool(now)

    async with make_app(install, config={"limits": {"retries": 1}, "aliases": {"fast": ["x", "y"]}}) as server:
        await server.chat(model="fast", metadata={"tools": "all"})
    assert [chat["model"] for chat in provider.history] == ["x", "y", "y"]


def now() -> int:
    """Now."""
    return 1


def _call() -> Any:
    call = {"id": "1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    return {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [call]}}


@pytest.mark.parametrize("model", ["a", "b", "c"])
async def test_aliases_that_stand_for_each_other_and_for_nothing_are_not_found(model: str) -> None:
    async with make_app(config={"aliases": {"a": ["b"], "b": ["a"], "c": ["a", "b", "c"]}}) as server:
        reply = await server.chat(model=model)
    assert (reply.status, reply.body["error"]["code"]) == (404, "model_not_found")


async def test_an_alias_is_among_the_models() -> None:
    async with make_app(config={"aliases": {"fast": "fake-model"}}) as server:
        assert [(each["id"], each["provider"]) for each in (await server.get("/models")).body] == [
            ("fake-model", "fake"),
            ("fast", "alias"),
        ]


# -- what is measured ----------------------------------------------------------------------------------------------

TIMED = ("acme", "m", True)


def test_the_newest_measurement_counts_most_and_none_alone() -> None:
    timings = Timings(Clock())
    for seconds in (1.0, 1.0, 2.0):
        timings.note(TIMED, seconds)
    assert timings.expected(TIMED) == pytest.approx(1.3)


def test_whole_answers_and_streams_are_measured_apart() -> None:
    timings = Timings(Clock())
    timings.note(TIMED, 1.0)
    assert timings.expected(("acme", "m", False)) is None


def test_while_one_chat_measures_others_do_not() -> None:
    timings = Timings(clock := Clock())
    assert [timings.explores(TIMED), timings.explores(TIMED)] == [True, False]
    clock.passes(PATIENCE)
    assert timings.explores(TIMED)
