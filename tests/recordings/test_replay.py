"""Every recorded exchange with a vendor, replayed through the provider class that speaks its dialect.

A dialect is replayed by the module in `dialects` that has its name. Such a module says with `provider(record, api)` who
is asked; with `OTHERWISE` which records are read, and with `SENT_OTHERWISE` which are sent, otherwise than recorded,
and why that is right; with `request_differences(record, chat, sent)` what a request says that the recorded one does
not, or the other way round. With `told(completion)` it may tell what else of an answer was recorded, and with
`asked(provider, chat)` what becomes of a chat before it reaches the provider.
"""

import importlib
import json
import pkgutil
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llms.kernel.errors import ProviderError
from llms.providers.assembler import StreamAssembler
from llms.providers.openai_compatible import OpenAiCompatible
from llms.testing import FakeUpstream

from . import dialects
from .records import FOLDER, body, differences, files, records
from .table import Table

ADAPTERS = {
    module.name.replace("_", "-"): importlib.import_module(f".dialects.{module.name}", __package__)
    for module in pkgutil.iter_modules(dialects.__path__)
}
FILES = [(dialect, file) for dialect in ADAPTERS for file in files(dialect)]
CHAT: Any = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}

pytestmark = pytest.mark.skipif(not FILES, reason=f"no recorded traffic at {FOLDER.parent.name}/{FOLDER.name}")
every_vendor = pytest.mark.parametrize(
    ("dialect", "file"), FILES, ids=[file.name.removesuffix(".jsonl") for _, file in FILES]
)


def mended(found: dict[str, list[str]], otherwise: Any, file: Path) -> None:
    """Fails for every record that is read otherwise than expected, and for every exception no longer needed."""
    prefix = file.name.removesuffix("jsonl")
    assert {id: told for id, told in found.items() if id not in otherwise} == {}
    assert {id for id in otherwise if id.startswith(prefix)} <= found.keys(), "take these off the list of exceptions"


async def answer(provider: OpenAiCompatible, record: Any) -> Any:
    """The answer as one completion, streamed where the record is."""
    chat: Any = {**CHAT, "model": record["model"] or CHAT["model"]}
    if not record["stream"]:
        return await provider.chat(chat)
    assembler = StreamAssembler()
    async for events in provider.stream(chat):
        assembler.feed_all(events)
    return assembler.so_far()


async def replay(
    dialect: str, file: Path, http: Any, vendor: FakeUpstream, cut: Callable[[bytes], list[bytes]]
) -> dict[str, list[str]]:
    """What is read otherwise than expected, by record."""
    adapter, found = ADAPTERS[dialect], {}
    for record in records(file):
        provider = adapter.provider(record, vendor.url)
        provider.http = http
        response = record["response"]
        vendor.enqueue(*cut(body(record)), status=response["status"], headers=response["headers"])
        try:
            completion = await answer(provider, record)
        except ProviderError as error:
            told = refused(record["expected"], error)
        else:
            more = adapter.told(completion) if hasattr(adapter, "told") else {}
            told = differences(record["expected"], completion, **more)
            if record["expected"]["error"] is not None:
                told.append("not refused")
        if told:
            found[record["id"]] = told
    return found


def refused(expected: Any, error: ProviderError) -> list[str]:
    wanted = expected["error"]
    if wanted is None:
        return [f"refused: {error}"]
    status_fits = wanted["status"] == 200 or error.upstream_status == wanted["status"]
    fits = status_fits and (wanted["message"] or "") in str(error)
    return [] if fits else [f"{error.upstream_status} {error}, not {wanted}"]


@every_vendor
async def test_recorded_answers_read_as_expected(
    dialect: str, file: Path, http: Any, fake_upstream: FakeUpstream, table: Table
) -> None:
    found = await replay(dialect, file, http, fake_upstream, lambda data: [data])
    table.add(dialect, "whole", file, found)
    mended(found, ADAPTERS[dialect].OTHERWISE, file)


@every_vendor
async def test_recorded_answers_cut_anywhere_read_as_expected(
    dialect: str, file: Path, http: Any, fake_upstream: FakeUpstream, table: Table
) -> None:
    dice = random.Random(file.name)

    def cut(data: bytes) -> list[bytes]:
        places = sorted(dice.sample(range(len(data) + 1), min(5, len(data))))
        pieces = [data[i:j] for i, j in zip([0, *places], [*places, len(data)], strict=True)]
        return [piece for piece in pieces if piece]

    found = await replay(dialect, file, http, fake_upstream, cut)
    table.add(dialect, "cut anywhere", file, found)
    mended(found, ADAPTERS[dialect].OTHERWISE, file)


def read(provider: OpenAiCompatible, stream: bytes, size: int) -> tuple[Any, str | None]:
    """The answer in `stream` fed in pieces of this size, and the error at its end."""
    reader, assembler = provider.reader(), StreamAssembler()
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
def test_recorded_streams_byte_by_byte_read_as_in_one(
    dialect: str, file: Path, monkeypatch: pytest.MonkeyPatch, table: Table
) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=0))  # ids the vendor left out
    found = {}
    for record in records(file):
        stream, provider = body(record), ADAPTERS[dialect].provider(record, "http://127.0.0.1:9")
        if record["stream"] and record["response"]["status"] == 200:
            size = 1 if len(stream) <= 20_000 else 7  # a megabyte byte by byte takes a second and shows no more
            if read(provider, stream, size) != read(provider, stream, len(stream)):
                found[record["id"]] = ["differs"]
    table.add(dialect, "byte by byte", file, found, streams=True)
    assert not found


@every_vendor
def test_recorded_requests_are_sent_as_they_were(dialect: str, file: Path, table: Table) -> None:
    adapter, found = ADAPTERS[dialect], {}
    for record in records(file):
        given = record["openai_request"]
        chat: Any = record["request"]["body"] if given.get("same_as_request") else given["body"]
        chat.setdefault("model", record["model"])
        provider = adapter.provider(record, "http://127.0.0.1:9")
        shown = adapter.asked(provider, chat) if hasattr(adapter, "asked") else chat
        sent = json.loads(provider.build_request(shown, stream=record["stream"]))
        if told := adapter.request_differences(record, chat, sent):
            found[record["id"]] = told
    table.add(dialect, "sent", file, found)
    mended(found, getattr(adapter, "SENT_OTHERWISE", {}), file)
