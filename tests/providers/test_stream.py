"""A provider's stream over a real connection: the bytes may come in any pieces, and end in any way."""

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llms.kernel.errors import ProviderError, StreamCut
from llms.kernel.limits import Limits
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.reading import EventReader
from llms.testing import Cut, FakeUpstream, Gate, Pause, sse

from .asking import CHAT, answer, text

SSE = {"Content-Type": "text/event-stream"}
DONE = b"data: [DONE]\n\n"


def chunk(delta: Any, *, finish: str | None = None, index: int = 0) -> Any:
    return {
        "id": "c1",
        "created": 5,
        "model": "m",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}],
    }


def event(delta: Any, *, finish: str | None = None, index: int = 0) -> bytes:
    return sse(chunk(delta, finish=finish, index=index))


END = event({}, finish="stop")
ODD = (
    b"\xef\xbb\xbf: hello\r\n\r\n"
    + b"data:"
    + json.dumps(chunk({"role": "assistant", "content": "H\u00fc"}), ensure_ascii=False).encode()
    + b"\r\n\r\n"
    + b"event: message\nid: 7\ndata: "
    + json.dumps(chunk({"content": "\u20ac \U0001f600"}), ensure_ascii=False).encode()
    + b'\n\ndata: {"choices":\ndata: [{"index": 0,\ndata: "delta": {"content": "!"}}]}\n\n'
    + event({"reasoning": "Hm"})
    + event({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"a"'}}]})
    + event({"tool_calls": [{"index": 0, "id": "a", "function": {"arguments": ": 1}"}}]})
    + event({"tool_calls": None}, finish="tool_calls").replace(b"\n", b"\r")
    + sse({"choices": [], "usage": {"prompt_tokens": 3}})
)
EXPECTED: Any = {
    "id": "c1",
    "object": "chat.completion",
    "created": 5,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "H\u00fc\u20ac \U0001f600!",
                "reasoning_content": "Hm",
                "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 3},
}


# -- cut anywhere ----------------------------------------------------------------------------------------------


def read(*pieces: bytes) -> tuple[list[Any], str | None]:
    """The chunks in these pieces, and the error at the end."""
    provider = OpenAiCompatible(id="acme", name="Acme", api="http://localhost", api_key="k")
    reader = EventReader(provider.parse_event, provider="Acme")
    chunks = [event.chunk for piece in pieces for event in reader.feed(piece)]
    chunks += [event.chunk for event in reader.finish()]
    try:
        reader.check()
    except ProviderError as error:
        return chunks, str(error)
    return chunks, None


STREAMS = {
    "everything odd": ODD + DONE,
    "no [DONE]": ODD,
    "no last blank line": event({"content": "Hi"}) + END.rstrip(b"\n"),
    "[DONE] with no line end": event({"content": "Hi"}) + b"data: [DONE]",
    "more after [DONE]": event({"content": "Hi"}) + DONE + b"data: nonsense\n\n",
    "an error after some text": event({"content": "Hi"}) + sse({"error": {"message": "no luck"}}) + DONE,
    "garbage after some text": event({"content": "Hi"}) + b"data: <html>\n\n" + END,
    "an error with no last blank line": event({"content": "Hi"}) + sse({"error": {"message": "no luck"}}).rstrip(),
    "cut": event({"content": "Hi"}),
    "cut within an event": event({"content": "Hi"}) + END[:40],
    "a piece of an event after the end": END + event({"content": "Hi"})[:40],
}


@pytest.mark.parametrize("name", STREAMS)
def test_bytes_cut_at_any_position_read_as_in_one_piece(name: str) -> None:
    stream = STREAMS[name]
    whole = read(stream)
    for i in range(1, len(stream)):
        assert read(stream[:i], stream[i:]) == whole, f"cut at {i}"


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", [1, 7])
def test_small_pieces_read_as_one_piece(name: str, size: int) -> None:
    stream = STREAMS[name]
    assert read(*(stream[i : i + size] for i in range(0, len(stream), size))) == read(stream)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("everything odd", None),
        ("no [DONE]", None),
        ("no last blank line", None),
        ("[DONE] with no line end", None),
        ("more after [DONE]", None),
        ("an error after some text", "Acme: no luck"),
        ("garbage after some text", "Acme answered with something that is not a JSON object: <html>"),
        ("an error with no last blank line", "Acme: no luck"),
        ("cut", "Acme ended its stream before the answer was complete"),
        ("cut within an event", "Acme ended its stream before the answer was complete"),
        ("a piece of an event after the end", None),
    ],
)
def test_a_stream_ends_well_or_says_why_not(name: str, error: str | None) -> None:
    _, told = read(STREAMS[name])
    assert (told is None) if error is None else str(told).startswith(error)


@pytest.mark.parametrize("name", ["an error after some text", "garbage after some text", "cut within an event"])
def test_what_came_before_an_error_is_given_out(name: str) -> None:
    chunks, _ = read(STREAMS[name])
    assert chunks == [chunk({"content": "Hi"})]


def test_a_stream_of_two_choices_of_which_one_never_ended_was_cut() -> None:
    begun = event({"role": "assistant", "content": "a"}) + event({"role": "assistant", "content": "b"}, index=1)
    assert read(begun + END)[1] is not None
    assert read(begun + END + event({}, finish="stop", index=1))[1] is None


# -- over the wire ---------------------------------------------------------------------------------------------


async def test_a_streamed_answer_arrives(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(ODD, DONE, headers=SSE)
    assert await answer(provider) == EXPECTED


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_it_arrives_the_same_in_pieces(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, size: int
) -> None:
    stream = ODD + DONE
    fake_upstream.enqueue(*(stream[i : i + size] for i in range(0, len(stream), size)), headers=SSE)
    assert await answer(provider) == EXPECTED


async def test_a_character_cut_in_two_arrives_whole(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    stream = ODD + DONE
    for character in ("\u00fc", "\u20ac", "\U0001f600"):
        first = stream.index(character.encode())
        for cut in range(first + 1, first + len(character.encode())):
            fake_upstream.enqueue(stream[:cut], Pause(0.01), stream[cut:], headers=SSE)
            assert await answer(provider) == EXPECTED


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, len(ODD)), max_size=8).map(sorted))
def test_it_arrives_the_same_cut_anywhere(cuts: list[int]) -> None:
    async def asked() -> Any:
        async with FakeUpstream() as upstream:
            provider = OpenAiCompatible(id="acme", api=upstream.url, api_key="k")
            provider.http = HttpClient(Limits())
            pieces = [ODD[i:j] for i, j in zip([0, *cuts], [*cuts, len(ODD)], strict=True) if i < j]
            upstream.enqueue(*pieces, headers=SSE)
            try:
                return await answer(provider)
            finally:
                await provider.http.close()

    assert asyncio.run(asked()) == EXPECTED


async def test_events_are_given_out_as_they_come(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue(event({"content": "Hi"}), gate, END, DONE, headers=SSE)
    async with aclosing(provider.stream(CHAT)) as batches:
        first = await anext(batches)
        assert first[0].chunk["choices"][0]["delta"] == {"content": "Hi"}
        gate.opened.set()
        assert [event async for events in batches for event in events][-1].chunk["choices"][0][
            "finish_reason"
        ] == "stop"


async def test_a_vendor_asked_for_a_stream_may_answer_whole(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_text("Hello", prompt_tokens=3)
    completion = await answer(provider)
    assert (text(completion), completion["usage"]["prompt_tokens"]) == ("Hello", 3)


async def test_a_stream_with_nothing_in_it_was_cut(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(headers=SSE)
    with pytest.raises(StreamCut, match=r"Acme ended its stream before the answer was complete. Try again."):
        await answer(provider)


async def test_a_connection_broken_within_a_stream_is_a_cut(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_stream("Hel", Cut())
    with pytest.raises(StreamCut, match=r"Acme closed the connection in the middle of its answer. Try again."):
        await answer(provider)


async def test_a_connection_broken_after_done_does_no_harm(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(event({"content": "Hello"}), END, DONE, Cut(), headers=SSE)
    assert text(await answer(provider)) == "Hello"


async def test_an_error_in_a_stream_is_raised_after_what_came_before(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(event({"content": "Hi"}) + sse({"error": {"message": "no luck", "code": 429}}), headers=SSE)
    seen = []
    with pytest.raises(ProviderError, match=r"^Acme: no luck$") as raised:
        async for events in provider.stream(CHAT):
            seen += events
    assert [event.chunk for event in seen] == [chunk({"content": "Hi"})]
    assert raised.value.status == 429
