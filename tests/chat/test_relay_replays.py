"""What a streamed tool loop passes on besides text: one answer's worth, which clients can put together."""

from typing import Any

import pytest

from llms.kernel.types import Json
from llms.testing import Reply, make_app
from llms.testing.upstream import completion

from .tooling import ALL, Toolbox, calling, client_tool


def saying(answer: Json, **fields: Any) -> Json:
    """`answer` with more fields in its message."""
    answer["choices"][0]["message"] |= fields
    return answer


def told(reply: Reply, name: str) -> list[Any]:
    """Every value of a field in the deltas of the first choice."""
    deltas = [choice["delta"] for chunk in reply.chunks for choice in chunk["choices"]]
    return [delta[name] for delta in deltas if name in delta]


def thought(text: str) -> list[Any]:
    return [{"type": "reasoning.text", "text": text, "signature": f"sig-{text}", "index": 0}]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("reasoning_details", thought("one"), thought("two")),
        ("provider_metadata", {"acme": {"content": [1]}}, {"acme": {"content": [2]}}),
        ("groundingMetadata", {"groundingChunks": [{"web": {}}]}, {"groundingChunks": [{"maps": {}}]}),
        ("sources_of_a_new_kind", [{"a": 1}], [{"a": 2}]),
    ],
)
async def test_what_a_round_says_of_itself_is_told_of_the_last_one(name: str, first: Any, last: Any) -> None:
    async with make_app(Toolbox()) as server:
        calls, ends = saying(calling(("add", {"a": 3})), **{name: first}), saying(completion("5"), **{name: last})
        server.provider.enqueue(calls, ends)
        reply = await server.chat(stream=True, **ALL)
    assert told(reply, name) == [last]


async def test_what_only_an_earlier_round_said_of_itself_is_not_told() -> None:
    async with make_app(Toolbox()) as server:
        server.provider.enqueue(saying(calling(("add", {"a": 3})), reasoning_details=thought("one")), "5")
        reply = await server.chat(stream=True, **ALL)
    assert told(reply, "reasoning_details") == []


async def test_calls_left_to_the_client_come_with_what_belongs_to_them() -> None:
    async with make_app(Toolbox()) as server:
        theirs = saying(calling(("theirs", {})), reasoning_details=thought("two"))
        server.provider.enqueue(saying(calling(("add", {"a": 3})), reasoning_details=thought("one")), theirs)
        reply = await server.chat(stream=True, tools=[client_tool("theirs")], **ALL)
    assert told(reply, "reasoning_details") == [thought("two")]
    assert [call["function"]["name"] for calls in told(reply, "tool_calls") for call in calls] == ["theirs"]


@pytest.mark.parametrize("name", ["annotations", "files"])
async def test_entries_of_all_rounds_have_places_of_their_own(name: str) -> None:
    placed, bare = [{"a": 1, "index": 0}, {"a": 2, "index": 1}], [{"a": 3}, {"a": 4}]
    async with make_app(Toolbox()) as server:
        calls = [saying(calling(("add", {"a": 3})), **{name: entries}) for entries in (placed, bare)]
        server.provider.enqueue(*calls, saying(completion("5"), **{name: [{"a": 5, "index": 0}, None]}))
        reply = await server.chat(stream=True, **ALL)
    entries = [entry for entries in told(reply, name) for entry in entries]
    assert entries == [{"a": place + 1, "index": place} for place in range(5)]


async def test_pieces_of_one_entry_stay_pieces_of_one() -> None:
    pieces = [{"url_citation": {"title": text}, "index": 0} for text in ("A", "B")]
    async with make_app(Toolbox()) as server:
        calls = saying(calling(("add", {"a": 3})), annotations=pieces)
        server.provider.enqueue(calls, saying(completion("5"), annotations=pieces))
        reply = await server.chat(stream=True, **ALL)
    assert [entry["index"] for entries in told(reply, "annotations") for entry in entries] == [0, 0, 1, 1]
