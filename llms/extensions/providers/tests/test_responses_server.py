"""OpenAI's Responses API through a server: tool loops, conversations that go on elsewhere, and errors."""

import json
from typing import Any

import pytest

from llms.api import ExtensionContext
from llms.extensions.providers.responses import ResponsesProvider
from llms.extensions.providers.tests.responses_samples import (
    CALL,
    HI,
    LOOK,
    SEARCH,
    SECRET,
    answer,
    event,
    text,
    thought_by,
)
from llms.testing import FakeUpstream, make_app, sse


def config(upstream: FakeUpstream) -> Any:
    models = {"gpt-5": {"id": "gpt-5", "name": "GPT-5", "reasoning": True, "tool_call": True}}
    entry = {"npm": "openai/responses", "api": upstream.url, "api_key": "key-0123456789", "models": models}
    return {"providers": {"acme": entry}}


def install(ctx: ExtensionContext) -> None:
    def look(at: str) -> str:
        """Looks."""
        return f"The {at} is blue."

    ctx.add_provider(ResponsesProvider)
    ctx.register_tool(look)


def as_stream(whole: Any) -> bytes:
    items = [event("output_item.done", output_index=i, item=item) for i, item in enumerate(whole["output"])]
    return b"".join(map(sse, [event("created", response=whole), *items, event("completed", response=whole)]))


@pytest.mark.parametrize("output", [[SECRET, CALL], [SECRET, SEARCH, {**SECRET, "id": "rs_2"}, text("Hm: "), CALL]])
@pytest.mark.parametrize("stream", [False, True])
async def test_reasoning_survives_the_servers_tool_loop(
    fake_upstream: FakeUpstream, *, stream: bool, output: list[Any]
) -> None:
    for whole in (answer(*output), answer(text("Blue."))):
        if stream:
            fake_upstream.enqueue(as_stream(whole), headers={"Content-Type": "text/event-stream"})
        else:
            fake_upstream.enqueue(json.dumps(whole).encode(), headers={"Content-Type": "application/json"})
    async with make_app(install, config=config(fake_upstream)) as server:
        reply = await server.chat(model="gpt-5", stream=stream, metadata={"tools": "all"})
    assert reply.text.endswith("Blue.")
    first, second = fake_upstream.requests
    assert first.path == "/v1/responses"
    assert (first.body["store"], first.body["include"]) == (False, ["reasoning.encrypted_content"])
    *items, result = second.body["input"][1:]
    assert [{**item, "id": None} for item in items] == [{**item, "id": None} for item in output]
    assert result == {"type": "function_call_output", "call_id": "call_1", "output": "The sky is blue."}


async def test_a_client_may_send_reasoning_back_itself(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(json.dumps(answer(SECRET, CALL)).encode(), headers={"Content-Type": "application/json"})
    fake_upstream.enqueue(json.dumps(answer(text("Blue."))).encode(), headers={"Content-Type": "application/json"})
    async with make_app(install, config=config(fake_upstream)) as server:
        reply = await server.chat(model="gpt-5", tools=[LOOK])
        said = reply.body["choices"][0]["message"]
        told = {"role": "tool", "tool_call_id": "call_1", "content": "blue"}
        await server.post("/v1/chat/completions", {"model": "gpt-5", "messages": [HI, said, told], "tools": [LOOK]})
    assert fake_upstream.requests[1].body["input"][1] == SECRET


OPENAI = {"error": {"message": "It could not be verified.", "code": "invalid_encrypted_content", "type": "x"}}
XAI = {
    "code": "invalid-argument",
    "error": "Could not decrypt the provided encrypted_content. Ensure it is unmodified.",
}
STREAM = {"Content-Type": "text/event-stream"}


async def continued(upstream: FakeUpstream, *, issuer: str = "", stream: bool = False) -> Any:
    """The reply to a chat in which `issuer`, by default the vendor that is asked, has already thought."""
    by = issuer or upstream.url.partition("//")[2].partition("/")[0]
    said = {"role": "assistant", "content": "Hm.", "reasoning_details": [thought_by(by)]}
    async with make_app(install, config=config(upstream)) as server:
        return await server.chat(model="gpt-5", stream=stream, messages=[HI, said, HI])


@pytest.mark.parametrize("error", [OPENAI, XAI])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_vendor_that_cannot_read_its_thoughts_is_asked_without_them(
    fake_upstream: FakeUpstream, error: Any, *, stream: bool
) -> None:
    fake_upstream.enqueue(json.dumps(error).encode(), status=400, headers={"Content-Type": "application/json"})
    if stream:
        fake_upstream.enqueue(as_stream(answer(text("Hello"))), headers=STREAM)
    else:
        fake_upstream.enqueue(json.dumps(answer(text("Hello"))).encode(), headers={"Content-Type": "application/json"})
    reply = await continued(fake_upstream, stream=stream)
    assert reply.text == "Hello"
    first, second = fake_upstream.requests
    assert [item.get("type") for item in first.body["input"]] == [None, "reasoning", "message", None]
    assert second.body["input"] == [item for item in first.body["input"] if item.get("type") != "reasoning"]


@pytest.mark.parametrize(
    "refused", [event("failed", response={"id": "r", **OPENAI}), {"type": "error", **OPENAI["error"]}]
)
async def test_it_may_say_so_inside_the_stream(fake_upstream: FakeUpstream, refused: Any) -> None:
    begun = event("created", response=answer(id="resp_0", status="in_progress"))
    fake_upstream.enqueue(sse(begun) + sse(refused), headers=STREAM)
    fake_upstream.enqueue(as_stream(answer(text("Hello"))), headers=STREAM)
    reply = await continued(fake_upstream, stream=True)
    assert reply.text == "Hello"
    assert {chunk["id"] for chunk in reply.chunks} == {"resp_1"}


async def test_once_something_was_said_it_is_not_asked_again(fake_upstream: FakeUpstream) -> None:
    begun = event("output_text.delta", output_index=0, content_index=0, delta="Hel")
    fake_upstream.enqueue(sse(begun) + sse(event("failed", response=OPENAI)), headers=STREAM)
    await continued(fake_upstream, stream=True)
    assert len(fake_upstream.requests) == 1


async def test_it_is_asked_again_only_once(fake_upstream: FakeUpstream) -> None:
    for _ in range(3):
        fake_upstream.enqueue(json.dumps(OPENAI).encode(), status=400, headers={"Content-Type": "application/json"})
    reply = await continued(fake_upstream)
    assert (reply.status, len(fake_upstream.requests)) == (400, 2)


async def test_without_thoughts_it_is_not_asked_again(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(json.dumps(OPENAI).encode(), status=400, headers={"Content-Type": "application/json"})
    reply = await continued(fake_upstream, issuer="api.x.ai")
    assert (reply.status, len(fake_upstream.requests)) == (400, 1)


@pytest.mark.parametrize("status", [400, 401, 429])
async def test_its_errors_have_their_status_and_words(fake_upstream: FakeUpstream, status: int) -> None:
    error = {"error": {"message": "no luck", "type": "x", "code": "y", "param": "input"}}
    for _ in range(3):
        fake_upstream.enqueue(
            json.dumps(error).encode(), status=status, headers={"Content-Type": "application/json", "retry-after": "0"}
        )
    async with make_app(install, config=config(fake_upstream)) as server:
        reply = await server.chat(model="gpt-5")
    assert reply.status == status
    assert "no luck" in reply.body["error"]["message"]
