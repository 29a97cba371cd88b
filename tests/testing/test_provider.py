"""FakeProvider: a provider in the process that answers with what it was given."""

import json
from typing import Any

import pytest

from llms.kernel.errors import ProviderError
from llms.kernel.types import Chat
from llms.testing import FakeProvider, make_app, tool_call

BOTH = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


@BOTH
async def test_answers_come_in_the_order_they_were_enqueued(streamed: bool) -> None:
    async with make_app() as server:
        server.provider.enqueue("one", "two")
        server.provider.enqueue("three")
        assert [(await server.chat(stream=streamed)).text for _ in range(3)] == ["one", "two", "three"]


@BOTH
async def test_with_nothing_enqueued_it_answers_ok(streamed: bool) -> None:
    async with make_app() as server:
        assert (await server.chat(stream=streamed)).text == "ok"


@BOTH
async def test_a_list_of_texts_is_one_answer(streamed: bool) -> None:
    async with make_app() as server:
        server.provider.enqueue(["Hel", "lo"])
        assert (await server.chat(stream=streamed)).text == "Hello"


async def test_a_list_of_texts_is_streamed_piece_by_piece() -> None:
    async with make_app() as server:
        server.provider.enqueue(["Hel", "lo"])
        chunks = (await server.chat(stream=True)).chunks
    contents = [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]]
    assert contents[:2] == ["Hel", "lo"]


@BOTH
async def test_an_error_is_raised(streamed: bool) -> None:
    async with make_app() as server:
        server.provider.enqueue(ProviderError("no", status=400))
        assert (await server.chat(stream=streamed)).status == 400


@BOTH
async def test_a_tool_call_is_an_answer(streamed: bool) -> None:
    async with make_app() as server:
        server.provider.enqueue(tool_call("add", id="call_7", a=1, b=2))
        reply = await server.chat(stream=streamed)
    [call] = _tool_calls(reply.chunks or [reply.body])
    assert call["id"] == "call_7"
    assert call["function"]["name"] == "add"
    assert json.loads(call["function"]["arguments"]) == {"a": 1, "b": 2}


def _tool_calls(answers: list[dict[str, Any]]) -> list[Any]:
    messages = [choice.get("message") or choice["delta"] for answer in answers for choice in answer["choices"]]
    return [call for message in messages for call in message.get("tool_calls") or ()]


async def test_history_keeps_each_chat_as_it_was_when_asked() -> None:
    provider = FakeProvider()
    chat: Chat = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}
    await provider.chat(chat)
    chat["messages"][0]["content"] = "changed later"
    assert provider.history[0]["messages"] == [{"role": "user", "content": "Hi"}]


async def test_it_offers_the_models_it_was_given() -> None:
    provider = FakeProvider("mine", models=("a", "b"), cost={"input": 1, "output": 2})
    assert provider.provider_model("a") == "a"
    assert provider.provider_model("mine/b") == "b"
    assert provider.provider_model("c") is None
    assert provider.model_info("c") is None
    assert provider.model_cost("a") == {"input": 1, "output": 2}
