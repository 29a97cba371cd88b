"""Which models can be asked, as OpenAI clients and as our own page ask for it."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from llms.kernel.types import Model
from llms.testing import FakeProvider, FakeUpstream, TestServer, make_app
from llms.testing.app import upstream_config

from .wire import fetch

MODELS: dict[str, Any] = {
    "org/large": {"id": "org/large", "name": "Large One", "release_date": "2024-05-13", "limit": {"context": 8192}},
    "small": {"id": "small", "name": "Small One", "release_date": "2024-05"},
}


@pytest.fixture
async def server(fake_upstream: FakeUpstream) -> AsyncIterator[TestServer]:
    async with make_app(config=upstream_config(fake_upstream, models=MODELS)) as server:
        server.app.registry.live["second"] = FakeProvider("second", models=("small", "a-third"))
        yield server


async def test_the_list_has_openais_form(server: TestServer) -> None:
    answer = (await fetch(server, "GET", "/v1/models")).json
    assert answer["object"] == "list"
    assert answer["data"][0] == {
        "id": "org/large",
        "object": "model",
        "created": 1715558400,
        "owned_by": "upstream",
        "name": "Large One",
        "demo": False,
    }


async def test_each_id_is_listed_once_for_the_provider_that_would_answer(server: TestServer) -> None:
    data = (await fetch(server, "GET", "/v1/models")).json["data"]
    assert [(model["id"], model["owned_by"]) for model in data] == [
        ("org/large", "upstream"),
        ("small", "upstream"),
        ("a-third", "second"),
    ]


async def test_a_model_without_a_date_was_created_at_0(server: TestServer) -> None:
    assert (await fetch(server, "GET", "/v1/models/a-third")).json["created"] == 0


async def test_the_vendor_is_not_asked_for_the_list(server: TestServer, fake_upstream: FakeUpstream) -> None:
    await fetch(server, "GET", "/v1/models")
    assert fake_upstream.requests == []


@pytest.mark.parametrize("path", ["/v1/models/org/large", "/v1/models/org%2Flarge", "/v1/models/org%2flarge"])
async def test_one_model_is_told_although_its_id_has_a_slash(server: TestServer, path: str) -> None:
    answer = await fetch(server, "GET", path)
    assert answer.status == 200
    assert answer.json["id"] == "org/large"


@pytest.mark.parametrize("name", ["small", "SMALL", "Small%20One", "upstream/small", "large"])
async def test_one_model_is_found_by_any_name_a_chat_may_use(server: TestServer, name: str) -> None:
    answer = await fetch(server, "GET", f"/v1/models/{name}")
    assert answer.status == 200
    assert answer.json["owned_by"] == "upstream"


async def test_a_providers_prefix_chooses_whose_model_is_told(server: TestServer) -> None:
    assert (await fetch(server, "GET", "/v1/models/second/small")).json["owned_by"] == "second"


async def test_an_unknown_model_is_404_with_the_nearest_names(server: TestServer) -> None:
    answer = await fetch(server, "GET", "/v1/models/smal")
    assert answer.status == 404
    assert "Did you mean small" in answer.message


async def test_all_models_are_told_with_every_fact_sorted_by_id(server: TestServer) -> None:
    models = (await fetch(server, "GET", "/models")).json
    assert [(model["id"], model["provider"]) for model in models] == [
        ("a-third", "second"),
        ("org/large", "upstream"),
        ("small", "second"),
        ("small", "upstream"),
    ]
    assert models[1]["limit"] == {"context": 8192}


async def test_a_model_added_while_serving_is_listed(server: TestServer) -> None:
    provider = cast(FakeProvider, server.app.registry.live["second"])
    provider.models["new"] = cast(Model, {"id": "new", "name": "new"})
    data = (await fetch(server, "GET", "/v1/models")).json["data"]
    assert "new" in [model["id"] for model in data]


async def test_a_demo_model_says_that_it_is_one(server: TestServer) -> None:
    provider = cast(FakeProvider, server.app.registry.live["second"])
    provider.models["toy"] = cast(Model, {"id": "toy", "name": "toy", "demo": True})
    assert (await fetch(server, "GET", "/v1/models/toy")).json["demo"] is True


async def test_without_any_provider_the_lists_are_empty(server: TestServer) -> None:
    server.app.registry.live.clear()
    assert (await fetch(server, "GET", "/v1/models")).json == {"object": "list", "data": []}
    assert (await fetch(server, "GET", "/models")).json == []
