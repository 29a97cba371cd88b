"""How extensions are looked at, switched and set over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from llms.kernel.secrets import MASK
from llms.kernel.types import Json
from llms.testing import FakeUpstream, Gate, TestServer, make_app
from llms.testing.app import upstream_config

from .wire import Answer, fetch, open_stream, read_until, soon

MANIFEST = """
id = "mine"
version = "1.4"
description = "Sings."
homepage = "https://example.org"
permissions = ["net", "secrets:SONG_KEY"]

[settings.properties.tempo]
type = "integer"
minimum = 40
default = 90

[settings.properties.api_key]
type = "string"
minLength = 8

[settings.properties.voices]
type = "array"
items = { enum = ["alto", "bass"] }
"""
CODE = """
CHANGES = []

def hum(tune: str) -> str:
    return tune

def fail(request):
    raise ValueError("no luck")

async def count(chat, context): ...

def note(settings):
    CHANGES.append(dict(settings))

def __parser__(parser):
    parser.add_argument("--tune")

def __install__(ctx):
    ctx.add_get("changes", lambda request: CHANGES)
    ctx.add_get("tempo", lambda request: {"tempo": ctx.settings["tempo"]})
    ctx.add_post("fail", fail)
    ctx.register_tool(hum)
    ctx.register_chat_request_filter(count)
    ctx.register_settings_handler(note)

async def __load__(ctx):
    ctx.schedule(lambda: None, every=60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    made.mkdir()
    (made / "extension.toml").write_text(MANIFEST)
    (made / "__init__.py").write_text(CODE)
    return made


def bystander(ctx: Any) -> None:
    ctx.register_settings_handler(lambda settings: pytest.fail("these are not mine"))


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[TestServer]:
    async with make_app(folder, bystander, config={"limits": {"hook_timeout": 1}}) as server:
        yield server


async def switch(server: TestServer, body: Any, name: str = "mine") -> Answer:
    return await fetch(server, "POST", f"/ext/status/{name}", data=json.dumps(body).encode())


async def put(server: TestServer, body: Json, name: str = "mine") -> Answer:
    return await fetch(server, "PUT", f"/ext/{name}/settings", data=json.dumps(body).encode())


async def settings(server: TestServer) -> Json:
    values: Json = (await fetch(server, "GET", "/ext/mine/settings")).json["values"]
    return values


# -- status ------------------------------------------------------------------------------------------------------


async def test_status_tells_all_there_is_to_know(server: TestServer) -> None:
    await fetch(server, "POST", "/ext/mine/fail")
    await server.chat()
    mine, other = (await fetch(server, "GET", "/ext/status")).json
    assert other["name"] == "bystander"
    assert mine.pop("start_seconds") > 0
    assert mine.pop("seconds") > 0
    assert mine == {
        "name": "mine",
        "origin": "user",
        "version": "1.4",
        "description": "Sings.",
        "homepage": "https://example.org",
        "permissions": ["net", "secrets:SONG_KEY"],
        "state": "loaded",
        "reason": "",
        "hooks": ["__parser__", "__install__", "__load__"],
        "routes": ["GET /ext/mine/changes", "GET /ext/mine/tempo", "POST /ext/mine/fail"],
        "tools": ["hum"],
        "filters": ["settings_changed", "chat_request"],
        "tasks": 1,
        "calls": 2,
        "errors": 1,
        "last_error": "no luck",
    }


async def test_status_of_one_that_is_not_loaded_says_why_and_lists_nothing(server: TestServer) -> None:
    await switch(server, {"disable": True})
    mine = (await fetch(server, "GET", "/ext/status")).json[0]
    assert mine["reason"] == "It is disabled. `llms ext enable mine` enables it."
    assert [mine[key] for key in ("state", "hooks", "routes", "tools", "filters", "tasks")] == [
        "disabled",
        *[[]] * 4,
        0,
    ]


# -- the switch --------------------------------------------------------------------------------------------------


async def test_a_route_of_a_disabled_extension_is_gone_and_back_when_it_is_enabled(server: TestServer) -> None:
    for body, state, status in (
        ({"disable": True}, "disabled", 404),
        ({"enable": True}, "loaded", 200),
        ({"reload": True}, "loaded", 200),
    ):
        answer = await switch(server, body)
        assert (answer.status, answer.json["name"], answer.json["state"]) == (200, "mine", state)
        assert (await fetch(server, "GET", "/ext/mine/changes")).status == status


async def test_chats_stream_on_while_it_is_switched(folder: Path, fake_upstream: FakeUpstream) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("before ", gate, "after")
    async with make_app(folder, config=upstream_config(fake_upstream)) as server, open_stream(server) as response:
        await read_until(response, "before ")
        for word in ("disable", "enable", "reload"):
            assert (await switch(server, {word: True})).status == 200
        gate.opened.set()
        assert "after" in await read_until(response, "[DONE]")


async def test_a_reload_that_fails_says_why(server: TestServer, folder: Path) -> None:
    (folder / "__init__.py").write_text("raise RuntimeError('out of tune, for good')")
    answer = await switch(server, {"reload": True})
    assert (answer.status, answer.json["state"], answer.json["reason"]) == (200, "failed", "out of tune, for good")
    assert (await fetch(server, "GET", "/health")).status == 200


@pytest.mark.parametrize(
    "body", [{}, [], {"enable": False}, {"enable": True, "disable": True}, {"enable": 1}, {"explode": True}, "enable"]
)
async def test_a_switch_must_be_one_of_three(server: TestServer, body: Any) -> None:
    answer = await switch(server, body)
    assert answer.status == 400
    assert "must be" in answer.message
    assert (await fetch(server, "GET", "/ext/mine/changes")).status == 200


@pytest.mark.parametrize("name", ["nobody", "..%2f..%2fetc", "%00", "mine%2f"])
async def test_who_is_not_there_cannot_be_switched(server: TestServer, name: str) -> None:
    assert (await switch(server, {"enable": True}, name)).status == 404
    assert "disable_extensions" not in json.loads(server.app.home.config_file.read_text())


async def test_a_page_of_another_site_switches_nothing(server: TestServer) -> None:
    data, origin = json.dumps({"disable": True}).encode(), {"Origin": "https://example.org"}
    assert (await fetch(server, "POST", "/ext/status/mine", data=data, headers=origin)).status == 403
    form = await server.http.post(f"{server.url}/ext/status/mine", data={"disable": "true"})
    assert form.status in (400, 415)
    assert (await fetch(server, "GET", "/ext/mine/changes")).status == 200


# -- settings ----------------------------------------------------------------------------------------------------


async def test_a_ui_folder_does_not_hide_the_settings(folder: Path) -> None:
    (folder / "ui").mkdir()
    (folder / "ui" / "a.css").write_text("p {}")
    async with make_app(folder) as server:
        assert (await settings(server))["tempo"] == 90
        assert (await fetch(server, "GET", "/ext/mine/a.css")).status == 200
        assert (await fetch(server, "POST", "/ext/mine/a.css")).status == 405


async def test_settings_are_told_with_their_schema_and_defaults(server: TestServer) -> None:
    answer = await fetch(server, "GET", "/ext/mine/settings")
    assert answer.json["values"] == {"tempo": 90}
    assert answer.json["schema"]["properties"]["tempo"] == {"type": "integer", "minimum": 40, "default": 90}


async def test_changed_settings_are_kept_used_and_told_to_their_extension(server: TestServer) -> None:
    answer = await put(server, {"tempo": 120, "voices": ["bass"]})
    assert (answer.status, answer.json["values"]) == (200, {"tempo": 120, "voices": ["bass"]})
    written = json.loads(server.app.home.config_file.read_text())
    assert written["extension_settings"] == {"mine": {"tempo": 120, "voices": ["bass"]}}
    assert (await fetch(server, "GET", "/ext/mine/tempo")).json == {"tempo": 120}
    assert (await fetch(server, "GET", "/ext/mine/changes")).json == [{"tempo": 120, "voices": ["bass"]}]


async def test_one_setting_can_be_changed_and_taken_out_by_itself(server: TestServer) -> None:
    await put(server, {"tempo": 120, "voices": ["bass"]})
    await put(server, {"voices": ["alto"]})
    assert await settings(server) == {"tempo": 120, "voices": ["alto"]}
    await put(server, {"tempo": None})
    assert await settings(server) == {"tempo": 90, "voices": ["alto"]}


async def test_a_secret_is_never_told(server: TestServer, caplog: pytest.LogCaptureFixture) -> None:
    secret = "sesame-open-0123456789"
    answers = [await put(server, {"api_key": secret}), await put(server, {"api_key": MASK, "tempo": 100})]
    answers += [await fetch(server, "GET", path) for path in ("/ext/mine/settings", "/ext/status", "/config", "/ext")]
    answers += [await put(server, {"api_key": secret, "tempo": "fast"}), await put(server, {"api_key": 7})]
    assert [answer.status for answer in answers] == [200] * 6 + [400] * 2
    assert not [answer for answer in answers if secret.encode() in answer.body]
    assert await settings(server) == {"tempo": 100, "api_key": MASK}
    kept = json.loads(server.app.home.config_file.read_text())["extension_settings"]["mine"]["api_key"]
    assert kept == secret, "sent back masked, it stays what it was"
    assert secret not in caplog.text


@pytest.mark.parametrize(
    ("body", "setting"),
    [
        ({"tempo": "fast"}, "tempo"),
        ({"tempo": 1}, "tempo"),
        ({"voices": ["alto", "oboe"]}, "voices"),
        ({"api_key": "short"}, "api_key"),
        ({"volume": 11}, "volume"),
    ],
)
async def test_a_wrong_value_is_refused_by_name_and_changes_nothing(
    server: TestServer, body: Json, setting: str
) -> None:
    answer = await put(server, {**body, "voices": body.get("voices", ["alto"])})
    assert answer.status == 400
    assert setting in answer.message
    assert str(answer.json["error"]["param"]).startswith(setting)
    assert await settings(server) == {"tempo": 90}
    assert (await fetch(server, "GET", "/ext/mine/changes")).json == []


@pytest.mark.parametrize("name", ["nobody", "bystander", "status%2f", "..%2fmine"])
async def test_an_extension_without_settings_has_none(server: TestServer, name: str) -> None:
    assert (await fetch(server, "GET", f"/ext/{name}/settings")).status == 404
    assert (await put(server, {"tempo": 1}, name)).status == 404


async def test_a_handler_that_fails_does_not_undo_the_change(folder: Path) -> None:
    (folder / "__init__.py").write_text(
        "def fail(settings):\n    raise ValueError('no luck')\n\n"
        "def __install__(ctx):\n    ctx.register_settings_handler(fail)\n"
    )
    async with make_app(folder) as server:
        assert (await put(server, {"tempo": 60})).status == 200
        assert await settings(server) == {"tempo": 60}
        assert server.app.hooks.accounts.of("mine").last_error == "no luck"


# -- events ------------------------------------------------------------------------------------------------------


async def test_events_come_as_they_happen(server: TestServer) -> None:
    async with server.http.get(f"{server.url}/ext/events") as response:
        assert response.content_type == "text/event-stream"
        server.app.events.publish("reload", {"extension": "mine"})
        server.app.events.publish("sidebar")
        assert await read_until(response, "sidebar\ndata: null\n\n") == (
            'event: reload\ndata: {"extension": "mine"}\n\nevent: sidebar\ndata: null\n\n'
        )


async def test_who_stops_listening_is_forgotten(server: TestServer) -> None:
    watchers = server.app.events._watchers
    async with server.http.get(f"{server.url}/ext/events") as response:
        server.app.events.publish("sidebar")
        await read_until(response, "sidebar")
        assert len(watchers) == 1
        response.close()

    async def gone() -> None:
        while watchers:  # noqa: ASYNC110 - nobody tells that one has left
            await asyncio.sleep(0.01)

    await soon(gone())


async def test_the_server_stops_at_once_although_somebody_listens(folder: Path) -> None:
    async with make_app(folder) as server, server.http.get(f"{server.url}/ext/events") as response:
        await soon(server.server.stop())
        assert await soon(response.content.read()) == b""


async def test_status_tells_no_secret_and_survives_any_text(tmp_path: Path) -> None:
    folder = tmp_path / "leaky"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "def key(request):\n    raise ValueError('bad key sk-verysecret12345 \\udc80')\n\n"
        "def install(ctx):\n    ctx.add_get('key', key)\n\n__install__ = install\n"
    )
    async with make_app(folder) as server:
        await fetch(server, "GET", "/ext/leaky/key")
        answer = await fetch(server, "GET", "/ext/status")
    assert answer.status == 200
    assert "verysecret" not in answer.body.decode()
    assert "bad key" in answer.json[0]["last_error"]
