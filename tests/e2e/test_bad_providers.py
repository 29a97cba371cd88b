"""Vendors that answer badly, in five dialects: our client gets a clear error, or a good answer where it does no harm.

What holds for every one of them: nothing hangs, no bug is logged, and the next request to the same vendor is answered.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from llms.kernel.log import HumanLines
from llms.testing import Cut, FakeUpstream

from .answers import KEY, STREAMED, Heard, ask, dialects, heard, heard_events, heard_whole, serving
from .dialects import BEDROCK, JSON, OPENAI, Dialect, amazon_frame

CHECK_API, TRY_AGAIN = "Check its `api` URL.", "Try again."


def check_refused(said: Heard, *fixes: str) -> None:
    assert said.status == 502
    assert said.error.startswith("Vendor")
    assert said.error.endswith(fixes or (CHECK_API, TRY_AGAIN))
    assert len(said.body) < 2000


# -- answers that are none ---------------------------------------------------------------------------------------


def cut(body: bytes) -> bytes:
    return body[:-9]


def deep(body: bytes) -> bytes:
    return body[:-1] + b',"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}"


BAD_BODIES: dict[str, Callable[[bytes], bytes]] = {
    "HTML": lambda _: b"<html>Bad gateway</html>",
    "empty": lambda _: b"",
    "an array": lambda _: b"[]",
    "cut": cut,
    "NaN": lambda body: body[:-1] + b',"x":NaN}',
    "deeply nested": deep,
    "half a character": lambda body: body.replace(b"fine", b"\xc3"),
    "half a pair": lambda body: body.replace(b"fine", b"\\ud83d"),
}


@STREAMED
@dialects()
@pytest.mark.parametrize("spoil", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_body_that_is_no_answer_names_the_provider_and_the_fix(
    dialect: Dialect, spoil: Callable[[bytes], bytes], streamed: bool, fake_upstream: FakeUpstream
) -> None:
    body = spoil(json.dumps(dialect.text("fine")).encode())
    check_refused(await heard(dialect, fake_upstream, body, streamed=streamed, headers=JSON))


@STREAMED
@dialects()
async def test_a_web_page_is_no_answer(dialect: Dialect, streamed: bool, fake_upstream: FakeUpstream) -> None:
    page = {"headers": {"Content-Type": "text/html"}}
    check_refused(await heard(dialect, fake_upstream, b"<html>Log in</html>", streamed=streamed, **page), CHECK_API)


@STREAMED
@dialects()
async def test_gzip_that_is_none_is_an_error(dialect: Dialect, streamed: bool, fake_upstream: FakeUpstream) -> None:
    headers = {"Content-Type": dialect.mime if streamed else "application/json", "Content-Encoding": "gzip"}
    check_refused(await heard(dialect, fake_upstream, b"not gzip at all", streamed=streamed, headers=headers))


@STREAMED
@dialects()
async def test_no_content_is_no_answer(dialect: Dialect, streamed: bool, fake_upstream: FakeUpstream) -> None:
    check_refused(await heard(dialect, fake_upstream, streamed=streamed, status=204, headers={}))


@STREAMED
@dialects()
async def test_a_redirect_to_a_private_address_is_not_followed(
    dialect: Dialect, streamed: bool, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue(status=301, headers={"Location": f"{fake_upstream.url}/elsewhere"})
    async with serving(dialect, fake_upstream) as server:
        said = await ask(server, stream=streamed)
    assert (said.status, len(fake_upstream.requests)) == (502, 1)
    assert said.error.startswith("Vendor: HTTP 301")
    assert "correct this provider's `api` URL" in said.error


@dialects()
async def test_the_type_of_a_stream_may_be_told_wrongly(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    wrong = {"headers": {"Content-Type": "application/octet-stream"}}
    said = await heard(dialect, fake_upstream, *dialect.framed(*dialect.texts("so", "me")), streamed=True, **wrong)
    assert (said.text, said.ends) == ("some", ["stop"])


@STREAMED
@dialects()
async def test_the_charset_of_an_answer_may_be_nonsense(
    dialect: Dialect, streamed: bool, fake_upstream: FakeUpstream
) -> None:
    wrong = {"headers": {"Content-Type": "application/json; charset=nonsense"}}
    body = json.dumps(dialect.text("é"), ensure_ascii=False).encode()
    assert (await heard(dialect, fake_upstream, body, streamed=streamed, **wrong)).text == "é"


# -- providers that cannot be used -------------------------------------------------------------------------------


@dialects(but=(BEDROCK,))  # whose credentials may stand in many places: see test_aws.py
async def test_a_provider_without_its_key_is_told_of_at_the_start(
    dialect: Dialect, fake_upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serving(dialect, fake_upstream, api_key=None, env=["NO_SUCH_KEY"]) as server:
        said = await ask(server)
    assert "Provider vendor is skipped: Provider 'Vendor' requires API Key NO_SUCH_KEY" in caplog.text
    assert (said.status, fake_upstream.requests) == (404, [])
    assert said.error.startswith("Model 'm' not found: no provider is ready. Set an API key")


async def test_a_provider_of_an_unknown_npm_is_told_of_at_the_start(
    fake_upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serving(OPENAI, fake_upstream, npm="@ai-sdk/unheard-of") as server:
        said = await ask(server)
    why = "Provider vendor is skipped: Provider 'vendor' needs an extension that speaks @ai-sdk/unheard-of"
    assert why in caplog.text
    assert (said.status, fake_upstream.requests) == (404, [])


@STREAMED
@dialects()
async def test_a_refused_key_stands_neither_in_the_answer_nor_in_the_log(
    dialect: Dialect, streamed: bool, fake_upstream: FakeUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"message": f"No such key: {KEY}"}).encode()
    fake_upstream.enqueue(body, status=401)
    async with serving(dialect, fake_upstream) as server:
        said = await ask(server, stream=streamed)
        lines = HumanLines(server.app.secrets, traces=True, prefix="")
    assert (said.status, said.error) == (401, "Vendor: No such key: *** (check this provider's API key)")
    assert KEY not in said.body.decode()
    assert KEY not in "\n".join(map(lines.format, caplog.records))


@STREAMED
@dialects()
async def test_a_model_that_vanished_is_a_404_in_the_vendors_words(
    dialect: Dialect, streamed: bool, fake_upstream: FakeUpstream
) -> None:
    fake_upstream.enqueue_error(404, "There is no model m.")
    async with serving(dialect, fake_upstream) as server:
        said = await ask(server, stream=streamed)
    assert said.status == 404
    assert said.error.startswith("Vendor: There is no model m.")


# -- streams that break ------------------------------------------------------------------------------------------


@dialects()
async def test_an_error_that_begins_a_stream_has_its_status(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    said = await heard_events(dialect, fake_upstream, dialect.error)
    assert (said.status, said.error) == (429, "Vendor: The vendor broke.")


@dialects()
async def test_an_error_inside_a_stream_comes_last(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    events = dialect.texts("so", "me")[: -dialect.tail]
    said = await heard_events(dialect, fake_upstream, *events, dialect.error)
    assert (said.status, said.text, said.error, said.ends) == (200, "some", "Vendor: The vendor broke.", [])
    assert not said.is_done


@dialects()
@pytest.mark.parametrize("end", [[], [Cut()]], ids=["ended", "cut"])
async def test_a_connection_closed_within_arguments_is_told(
    dialect: Dialect, end: list[Any], fake_upstream: FakeUpstream
) -> None:
    pieces = dialect.framed(*dialect.calls('{"word":"co', 'de"}')[:3])
    said = await heard(dialect, fake_upstream, *pieces, *end, streamed=True)
    assert said.error.startswith("Vendor ")
    assert said.error.endswith(TRY_AGAIN)
    assert (said.ends, said.is_done) == ([], False)


@dialects()
async def test_a_stream_that_never_says_why_it_ended_was_cut(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    said = await heard_events(dialect, fake_upstream, *dialect.texts("so", "me")[: -dialect.tail])
    assert said.text == "some"
    assert said.error == "Vendor ended its stream before the answer was complete. Try again."


BAD_EVENTS = {"NaN": b"NaN", "deeply nested": b"[" * 50_000 + b"]" * 50_000, "half a character": b'"\xc3"'}


@dialects()
@pytest.mark.parametrize("bad", BAD_EVENTS.values(), ids=BAD_EVENTS)
async def test_an_event_that_is_no_json_ends_the_stream(
    dialect: Dialect, bad: bytes, fake_upstream: FakeUpstream
) -> None:
    events = dialect.framed(*dialect.texts("so", "me"))
    spoiled = amazon_frame({"mystery": {}}, bad) if dialect is BEDROCK else b'data: {"x":' + bad + b"}\n\n"
    said = await heard(dialect, fake_upstream, *events[:-1], spoiled, events[-1], streamed=True)
    assert said.error.startswith("Vendor answered with something that is not a JSON object")
    assert said.error.endswith(CHECK_API)
    assert (len(said.error) < 300, said.is_done) == (True, False)


# -- much --------------------------------------------------------------------------------------------------------

HUGE = json.dumps({"word": "x" * 3_000_000})


@dialects()
async def test_arguments_of_megabytes_arrive(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    ((_, _, arguments),) = (await heard_whole(dialect, fake_upstream, dialect.call(arguments=HUGE))).calls
    assert json.loads(arguments) == json.loads(HUGE)


@dialects()
async def test_arguments_of_megabytes_arrive_streamed(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    ((_, _, arguments),) = (await heard_events(dialect, fake_upstream, *dialect.calls(HUGE))).calls
    assert json.loads(arguments) == json.loads(HUGE)


@dialects()
async def test_arguments_in_very_many_pieces_arrive(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    whole = json.dumps({"word": "x" * 20_000})
    stream = b"".join(dialect.framed(*dialect.calls(*whole)))
    ((_, _, arguments),) = (await heard(dialect, fake_upstream, stream, streamed=True)).calls
    assert json.loads(arguments) == json.loads(whole)


@dialects()
async def test_an_event_of_ten_megabytes_arrives(dialect: Dialect, fake_upstream: FakeUpstream) -> None:
    said = await heard_events(dialect, fake_upstream, *dialect.texts("x" * 10_000_000))
    assert (len(said.text), said.ends) == (10_000_000, ["stop"])
