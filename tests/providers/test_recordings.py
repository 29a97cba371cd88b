"""Every recorded exchange with a vendor that speaks OpenAI's dialect, replayed.

The recordings lie beside the checkout and are not part of it; without them there is nothing to replay.
"""

import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llms.kernel.errors import ProviderError
from llms.providers.assembler import StreamAssembler
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.reading import EventReader
from llms.testing import FakeUpstream

from .asking import CHAT, answer
from .recorded import FILES, FOLDER, body, differences, records

pytestmark = pytest.mark.skipif(not FILES, reason=f"no recorded traffic at {FOLDER.parent.name}/{FOLDER.name}")
every_vendor = pytest.mark.parametrize("file", FILES, ids=lambda path: path.name.split(".")[1])

# Records that are read otherwise than the recording expects, and why that is right. The list may only shrink.
OTHERWISE = dict.fromkeys(
    (
        "openai-chat.cloudflare.881da6852123",
        "openai-chat.cloudflare.a8229c6d32c6",
        "openai-chat.cloudflare.c5ae7c496b13",
    ),
    "structured content, sent as an object: we give its JSON, the recording expects its keys strung together",
)


def mended(found: dict[str, list[str]], file: Path) -> None:
    """Fails for every record that is read otherwise than expected, and for every exception no longer needed."""
    prefix = file.name.removesuffix("jsonl")
    assert {id: told for id, told in found.items() if id not in OTHERWISE} == {}
    assert {id for id in OTHERWISE if id.startswith(prefix)} <= found.keys(), "take these off OTHERWISE"


async def replay(
    file: Path, provider: OpenAiCompatible, vendor: FakeUpstream, cut: Callable[[bytes], list[bytes]]
) -> Any:
    """What is read otherwise than expected, by record."""
    found = {}
    for record in records(file):
        response = record["response"]
        vendor.enqueue(*cut(body(record)), status=response["status"], headers=response["headers"])
        try:
            completion = await (answer(provider) if record["stream"] else provider.chat(CHAT))
        except ProviderError as error:
            told = refused(record["expected"], error)
        else:
            told = differences(record["expected"], completion)
        if told:
            found[record["id"]] = told
    return found


def refused(expected: Any, error: ProviderError) -> list[str]:
    wanted = expected["error"]
    if wanted is None:
        return [f"refused: {error}"]
    status_fits = wanted["status"] == 200 or error.upstream_status == wanted["status"]
    return [] if status_fits and wanted["message"] in str(error) else [f"{error.upstream_status} {error}, not {wanted}"]


@every_vendor
async def test_recorded_answers_read_as_expected(
    file: Path, provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    mended(await replay(file, provider, fake_upstream, lambda data: [data]), file)


@every_vendor
async def test_recorded_answers_cut_anywhere_read_as_expected(
    file: Path, provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    dice = random.Random(file.name)

    def cut(data: bytes) -> list[bytes]:
        places = sorted(dice.sample(range(len(data) + 1), min(5, len(data))))
        pieces = [data[i:j] for i, j in zip([0, *places], [*places, len(data)], strict=True)]
        return [piece for piece in pieces if piece]

    mended(await replay(file, provider, fake_upstream, cut), file)


def read(provider: OpenAiCompatible, stream: bytes, size: int) -> tuple[Any, str | None]:
    """The answer in `stream` fed in pieces of this size, and the error at its end."""
    reader, assembler = EventReader(provider.parse_event, provider="Acme"), StreamAssembler()
    for i in range(0, len(stream), size):
        assembler.feed_all(reader.feed(stream[i : i + size]))
    assembler.feed_all(reader.finish())
    whole = {**assembler.so_far(), "created": None}  # now, where the vendor told no time
    try:
        reader.check()
    except ProviderError as error:
        return whole, str(error)
    return whole, None


@every_vendor
@pytest.mark.parametrize(("size", "longest"), [(1, 8_000), (7, 60_000)])
def test_recorded_streams_in_small_pieces_read_as_in_one(
    file: Path, provider: OpenAiCompatible, monkeypatch: pytest.MonkeyPatch, size: int, longest: int
) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=0))  # ids the vendor left out
    for record in records(file):
        stream = body(record)
        if record["stream"] and record["response"]["status"] == 200 and len(stream) <= longest:
            assert read(provider, stream, size) == read(provider, stream, len(stream)), record["id"]


@every_vendor
def test_recorded_requests_are_sent_as_they_were(file: Path, provider: OpenAiCompatible) -> None:
    for record in records(file):
        given = record["openai_request"]
        chat: Any = record["request"]["body"] if given.get("same_as_request") else given["body"]
        chat.setdefault("model", record["model"])
        sent = json.loads(provider.build_request(chat, stream=record["stream"]))
        options = {**(chat.get("stream_options") or {}), "include_usage": True}
        ours = {"stream": True, "stream_options": options} if record["stream"] else {}
        theirs = {key: value for key, value in chat.items() if key not in ("stream", "stream_options", "metadata")}
        assert sent == {**theirs, **ours}, record["id"]
