"""The one object that owns everything: its start, its end, and a configuration edited while it runs."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from llms.app import App
from llms.host.context import ExtensionContext
from llms.kernel.config import Config
from llms.kernel.paths import Home
from llms.kernel.secrets import MASK, Secrets
from llms.kernel.types import Json
from llms.testing import FakeProvider, FakeUpstream, Gate, TestServer, make_app
from llms.testing.app import upstream_config

PATIENCE = 20.0


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not claim():  # noqa: ASYNC110 - a change of files announces itself to nobody
            await asyncio.sleep(0.005)


@pytest.fixture
async def watched(fake_upstream: FakeUpstream) -> AsyncIterator[TestServer]:
    """A server that looks at its files all the time."""
    async with make_app(config=upstream_config(fake_upstream)) as server:
        watching = asyncio.create_task(server.app.watch_config(every=0.005))
        yield server
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


def edit(server: TestServer, change: Callable[[Json], Any]) -> None:
    """Changes llms.json as an editor does: a new file in place of the old one."""
    file = server.app.home.config_file
    data = json.loads(file.read_text())
    change(data)
    replace(file, json.dumps(data))


def replace(file: Path, text: str) -> None:
    fresh = file.with_suffix(".fresh")
    fresh.write_text(text)
    fresh.rename(file)


def offer(*names: str) -> Callable[[Json], None]:
    def change(data: Json) -> None:
        data["providers"]["upstream"]["models"] = {name: {"id": name, "name": name} for name in names}

    return change


async def listed(server: TestServer) -> list[str]:
    async with server.http.get(f"{server.url}/v1/models") as response:
        return [model["id"] for model in (await response.json())["data"]]


# -- a configuration edited while serving ------------------------------------------------------------------------


async def test_an_edit_is_taken_over(watched: TestServer) -> None:
    edit(watched, offer("new-model"))
    await until(lambda: watched.app.registry.live["upstream"].models.keys() == {"new-model"})
    assert await listed(watched) == ["new-model"]
    assert (await watched.chat(model="new-model")).status == 200


async def test_a_second_edit_is_taken_over_too(watched: TestServer) -> None:
    for name in ("one", "two"):
        edit(watched, offer(name))
        await until(lambda name=name: name in watched.app.registry.live["upstream"].models)  # type: ignore[misc]
    assert await listed(watched) == ["two"]


@pytest.mark.parametrize(
    "broken",
    ['{"providers": ', "", "[]", '{"providers": {"upstream": {"models": 5}}}', '{"limits": {"retries": "many"}}'],
)
async def test_a_broken_edit_changes_nothing_and_is_said_once(
    watched: TestServer, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    replace(watched.app.home.config_file, broken)
    await until(lambda: "stays as it was" in caplog.text)
    await asyncio.sleep(0.03)  # some more looks at the same broken file
    assert caplog.text.count("stays as it was") == 1
    assert await listed(watched) == ["fake-model"]
    assert (await watched.chat()).status == 200


async def test_mending_a_broken_edit_is_taken_over(watched: TestServer, caplog: pytest.LogCaptureFixture) -> None:
    good = json.loads(watched.app.home.config_file.read_text())
    replace(watched.app.home.config_file, "{")
    await until(lambda: "stays as it was" in caplog.text)
    offer("mended")(good)
    replace(watched.app.home.config_file, json.dumps(good))
    await until(lambda: "mended" in watched.app.registry.live["upstream"].models)


async def test_a_file_that_is_gone_for_a_moment_changes_nothing(
    watched: TestServer, caplog: pytest.LogCaptureFixture
) -> None:
    file = watched.app.home.config_file
    text = file.read_text()
    file.unlink()
    await until(lambda: "stays as it was" in caplog.text)
    assert await listed(watched) == ["fake-model"]
    file.write_text(text)


async def test_a_provider_taken_out_answers_no_more(watched: TestServer) -> None:
    edit(watched, lambda data: data["providers"].clear())
    await until(lambda: not watched.app.registry.live)
    assert (await watched.chat()).status == 404


async def test_a_limit_is_taken_over(watched: TestServer) -> None:
    edit(watched, lambda data: data.update(limits={"retries": 7}))
    await until(lambda: watched.app.config.limits.retries == 7)


async def test_a_key_that_came_with_an_edit_is_masked_from_then_on(watched: TestServer) -> None:
    edit(watched, lambda data: data.update(defaults={"voice": {"api_key": "sekret-voice-key"}}))
    await until(lambda: watched.app.secrets.mask("sekret-voice-key") == MASK)


async def test_an_answer_under_way_goes_on_with_the_provider_it_began_with(
    watched: TestServer, fake_upstream: FakeUpstream
) -> None:
    gate = Gate()
    fake_upstream.enqueue_stream("Hel", gate, "lo")
    asking = asyncio.create_task(watched.chat(stream=True))
    await until(lambda: bool(fake_upstream.requests))
    edit(watched, lambda data: data["providers"].clear())
    await until(lambda: not watched.app.registry.live)
    gate.opened.set()
    assert (await asyncio.wait_for(asking, PATIENCE)).text == "Hello"


async def test_extensions_are_asked_to_add_their_providers_again(fake_upstream: FakeUpstream) -> None:
    class Extension:
        def __init__(self) -> None:
            self.asked = 0
            self.__reload_providers__ = self.reload

        def reload(self, ctx: ExtensionContext) -> None:
            self.asked += 1
            ctx.get_providers()["own"] = FakeProvider("own")

    extension = Extension()
    async with make_app(extension, config=upstream_config(fake_upstream)) as server:
        watching = asyncio.create_task(server.app.watch_config(every=0.005))
        edit(server, offer("new-model"))
        await until(lambda: "own" in server.app.registry.live)
        watching.cancel()
    assert extension.asked == 1


async def test_a_host_allowed_while_the_server_runs_is_let_in(watched: TestServer) -> None:
    headers = {"Host": "llms.example"}
    async with watched.http.get(f"{watched.url}/health", headers=headers) as refused:
        assert refused.status == 403
    edit(watched, lambda data: data.update(allowed_hosts=["llms.example"]))
    await until(lambda: "allowed_hosts" in watched.app.config.data)
    async with watched.http.get(f"{watched.url}/health", headers=headers) as allowed:
        assert allowed.status == 200


async def test_an_unknown_key_saved_while_the_server_runs_is_mentioned(
    watched: TestServer, caplog: pytest.LogCaptureFixture
) -> None:
    edit(watched, lambda data: data.update(provders={}))
    await until(lambda: "provders" in caplog.text)
    assert "providers" in caplog.text


async def test_a_reload_that_breaks_in_an_unforeseen_way_does_not_end_the_watching(
    watched: TestServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> bool:
        raise ValueError("unforeseen")

    monkeypatch.setattr(watched.app.config, "reload", broken)
    edit(watched, offer("first"))
    await until(lambda: "unforeseen" in caplog.text)
    monkeypatch.undo()
    edit(watched, offer("second"))
    await until(lambda: "second" in watched.app.registry.live["upstream"].models)


# -- start and end -----------------------------------------------------------------------------------------------


@pytest.fixture
def app(tmp_path: Path) -> App:
    home = Home(tmp_path / "home")
    home.prepare()
    entry = {"npm": "@ai-sdk/openai-compatible", "api": "http://127.0.0.1:1", "api_key": "sekret-api-key"}
    home.config_file.write_text(json.dumps({"version": 3, "providers": {"one": entry}}))
    home.providers_file.write_text("{}")
    return App(home=home, config=Config.load(home, environ={}), secrets=Secrets())


async def test_starting_builds_the_configured_providers(app: App) -> None:
    assert app.registry.live == {}
    await app.start()
    assert list(app.registry.live) == ["one"]
    await app.close()


async def test_the_keys_of_providers_are_masked_once_started(app: App) -> None:
    await app.start()
    assert app.secrets.mask("Bearer sekret-api-key!") == f"Bearer {MASK}!"
    await app.close()


async def test_a_key_from_the_environment_is_masked_whatever_its_name(watched: TestServer) -> None:
    cast(dict[str, str], watched.app.config.environ)["MY_VENDOR"] = "sekret-from-environ"
    edit(watched, lambda data: data["providers"]["upstream"].update(api_key="$MY_VENDOR"))
    await until(lambda: watched.app.secrets.mask("sekret-from-environ") == MASK)


async def test_a_provider_whose_key_is_no_text_is_taken_all_the_same(app: App) -> None:
    provider = app.registry.live["odd"] = FakeProvider("odd")
    provider.api_key = 12345678  # type: ignore[attr-defined]
    await app.start()
    assert "odd" in app.registry.live
    await app.close()


async def test_closing_calls_the_shutdown_handlers(app: App) -> None:
    called: list[str] = []
    app.hooks.shutdown.add(lambda: called.append("shutdown"), extension="test")
    await app.start()
    await app.close()
    assert called == ["shutdown"]


async def test_an_app_may_be_closed_twice_and_without_a_start(app: App) -> None:
    await app.close()
    await app.close()


async def test_two_apps_in_one_process_share_nothing(fake_upstream: FakeUpstream) -> None:
    async with make_app() as one, make_app(config=upstream_config(fake_upstream)) as other:
        one.provider.enqueue("from one")
        fake_upstream.enqueue_text("from the other")
        assert (await one.chat()).text == "from one"
        assert (await other.chat()).text == "from the other"
        assert one.app.registry.live.keys().isdisjoint(other.app.registry.live)
