"""Every recorded list of models, read as the catalogue would tell of them.

The recordings lie beside the checkout and are not part of it; without them there is nothing to replay.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from llms.extensions.providers.listing import listed, models_in
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.testing import FakeUpstream

from .records import FOLDER, body, files, records
from .table import Table

FILES = files("models")

pytestmark = pytest.mark.skipif(not FILES, reason=f"no recorded traffic at {FOLDER.parent.name}/{FOLDER.name}")
every_vendor = pytest.mark.parametrize("file", FILES, ids=lambda path: path.name.removesuffix(".jsonl"))


def differences(expected: Any, ids: list[str]) -> list[str]:
    wanted = (expected["models_count"], [id.removeprefix("models/") for id in expected["first"]])
    told = (len(ids), ids[: len(expected["first"])])
    return [] if told == wanted else [f"{told}, not {wanted}"]


@every_vendor
def test_recorded_lists_read_as_expected(file: Path, table: Table) -> None:
    found = {}
    for record in records(file):
        models = models_in(json.loads(body(record)))
        if told := differences(record["expected"], [model["id"] for model in models]):
            found[record["id"]] = told
        assert all(model["name"] for model in models)
    table.add("models", "whole", file, found)
    assert found == {}


@every_vendor
async def test_recorded_lists_are_asked_for_where_they_were(
    file: Path, http: HttpClient, fake_upstream: FakeUpstream, table: Table
) -> None:
    found = {}
    for record in records(file):
        fake_upstream.enqueue(body(record), headers=record["response"]["headers"])
        provider = OpenAiCompatible(id="acme", name="Acme", api=fake_upstream.url, api_key="key-0123456789")
        provider.http = http
        models = await listed(provider)
        (request,) = fake_upstream.requests
        assert (request.method, record["request"]["path"].rpartition("/")[2]) == ("GET", request.path[len("/v1/") :])
        unique = {model["id"] for model in models_in(json.loads(body(record)))}
        if models.keys() != unique:
            found[record["id"]] = sorted(unique ^ models.keys())
    table.add("models", "sent", file, found)
    assert found == {}
