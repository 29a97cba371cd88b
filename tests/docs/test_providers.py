"""The samples of the page about providers do what its text says: a vendor in one row, a dialect in one file."""

import dataclasses
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from llms.api import DialectProvider, Vendor
from llms.extensions.providers.generators.catalog import GENERATORS
from llms.testing import FakeUpstream, make_app
from llms.testing.app import TestServer
from llms.testing.upstream import sse

from .pages import blocks, page

PROVIDERS = Path(__file__).parents[2] / "llms/extensions/providers"


@asynccontextmanager
async def server(folder: Path, sample: str, upstream: FakeUpstream, **entry: Any) -> AsyncIterator[TestServer]:
    """A server with the sample that has this word in it, and a provider of it."""
    (folder / "sample").mkdir()
    source = next(block for block in blocks("providers.md", "python") if sample in block)
    (folder / "sample/__init__.py").write_text(source, "utf-8")
    given = {"api": upstream.url, "api_key": "test-key-0123456789", "models": {"m": {}}, **entry}
    async with make_app(folder / "sample", config={"providers": {"mine": given}}) as running:
        yield running


async def test_the_entry_is_all_a_compatible_url_takes(fake_upstream: FakeUpstream) -> None:
    config = json.loads(blocks("providers.md", "json")[0])
    config["providers"]["acme"]["api"] = fake_upstream.url
    async with make_app(PROVIDERS, config=config, environ={"ACME_API_KEY": "acme-key-0123456789"}) as running:
        reply = await running.chat(model="Acme Large")
    assert reply.text == "ok"
    assert reply.body["cost"] == pytest.approx(2.5e-6, abs=1e-6)
    assert fake_upstream.requests[0].headers["Authorization"] == "Bearer acme-key-0123456789"


async def test_the_row_is_heeded(tmp_path: Path, fake_upstream: FakeUpstream) -> None:
    async with server(tmp_path, "vendor_classes", fake_upstream, npm="acme") as running:
        await running.chat(model="m", seed=7, max_completion_tokens=9, tool_choice="required", logit_bias={"1": 1})
    body = fake_upstream.requests[0].body
    assert (body["random_seed"], body["max_tokens"], body["tool_choice"]) == (7, 9, "any")
    assert "logit_bias" not in body


async def test_every_npm_is_in_the_table() -> None:
    async with make_app(PROVIDERS) as running:
        known = {sdk for cls in running.app.registry.classes if isinstance(sdk := getattr(cls, "sdk", None), str)}
    generators = {cls.sdk for cls in GENERATORS}
    table = page("providers.md").partition("| `npm` | speaks |")[2].partition("\n\n")[0]
    told = re.findall(r"`([^`]+)`", "".join(row.split("|")[1] for row in table.splitlines() if "|" in row))
    assert sorted(told) == sorted(known - generators)


def test_every_field_of_a_row_is_in_the_table() -> None:
    told = re.findall(
        r"^\| `(\w+)` \|", page("providers.md").partition("| field of a row")[2].partition("\n\n")[0], re.M
    )
    assert told == [field.name for field in dataclasses.fields(Vendor) if field.init]


def test_everything_else_a_dialect_may_have_is_there() -> None:
    told = re.findall(r"^\| `(\w+)", page("providers.md").partition("| a class may also")[2], re.M)
    assert all(hasattr(DialectProvider, name) for name in told)


async def test_the_dialect_is_spoken_and_understood(tmp_path: Path, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(b'{"said": "Polly", "because": "full", "words": {"in": 3, "out": 1}}')
    async with server(tmp_path, "ParrotProvider", fake_upstream, npm="parrot") as running:
        reply = await running.chat("Who?", model="m", temperature=0, seed=1)
    assert fake_upstream.requests[0].path == "/v1/speak"
    assert fake_upstream.requests[0].body == {"engine": "m", "lines": ["user: Who?"], "heat": 0, "bit_by_bit": False}
    assert (reply.text, reply.body["choices"][0]["finish_reason"]) == ("Polly", "length")
    assert reply.body["usage"]["total_tokens"] == 4


async def test_the_dialect_is_understood_bit_by_bit(tmp_path: Path, fake_upstream: FakeUpstream) -> None:
    last = sse({"because": "done", "words": {"in": 3, "out": 2}})
    fake_upstream.enqueue(sse({"bit": "Pol"}), sse({"bit": "ly"}), last, headers={"Content-Type": "text/event-stream"})
    async with server(tmp_path, "ParrotProvider", fake_upstream, npm="parrot") as running:
        reply = await running.chat("Who?", model="m", stream=True, stream_options={"include_usage": True})
    assert reply.text == "Polly"
    assert reply.chunks[-1]["usage"]["total_tokens"] == 5


async def test_an_answer_it_does_not_expect_is_a_clear_error(tmp_path: Path, fake_upstream: FakeUpstream) -> None:
    for _ in range(3):
        fake_upstream.enqueue(b'{"screech": true}')
    async with server(tmp_path, "ParrotProvider", fake_upstream, npm="parrot") as running:
        reply = await running.chat("Who?", model="m")
    assert reply.status == 502
    assert reply.body["error"]["message"].startswith("Mine answered in a form that cannot be read (KeyError: 'words')")


async def test_what_it_cannot_say_is_refused_where_the_entry_says_so(
    tmp_path: Path, fake_upstream: FakeUpstream
) -> None:
    async with server(tmp_path, "ParrotProvider", fake_upstream, npm="parrot", unsupported="error") as running:
        reply = await running.chat("Who?", model="m", seed=1)
    assert (reply.status, reply.body["error"]["param"]) == (400, "seed")
