"""Providers over HTTP: what they offer, and their switches."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llms.kernel.types import Json
from llms.testing import FakeProvider, FakeUpstream, TestServer, make_app
from llms.testing.app import upstream_config

from .wire import Answer, fetch

KEYLESS = {"npm": "@ai-sdk/openai-compatible", "api": "http://127.0.0.1:1", "name": "P3", "env": ["NOPE_KEY"]}


@pytest.fixture
async def server(fake_upstream: FakeUpstream) -> AsyncIterator[TestServer]:
    config = upstream_config(fake_upstream, name="Upstream", server_tools=["openrouter:web_search"])
    config["providers"]["p3"] = {**KEYLESS, "enabled": False}
    async with make_app(config=config) as server:
        yield server


async def switch(server: TestServer, id: str, body: Any) -> Answer:
    return await fetch(server, "POST", f"/providers/{id}", data=json.dumps(body).encode())


def saved(server: TestServer) -> Json:
    found: Json = json.loads(server.app.config.file.read_text("utf-8"))["providers"]
    return found


# -- which there are ---------------------------------------------------------------------------------------------


async def test_every_live_provider_tells_its_models_and_server_tools(server: TestServer) -> None:
    server.app.registry.live["fake"] = FakeProvider()
    upstream, fake = (await fetch(server, "GET", "/providers")).json
    assert upstream["id"] == "upstream"
    assert upstream["name"] == "Upstream"
    assert upstream["models"]["fake-model"]["name"] == "Fake Model"
    assert upstream["server_tools"] == ["openrouter:web_search"]
    assert (fake["id"], fake["server_tools"]) == ("fake", [])


async def test_a_provider_that_cannot_tell_hides_no_other(server: TestServer) -> None:
    class Broken(FakeProvider):
        @property
        def server_tools(self) -> list[str]:
            raise ValueError("broken")

    server.app.registry.live["broken"] = Broken()
    assert [told["id"] for told in (await fetch(server, "GET", "/providers")).json] == ["upstream"]


async def test_no_key_is_told(server: TestServer) -> None:
    assert b"test-key-0123456789" not in (await fetch(server, "GET", "/providers")).body


# -- switching ---------------------------------------------------------------------------------------------------


async def test_a_provider_is_turned_off_and_on_again(server: TestServer) -> None:
    off = await switch(server, "upstream", {"disable": True})
    assert off.status == 200
    assert off.json == {"enabled": [], "disabled": ["p3", "upstream"], "feedback": None}
    assert saved(server)["upstream"]["enabled"] is False
    on = await switch(server, "upstream", {"enable": True})
    assert on.json == {"enabled": ["upstream"], "disabled": ["p3"], "feedback": None}
    assert (await server.chat()).status == 200


async def test_enabling_a_provider_without_its_key_says_which_is_missing(server: TestServer) -> None:
    answer = await switch(server, "p3", {"enable": True})
    assert answer.status == 200
    assert answer.json["feedback"] == "Provider 'P3' requires API Key NOPE_KEY"
    assert answer.json["disabled"] == ["p3"]


async def test_nothing_else_of_the_configuration_changes(server: TestServer) -> None:
    before = saved(server)
    await switch(server, "upstream", {"disable": True})
    await switch(server, "upstream", {"enable": True})
    after = saved(server)
    assert after.pop("upstream") == {**before.pop("upstream"), "enabled": True}
    assert after == before


async def test_extensions_are_told_that_providers_were_built_anew() -> None:
    reloads: list[str] = []

    def reloaded(_: object) -> None:
        reloads.append("reloaded")

    extension = SimpleNamespace(__reload_providers__=reloaded)
    async with make_app(extension, config={"providers": {"p3": {**KEYLESS, "enabled": False}}}) as server:
        await switch(server, "p3", {"enable": True})
    assert reloads == ["reloaded"]


@pytest.mark.parametrize("id", ["nobody", "__class__", "..", "%2e%2e%2fllms", "fake"])
async def test_an_unknown_provider_is_404_and_not_written(server: TestServer, id: str) -> None:
    before = server.app.config.file.read_bytes()
    assert (await switch(server, id, {"enable": True})).status in (404, 405)
    assert server.app.config.file.read_bytes() == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"enable": False},
        {"enable": 1},
        {"enable": "true"},
        {"enable": True, "disable": True},
        {"enable": True, "disable": False},
        {"enabled": True},
        [],
        None,
    ],
    ids=json.dumps,
)
async def test_a_body_that_does_not_say_what_to_do_is_400(server: TestServer, body: Any) -> None:
    before = server.app.config.file.read_bytes()
    assert (await switch(server, "upstream", body)).status == 400
    assert server.app.config.file.read_bytes() == before


async def test_a_configuration_that_cannot_be_written_is_told_and_nothing_changes(server: TestServer) -> None:
    server.app.config.file.write_text("{ broken")
    answer = await switch(server, "upstream", {"disable": True})
    assert answer.status == 500
    assert answer.message.startswith("llms.json: line 1")
    assert (await fetch(server, "GET", "/status")).json["enabled"] == ["upstream"]


async def test_a_provider_of_the_catalogue_can_be_turned_on_before_it_is_configured(llms_home: Path) -> None:
    async with make_app(config={"providers": {}}, home=llms_home) as server:
        entry = {"id": "new", "name": "New", "npm": KEYLESS["npm"], "api": KEYLESS["api"], "env": ["NEW_KEY"]}
        server.app.home.extras_file.write_text(json.dumps({"new": {**entry, "models": {}}}))
        server.app.config.reload()
        answer = await switch(server, "new", {"enable": True})
    assert answer.json["feedback"] == "Provider 'New' requires API Key NEW_KEY"
