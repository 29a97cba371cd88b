"""The OpenAI SDK puts together a streamed answer of several rounds, or one whose vendor repeats itself."""

from typing import Any

import pytest

from llms.extensions.providers.tests.anthropic_samples import events
from llms.testing import FakeUpstream, sse

from .test_dialects import client
from .vendors import ANTHROPIC, GEMINI, Vendor

SOURCE: Any = {
    "type": "web_search_result_location",
    "url": "https://a.example",
    "title": "A",
    "cited_text": "c",
    "encrypted_index": "e",
}


CALL: Any = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"word": "code"}}


def thought(text: str) -> Any:
    return {"type": "thinking", "thinking": text, "signature": f"sig-{text}"}


def searched(name: str) -> list[Any]:
    """A search that the vendor ran, and wants to see again."""
    asked = {"type": "server_tool_use", "id": name, "name": "web_search", "input": {"query": name}}
    return [asked, {"type": "web_search_tool_result", "tool_use_id": name, "content": []}]


def spoken(text: str, *citations: Any) -> Any:
    return {"type": "text", "text": text, "citations": citations}


async def message(vendor: Vendor, upstream: FakeUpstream, *rounds: Any, tools: str = "all") -> Any:
    """What the SDK makes of an answer whose rounds are streamed so."""
    for streamed in rounds:
        upstream.enqueue(*map(sse, streamed), headers={"Content-Type": "text/event-stream"})
    asked: Any = {"messages": [{"role": "user", "content": "Hi"}], "metadata": {"tools": tools}}
    async with client(vendor, upstream) as sdk, sdk.chat.completions.stream(model="m", **asked) as stream:
        completion = await stream.get_final_completion()
    assert len(upstream.requests) == len(rounds)
    return completion.choices[0].message.model_dump(exclude_none=True)


async def test_signed_thoughts_of_two_rounds_stay_apart(fake_upstream: FakeUpstream) -> None:
    told = await message(
        ANTHROPIC,
        fake_upstream,
        events(thought("one"), CALL, reason="tool_use"),
        events(thought("two"), spoken("Yes.")),
    )
    detail = {"type": "reasoning.text", "text": "two", "signature": "sig-two", "format": "anthropic-claude-v1"}
    assert told["reasoning_details"] == [{**detail, "index": 0}]
    assert told["reasoning_content"] == "one\n\ntwo"


async def test_what_the_vendor_wants_to_see_again_is_that_of_the_last_round(fake_upstream: FakeUpstream) -> None:
    told = await message(
        ANTHROPIC,
        fake_upstream,
        events(*searched("first"), CALL, reason="tool_use"),
        events(*searched("second"), spoken("Yes.")),
    )
    asked, _, answered = told["provider_metadata"]["anthropic"]["content"]
    assert (asked["id"], answered["text"]) == ("second", "Yes.")


async def test_citations_of_two_rounds_stay_apart(fake_upstream: FakeUpstream) -> None:
    other = {**SOURCE, "url": "https://b.example"}
    told = await message(
        ANTHROPIC,
        fake_upstream,
        events(spoken("One.", SOURCE), CALL, reason="tool_use"),
        events(spoken("Two.", other, SOURCE)),
    )
    urls = [one["url_citation"]["url"] for one in told["annotations"]]
    assert urls == ["https://a.example", "https://b.example", "https://a.example"]


@pytest.mark.parametrize("tools", ["all", "none"])
@pytest.mark.parametrize("count", [1, 2, 7])
async def test_sources_told_in_several_events_are_told_once(
    count: int, tools: str, fake_upstream: FakeUpstream
) -> None:
    grounding = {"webSearchQueries": ["q"], "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}]}
    told = [{"content": {"parts": [{"text": "A"}]}, "groundingMetadata": grounding} for _ in range(count)]
    told[-1]["finishReason"] = "STOP"
    answer = await message(GEMINI, fake_upstream, [{"candidates": [candidate]} for candidate in told], tools=tools)
    assert answer["groundingMetadata"] == grounding
    assert [one["url_citation"]["url"] for one in answer["annotations"]] == ["https://a.example"]


@pytest.mark.parametrize("tools", ["all", "none"])
async def test_files_of_several_events_stay_apart(tools: str, fake_upstream: FakeUpstream) -> None:
    parts = [{"inlineData": {"mimeType": "text/csv", "data": data}} for data in ("YQ==", "Yg==")]
    streamed: Any = [{"candidates": [{"content": {"parts": [part]}}]} for part in parts]
    streamed[-1]["candidates"][0]["finishReason"] = "STOP"
    answer = await message(GEMINI, fake_upstream, streamed, tools=tools)
    data = [part["file"]["file_data"] for part in answer["files"]]
    assert data == ["data:text/csv;base64,YQ==", "data:text/csv;base64,Yg=="]
