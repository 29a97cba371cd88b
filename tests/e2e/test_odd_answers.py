"""Vendors whose answers are odd in their details, in five dialects: a good answer comes of it, or a clear error."""

import base64
import json
import struct
import zlib
from typing import Any

import pytest

from llms.testing import FakeUpstream

from .answers import STREAMED, Heard, ask, dialects, heard_events, heard_whole, serving, whole_and_streamed
from .dialects import ANTHROPIC, BEDROCK, GEMINI, OPENAI, RESPONSES, Dialect, gemini_called

OTHERS = ("anthropic", "responses", "gemini", "bedrock")  # whose words are translated


def changed(value: Any, of: Any, to: Any) -> Any:
    """A copy of `value` with `to` wherever there was `of`."""
    if isinstance(value, dict):
        return {name: changed(inner, of, to) for name, inner in value.items()}
    if isinstance(value, list):
        return [changed(inner, of, to) for inner in value]
    return to if value == of and type(value) is type(of) else value


def with_usage(value: Any, usage: Any) -> Any:
    """A copy of `value` with `usage` wherever tokens are counted; without it where that is None."""
    if isinstance(value, list):
        return [with_usage(inner, usage) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {name: with_usage(inner, usage) for name, inner in value.items()}
    for name in ("usage", "usageMetadata"):
        if name in kept and usage is None:
            del kept[name]
        elif name in kept:
            kept[name] = usage
    return kept


async def heard_both(dialect: Dialect, upstream: FakeUpstream, whole: Any, events: list[Any], streamed: bool) -> Heard:
    return await (heard_events(dialect, upstream, *events) if streamed else heard_whole(dialect, upstream, whole))


def check_error(said: Heard) -> None:
    """A clear error, whether before the answer or at its end."""
    assert said.status in (200, 502)
    assert said.error.lower().startswith("vendor answered")
    assert not said.is_done


# -- tool calls --------------------------------------------------------------------------------------------------


@whole_and_streamed(
    known=dict.fromkeys(
        ("openai-whole", "openai-streamed", "anthropic-whole", "bedrock-whole"), "its null reaches the client"
    )
)
async def test_a_call_without_id_is_given_one(dialect: Dialect, streamed: bool, fake_upstream: FakeUpstream) -> None:
    events = dialect.calls('{"word":', '"code"}', id=None)
    said = await heard_both(dialect, fake_upstream, dialect.call(id=None), events, streamed)
    ((id, name, arguments),) = said.calls
    assert isinstance(id, str)
    assert (name, json.loads(arguments)) == ("look_up", {"word": "code"})


def twice_begun(dialect: Dialect, *, id: str) -> list[Any]:
    """A stream of two calls at the same place, of which the second has this id."""
    if dialect is GEMINI:
        return [gemini_called(), gemini_called(id=id), *dialect.texts()]
    return [*dialect.calls('{"word":', '"code"}')[: -dialect.tail], *dialect.calls('{"word":"code"}', id=id)]


@dialects(known={"openai": "places are relayed as they are", "responses": "the arguments of both are joined"})
async def test_calls_at_the_same_place_are_told_apart(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    said = await heard_events(dialect, fake_upstream, *twice_begun(dialect, id="call_2"))
    assert [(id, json.loads(arguments)) for id, _, arguments in said.calls] == [
        ("call_1", {"word": "code"}),
        ("call_2", {"word": "code"}),
    ]


@dialects(
    but=(OPENAI,), known={"responses": "the arguments of both are joined"}
)  # there, pieces of the same id and place are one call
async def test_calls_of_the_same_id_are_told_apart(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    said = await heard_events(dialect, fake_upstream, *twice_begun(dialect, id="call_1"))
    assert [json.loads(arguments) for _, _, arguments in said.calls] == [{"word": "code"}] * 2


@dialects(but=(GEMINI,))  # whose calls are objects
async def test_arguments_that_are_no_json_are_the_models(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    said = await heard_events(dialect, fake_upstream, *dialect.calls('{"word":', '"co'))
    assert [arguments for _, _, arguments in said.calls] == ['{"word":"co']


@dialects(
    but=(OPENAI, GEMINI), known={"responses": "the piece is lost", "bedrock": "the piece is lost"}
)  # whose pieces have nothing that tells their order
async def test_pieces_before_their_call_break_no_arguments(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    begins, call, piece, *rest = dialect.calls('{"word":', '"code"}')
    said = await heard_events(dialect, fake_upstream, begins, piece, call, *rest)
    if said.error:
        check_error(said)
    else:
        assert [json.loads(arguments) for _, _, arguments in said.calls] == [{"word": "code"}]


# -- what stands where something else should ---------------------------------------------------------------------


@whole_and_streamed(known={f"{name}-streamed": "what a translator says is not checked in streams" for name in OTHERS})
async def test_a_number_for_a_name_never_reaches_the_client(
    dialect: Dialect, streamed: bool, fake_upstream: FakeUpstream
) -> None:
    whole, events = (changed(said, "look_up", 7) for said in (dialect.call(), dialect.calls('{"word":"code"}')))
    said = await heard_both(dialect, fake_upstream, whole, events, streamed)
    assert not any(name == 7 for _, name, _ in said.calls)
    if dialect is not RESPONSES:  # which tells names of calls twice
        check_error(said)


@dialects(known=dict.fromkeys(("anthropic", "responses", "gemini"), "what a translator says is not checked in streams"))
async def test_an_object_for_a_text_never_reaches_the_client(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    events = changed(dialect.texts("some"), "some", {"a": 1})
    said = await heard_events(dialect, fake_upstream, *events)
    deltas = [choice["delta"] for chunk in said.chunks for choice in chunk.get("choices", ())]
    assert all(isinstance(delta.get("content"), str | None) for delta in deltas)


@dialects(known={"gemini": "what a translator says is not checked in streams"})
async def test_a_place_that_is_no_number_never_reaches_the_client(
    dialect: Dialect, fake_upstream: FakeUpstream
) -> None:
    events = dialect.texts("some")
    for name in ("index", "contentBlockIndex", "output_index"):
        events = with_place(events, name, "zero")
    said = await heard_events(dialect, fake_upstream, *events)
    choices = [choice for chunk in said.chunks for choice in chunk.get("choices", ())]
    assert all(isinstance(choice["index"], int) for choice in choices)
    assert said.error or said.text == "some"


def with_place(value: Any, name: str, place: Any) -> Any:
    """A copy of `value` in which every `name` is `place`."""
    if isinstance(value, list):
        return [with_place(inner, name, place) for inner in value]
    if not isinstance(value, dict):
        return value
    return {key: place if key == name else with_place(inner, name, place) for key, inner in value.items()}


@dialects()
async def test_null_for_a_piece_of_text_is_nothing_or_an_error(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    said = await heard_events(dialect, fake_upstream, *changed(dialect.texts("so", "me"), "so", None))
    if said.error:
        check_error(said)
    else:
        assert said.text == "me"


EMPTY: dict[str, tuple[Dialect, Any]] = {
    "openai": (OPENAI, {"choices": []}),
    "anthropic": (ANTHROPIC, {"content": None}),
    "gemini": (GEMINI, {"candidates": []}),
    "gemini null": (GEMINI, {"candidates": None}),
    "bedrock": (BEDROCK, {"output": {"message": None}}),
}


@pytest.mark.parametrize(("dialect", "nothing"), EMPTY.values(), ids=EMPTY)
async def test_an_answer_that_holds_nothing_is_an_error(
    dialect: Dialect, nothing: Any, fake_upstream: FakeUpstream
) -> None:
    said = await heard_whole(dialect, fake_upstream, {**dialect.text("some"), **nothing})
    assert said.status == 502
    assert "endor" in said.error
    assert said.error.endswith((".", "`npm`."))


NULL_DELTAS: dict[str, tuple[Dialect, Any]] = {
    "openai choice": (OPENAI, {"choices": [{"index": 0, "delta": None, "finish_reason": None}]}),
    "openai choices": (OPENAI, {"choices": None}),
    "openai no choices": (OPENAI, {"choices": []}),
    "openai content": (OPENAI, {"choices": [{"index": 0, "delta": {"content": None, "tool_calls": None}}]}),
    "openai nothing": (OPENAI, {}),
    "anthropic": (
        ANTHROPIC,
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": None}},
    ),
    "gemini": (GEMINI, {"candidates": [{"content": None}]}),
    "gemini no parts": (GEMINI, {"candidates": [{"content": {"parts": None}}]}),
    "bedrock": (BEDROCK, {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {}}}),
}


@pytest.mark.parametrize(("dialect", "event"), NULL_DELTAS.values(), ids=NULL_DELTAS)
async def test_an_event_that_adds_nothing_does_no_harm(
    dialect: Dialect, event: Any, fake_upstream: FakeUpstream
) -> None:
    *events, last = dialect.texts("so", "me")
    at = 3 if dialect is ANTHROPIC else 2
    said = await heard_events(dialect, fake_upstream, *events[:at], event, *events[at:], last)
    assert (said.text, said.ends, said.error) == ("some", ["stop"], "")


@dialects()
async def test_events_of_unknown_types_do_no_harm(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    events = dialect.texts("so", "me")
    unknown = {"mystery": {"new": [1]}} if dialect is BEDROCK else {"type": "mystery", "new": [1]}
    said = await heard_events(dialect, fake_upstream, *events[:-1], unknown, events[-1])
    assert (said.text, said.ends, said.error) == ("some", ["stop"], "")


@pytest.mark.xfail(strict=True, reason="what the last event repeats is told again")
async def test_an_output_whose_places_begin_at_one_is_told_once(fake_upstream: FakeUpstream) -> None:
    events = with_place(RESPONSES.texts("so", "me"), "output_index", 1)
    assert (await heard_events(RESPONSES, fake_upstream, *events)).text == "some"


# -- usage -------------------------------------------------------------------------------------------------------

COUNTED = {
    "prompt_tokens": 3,
    "completion_tokens": 2,
    "total_tokens": 5,
    "input_tokens": 3,
    "output_tokens": 2,
    "promptTokenCount": 3,
    "candidatesTokenCount": 2,
    "totalTokenCount": 5,
    "inputTokens": 3,
    "outputTokens": 2,
    "totalTokens": 5,
}


@whole_and_streamed()
async def test_an_answer_may_tell_no_usage(dialect: Dialect, streamed: bool, fake_upstream: FakeUpstream) -> None:
    whole, events = (with_usage(said, None) for said in (dialect.text("some"), dialect.texts("so", "me")))
    assert (await heard_both(dialect, fake_upstream, whole, events, streamed)).text == "some"


@dialects(but=(BEDROCK,))  # whose usage is an event of its own
async def test_usage_in_every_event_is_counted_once(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    name = "usageMetadata" if dialect is GEMINI else "usage"
    events = with_usage([{**event, name: {}} for event in dialect.texts("so", "me")], COUNTED)
    fake_upstream.enqueue(*dialect.framed(*events), headers=dialect.headers)
    async with serving(dialect, fake_upstream) as server:
        said = await ask(server, stream=True, stream_options={"include_usage": True})
    (usage,) = said.usages
    assert (usage["prompt_tokens"], usage["completion_tokens"], said.text) == (3, 2, "some")


@whole_and_streamed(
    known={
        f"{name}-{kind}": "it is counted before it is looked at" for name in OTHERS for kind in ("whole", "streamed")
    }
)
@pytest.mark.parametrize("usage", ["many", [1]], ids=["a text", "a list"])
async def test_usage_that_cannot_be_read_spoils_no_answer(
    dialect: Dialect, usage: Any, streamed: bool, fake_upstream: FakeUpstream
) -> None:
    whole, events = (with_usage(said, usage) for said in (dialect.text("some"), dialect.texts("so", "me")))
    said = await heard_both(dialect, fake_upstream, whole, events, streamed)
    assert (said.text, said.error) == ("some", "")


# -- attachments -------------------------------------------------------------------------------------------------


def bomb() -> str:
    """A PNG of a few bytes that says it has 16 gigapixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 2**17, 2**17, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(b"\0" * 100))
    png = b"".join(struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks)
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + png).decode()


@STREAMED
@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("data:image/png;base64,@@@", "base64"),
        (bomb(), "megapixels"),
        ("http://127.0.0.1:1/x.png", "is not on the public internet"),
        ("http://[::ffff:169.254.169.254]/x.png", "is not on the public internet"),
    ],
    ids=["no base64", "a bomb", "a private address", "a disguised address"],
)
async def test_a_bad_image_is_refused_before_the_vendor_is_asked(
    url: str, why: str, streamed: bool, fake_upstream: FakeUpstream
) -> None:
    messages = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]
    async with serving(OPENAI, fake_upstream) as server:
        said = await ask(server, messages, stream=streamed)
    assert (said.status, fake_upstream.requests) == (400, [])
    assert said.error.startswith("Invalid image: ")
    assert why in said.error


@STREAMED
@pytest.mark.parametrize(
    "mime",
    [
        pytest.param("image/png", marks=pytest.mark.xfail(strict=True, reason="only sound is decoded")),
        "audio/L16;rate=24000",
    ],
)
async def test_media_of_the_vendor_that_are_no_base64_are_an_error(
    mime: str, streamed: bool, fake_upstream: FakeUpstream
) -> None:
    part = {"inlineData": {"mimeType": mime, "data": "@@@"}}
    answer = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}
    said = await heard_both(GEMINI, fake_upstream, answer, [answer], streamed)
    check_error(said)
