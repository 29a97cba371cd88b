"""Every recorded exchange with OpenAI's Completions, replayed.

The recordings lie beside the checkout and are not part of it; without them there is nothing to replay.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llms.extensions.providers.completions import CompletionsProvider
from llms.kernel.errors import ProviderError
from llms.providers.assembler import StreamAssembler
from llms.providers.http import HttpClient
from llms.testing import FakeUpstream

from .records import FOLDER, body, files, records
from .table import Table

FILES = files("openai-completions")

pytestmark = pytest.mark.skipif(not FILES, reason=f"no recorded traffic at {FOLDER.parent.name}/{FOLDER.name}")
every_vendor = pytest.mark.parametrize("file", FILES, ids=lambda path: path.name.removesuffix(".jsonl"))

SENT_OTHERWISE = dict.fromkeys(
    (
        "openai-completions.openai.68d2e7b238e1",
        "openai-completions.openai.43f09f8f527d",
        "openai-completions.openai.4bf6b2bf42be",
    ),
    "several prompts at once, or tokens, which no chat says",
)


def chat(record: Any) -> Any:
    """What a client would have asked to send the recorded request; of several prompts the first."""
    asked = dict(record["request"]["body"])
    prompt = asked.pop("prompt")
    text = str(prompt[0]) if isinstance(prompt, list) else prompt
    return {**asked, "messages": [{"role": "user", "content": text}]}


def in_one(data: bytes) -> list[bytes]:
    return [data]


def by_bytes(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def anywhere(data: bytes) -> list[bytes]:
    dice = random.Random(len(data))
    places = sorted(dice.sample(range(1, len(data)), 5))
    return [data[i:j] for i, j in zip([0, *places], [*places, len(data)], strict=True)]


async def answered(record: Any, provider: CompletionsProvider) -> Any:
    if not record["stream"]:
        return await provider.chat(chat(record))
    assembler = StreamAssembler()
    async for events in provider.stream(chat(record)):
        assembler.feed_all(events)
    return assembler.so_far()


async def replayed(
    record: Any, http: HttpClient, vendor: FakeUpstream, cut: Callable[[bytes], list[bytes]] = in_one
) -> list[str]:
    """What is read otherwise than expected."""
    response, expected = record["response"], record["expected"]
    vendor.enqueue(*cut(body(record)), status=response["status"], headers=response["headers"])
    provider = CompletionsProvider(id="acme", name="Acme", api=vendor.url, api_key="key-0123456789")
    provider.http = http
    try:
        completion = await answered(record, provider)
    except ProviderError as error:
        wanted = expected.get("error") or {"status": 0, "message": "no error"}
        fits = error.upstream_status == wanted["status"] and wanted["message"] in str(error)
        return [] if fits else [f"refused: {error}"]
    choice, usage = completion["choices"][0], completion.get("usage") or {}
    counts = {name: count for name, count in (expected["usage"] or {}).items() if count is not None}
    told = {
        "text": choice["message"]["content"] or "",
        "finish_reason": choice["finish_reason"],
        "usage": {name: usage.get(name) for name in counts},
    }
    wanted = {**expected, "usage": counts}
    return [f"{key}: {told[key]!r}, not {wanted[key]!r}" for key in told if told[key] != wanted[key]]


@every_vendor
@pytest.mark.parametrize(("column", "cut"), [("whole", in_one), ("cut anywhere", anywhere), ("byte by byte", by_bytes)])
async def test_recorded_answers_read_as_expected(
    file: Path, *, column: str, cut: Any, http: HttpClient, fake_upstream: FakeUpstream, table: Table
) -> None:
    only_streams = column == "byte by byte"
    found = {}
    for record in records(file):
        if (record["stream"] or not only_streams) and (told := await replayed(record, http, fake_upstream, cut)):
            found[record["id"]] = told
    table.add("openai-completions", column, file, found, streams=only_streams)
    assert found == {}


@every_vendor
async def test_recorded_requests_are_sent_as_they_were(
    file: Path, http: HttpClient, fake_upstream: FakeUpstream, table: Table
) -> None:
    found = {}
    for record in records(file):
        await replayed(record, http, fake_upstream)
        sent = fake_upstream.requests[-1]
        assert sent.path == record["request"]["path"], record["id"]
        if meaning(sent.body) != meaning(record["request"]["body"]):
            found[record["id"]] = f"{sent.body}"
    table.add("openai-completions", "sent", file, found)
    assert found.keys() == SENT_OTHERWISE.keys()


def meaning(request: Any) -> Any:
    """`request` without what says nothing; one prompt is the same as a list of one."""
    said = {name: value for name, value in request.items() if value is not None and name != "stream_options"}
    prompt = said["prompt"]
    return {**said, "prompt": [prompt] if isinstance(prompt, str) else prompt}
