"""Every recorded exchange about embeddings, replayed through the class of its vendor.

The recordings lie beside the checkout and are not part of it; without them there is nothing to replay.
"""

import base64
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from llms.extensions.providers.bedrock import BedrockProvider
from llms.extensions.providers.cohere import CohereProvider
from llms.extensions.providers.embeddings import GOOGLE, VERTEX, VoyageProvider
from llms.extensions.providers.ollama import OllamaNativeProvider
from llms.kernel.errors import ProviderError
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.testing import FakeUpstream

from .records import FOLDER, body, files, records
from .table import Table

FILES = files("embeddings")

pytestmark = pytest.mark.skipif(not FILES, reason=f"no recorded traffic at {FOLDER.parent.name}/{FOLDER.name}")
every_vendor = pytest.mark.parametrize("file", FILES, ids=lambda path: path.name.removesuffix(".jsonl"))

CLASSES: Any = {
    "bedrock": BedrockProvider,
    "cohere": CohereProvider,
    "ollama": OllamaNativeProvider,
    "voyage": VoyageProvider,
}
DIALECTS = {"google": GOOGLE, "vertex": VERTEX}
DIMENSIONS = ("dimensions", "output_dimension", "outputDimensionality")
TEXTS = ("texts", "input", "inputText", "requests", "content")


def asked(record: Any) -> Any:
    """What a client would have asked to send the recorded request."""
    sent = {name: value for name, value in record["request"]["body"].items() if value is not None}
    if "requests" in sent:
        sent |= {name: value for name, value in sent["requests"][0].items() if name in DIMENSIONS}
    dimensions = next((sent[name] for name in DIMENSIONS if name in sent), None)
    rest = {name: value for name, value in sent.items() if name not in (*DIMENSIONS, *TEXTS)}
    given = sent.get("texts") or sent.get("input") or sent.get("inputText") or _texts(sent)
    return {**rest, "model": record["model"], "input": given, "dimensions": dimensions}


def _texts(sent: Any) -> Any:
    """What Google embeds."""
    return [one["content"]["parts"][0]["text"] for one in sent.get("requests", (sent,))]


async def replayed(record: Any, http: HttpClient, vendor: FakeUpstream, pieces: int) -> list[str]:
    """What is read otherwise than expected, the answer coming in so many pieces."""
    response, data = record["response"], body(record)
    size = max(1, len(data) // pieces)
    cut = [data[i : i + size] for i in range(0, len(data), size)]
    vendor.enqueue(*cut, status=response["status"], headers=response["headers"])
    cls = CLASSES.get(record["provider"], OpenAiCompatible)
    provider = cls(id="acme", name="Acme", api=vendor.url, api_key="key-0123456789")
    provider.http = http
    if record["provider"] in DIALECTS:
        provider.embedding_dialect = lambda _: DIALECTS[record["provider"]]
    try:
        answer = await provider.embed(asked(record))
    except ProviderError as error:
        wanted = record["expected"].get("error") or {"status": 0, "message": "no error"}
        fits = error.upstream_status == wanted["status"] and wanted["message"][:500] in str(error)
        return [] if fits else [f"refused: {error}"]
    return differences(record["expected"], answer)


def differences(expected: Any, answer: Any) -> list[str]:
    """What `answer` does not say as it is expected; usage that was not expected may be told."""
    usage = answer["usage"]
    told = {
        "vectors": len(answer["data"]),
        "dimensions": _length(answer["data"][0]["embedding"]),
        "usage": {name: usage.get(name) for name, count in (expected["usage"] or {}).items() if count is not None},
    }
    counts = {name: count for name, count in (expected["usage"] or {}).items() if count is not None}
    wanted = {**expected, "usage": counts}
    return [f"{key}: {told[key]!r}, not {wanted[key]!r}" for key in told if told[key] != wanted[key]]


def _length(vector: Any) -> int:
    return len(base64.b64decode(vector)) // 4 if isinstance(vector, str) else len(vector)


@every_vendor
@pytest.mark.parametrize(("column", "pieces"), [("whole", 1), ("cut anywhere", 23)])
async def test_recorded_answers_read_as_expected(
    file: Path, *, column: str, pieces: int, http: HttpClient, fake_upstream: FakeUpstream, table: Table
) -> None:
    found = {}
    for record in records(file):
        if told := await replayed(record, http, fake_upstream, pieces):
            found[record["id"]] = told
    table.add("embeddings", column, file, found)
    assert found == {}


@every_vendor
async def test_recorded_requests_are_sent_as_they_were(
    file: Path, http: HttpClient, fake_upstream: FakeUpstream, table: Table
) -> None:
    found = {}
    for record in records(file):
        await replayed(record, http, fake_upstream, 1)
        sent = fake_upstream.requests[-1]
        assert unquote(record["request"]["path"]).endswith(unquote(sent.path.removeprefix("/v1"))), record["id"]
        if meaning(sent.body) != meaning(record["request"]["body"]):
            found[record["id"]] = f"{sent.body}"
    table.add("embeddings", "sent", file, found)
    assert found == {}


def meaning(request: Any) -> Any:
    """`request` without what says nothing; one text is the same as a list of one."""
    said = {name: value for name, value in request.items() if value is not None}
    if isinstance(said.get("input"), str):
        said["input"] = [said["input"]]
    return said
