"""The dict that travels with one chat."""

import asyncio
from typing import Any

from llms.kernel.types import Context
from llms.testing import FakeProvider, make_app

from .recorder import BOTH, Recorder, add, refusing

PRICES = {"input": 1, "output": 2}


async def contexts(**fields: Any) -> tuple[Context, Context]:
    """The context as the request filter and as the response filter saw it."""
    early: dict[str, Any] = {}
    recorder = Recorder(request=lambda _, context: early.update(context))
    async with make_app(recorder) as server:
        server.app.registry.live["fake"] = FakeProvider("fake", cost=PRICES)
        reply = await server.chat(**fields)
    assert reply.status == 200
    return early, recorder.context  # type: ignore[return-value]


async def test_the_context_has_the_chat_and_who_asked_from_the_start() -> None:
    early, _ = await contexts()
    assert early["chat"]["model"] == "fake-model"
    assert early["request"].path == "/v1/chat/completions"
    assert early["user"] is None
    assert early["request_id"]
    assert early["metadata"] == {}


@BOTH
async def test_the_context_tells_of_the_attempt_in_the_end(streamed: bool) -> None:
    _, late = await contexts(stream=streamed)
    assert late["provider"] == "fake"
    assert late["modelInfo"] is not None
    assert late["modelInfo"]["id"] == "fake-model"
    assert late["modelCost"] == PRICES
    assert late["startedAt"] > 0
    assert late["duration"] >= 0
    assert late["providerResponse"]["choices"][0]["message"]["content"] == "ok"


async def test_a_bare_client_gets_none_of_the_servers_tools() -> None:
    early, _ = await contexts()
    assert early["tools"] == "none"


async def test_what_metadata_says_to_us_is_in_the_context() -> None:
    metadata = {"threadId": "7", "tools": "a,b", "nohistory": True, "nostore": True, "title": "T", "other": 1}
    early, _ = await contexts(metadata=metadata)
    assert early["metadata"] == metadata
    assert {key: early[key] for key in metadata if key != "other"} == {  # type: ignore[literal-required]
        key: value for key, value in metadata.items() if key != "other"
    }
    assert "other" not in early


async def test_metadata_cannot_set_what_is_ours_to_set() -> None:
    early, _ = await contexts(metadata={"user": "root", "local_files": True, "request_id": "x", "provider": "x"})
    assert early["user"] is None
    assert early["request_id"] != "x"
    assert not {"local_files", "provider"} & early.keys()


async def test_the_provider_in_the_context_is_the_one_that_answered() -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        server.provider.enqueue(refusing(500))
        add(server, "other")
        await server.chat()
    assert recorder.context["provider"] == "other"


async def test_each_chat_has_a_context_of_its_own() -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        await asyncio.gather(server.chat(), server.chat())
    assert len({context["request_id"] for _, _, context in recorder.calls}) == 2
