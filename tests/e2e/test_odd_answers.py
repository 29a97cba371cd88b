"""Vendors whose answers are odd in their details, in five dialects: a good answer comes of it, or a clear error."""

import base64
import json
import struct
import zlib
from typing import Any

import pytest

from llms.testing import FakeUpstream

from .answers import STREAMED, Heard, ask, dialects, heard_events, heard_whole, serving, whole_and_streamed
from .dialects import GEMINI, OPENAI, Dialect, gemini_called


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


@whole_and_streamed()
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


@dialects()
async def test_calls_at_the_same_place_are_told_apart(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    said = await heard_events(dialect, fake_upstream, *twice_begun(dialect, id="call_2"))
    assert [(id, json.loads(arguments)) for id, _, arguments in said.calls] == [
        ("call_1", {"word": "code"}),
        ("call_2", {"word": "code"}),
    ]


@dialects(but=(OPENAI,))  # there, pieces of the same id and place are one call
async def test_calls_of_the_same_id_are_told_apart(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    said = await heard_events(dialect, fake_upstream, *twice_begun(dialect, id="call_1"))
    assert [json.loads(arguments) for _, _, arguments in said.calls] == [{"word": "code"}] * 2


@dialects(but=(GEMINI,))  # whose calls are objects
async def test_arguments_that_are_no_json_are_the_models(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    said = await heard_events(dialect, fake_upstream, *dialect.calls('{"word":', '"co'))
    assert [arguments for _, _, arguments in said.calls] == ['{"word":"co']


@dialects(but=(OPENAI, GEMINI))  # whose pieces have nothing that tells their order
async def test_pieces_before_their_call_break_no_arguments(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    begins, call, piece, *rest = dialect.calls('{"word":', '"code"}')
    said = await heard_events(dialect, fake_upstream, begins, piece, call, *rest)
    if said.error:
        check_error(said)
    else:
        assert [json.loads(arguments) for _, _, arguments in said.calls] == [{"word": "code"}]


# -- what stands where something else should ---------------------------------------------------------------------


@whole_and_streamed()
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
@pytest.mark.parametrize("mime", ["image/png", "audio/L16;rate=24000"])
async def test_media_of_the_vendor_that_are_no_base64_are_an_error(
    mime: str, streamed: bool, fake_upstream: FakeUpstream
) -> None:
    part = {"inlineData": {"mimeType": mime, "data": "@@@"}}
    answer = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}
    said = await heard_both(GEMINI, fake_upstream, answer, [answer], streamed)
    check_error(said)
