"""Newer facts from models.dev: what is taken over, what is not, and what happens when they cannot be had."""

import asyncio
import gzip
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llms.kernel import catalog, files
from llms.kernel.catalog import Origin
from llms.kernel.config import Config
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home
from llms.providers import refresh
from llms.providers.http import HttpClient
from llms.testing import Cut, FakeUpstream, Hang

DATE = "2026-01-01"
TODAY = f"{datetime.now(UTC):%Y-%m-%d}"


def model(id: str, **facts: Any) -> dict[str, Any]:
    return {"id": id, "name": id.title(), "cost": {"input": 1, "output": 2}, **facts}


def vendor(id: str, *models: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return {
        "id": id,
        "name": id.title(),
        "npm": "@ai-sdk/openai-compatible",
        "api": f"https://{id}.example/v1",
        "env": [f"{id.upper()}_API_KEY"],
        "models": {model["id"]: model for model in models},
        **facts,
    }


OLD = {"acme": vendor("acme", model("old"))}
FRESH = {"acme": vendor("acme", model("new", cost={"input": 3, "output": 4})), "other": vendor("other", model("x"))}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", package=tmp_path / "package")
    home.prepare()
    home.package.mkdir()
    home.providers_file.write_bytes(catalog.to_bytes(OLD, Origin(DATE, "a test")))
    return home


@pytest.fixture
def configured(home: Home, fake_upstream: FakeUpstream) -> Callable[..., Config]:
    """The configuration of a home that has the vendor as its models.dev; `keys` go into its llms.json."""

    def configured(providers: Any = None, environ: Any = None, **keys: Any) -> Config:
        settings = {"url": f"{fake_upstream.url}/api.json", **keys}
        entries = {"acme": {}} if providers is None else providers
        home.config_file.write_text(json.dumps({"version": 3, "catalog": settings, "providers": entries}))
        return Config.load(home, environ=environ or {})

    return configured


def on_disk(home: Home) -> tuple[Any, Origin]:
    return catalog.split(files.read_json(home.providers_file))


def sent(fake_upstream: FakeUpstream, data: Any) -> None:
    fake_upstream.enqueue(json.dumps(data).encode())


async def test_newer_facts_take_the_place_of_older_ones(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    config = configured()
    sent(fake_upstream, FRESH)
    assert await refresh.update(config, http) == []
    providers, origin = on_disk(home)
    assert list(providers) == ["acme"]  # only providers that llms.json names
    assert list(providers["acme"]["models"]) == ["new"]
    assert origin == Origin(TODAY, f"{fake_upstream.url}/api.json")
    assert config.reload()
    assert config.catalog["acme"]["models"]["new"]["priced_at"] == TODAY
    assert fake_upstream.requests[0].path == "/v1/api.json"


async def test_a_provider_is_looked_up_by_the_id_its_entry_tells(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    sent(fake_upstream, FRESH)
    await refresh.update(configured({"acme": {}, "mine": {"id": "other"}}), http)
    assert set(on_disk(home)[0]) == {"acme", "other"}


async def test_a_provider_that_models_dev_dropped_is_kept_and_one_nobody_wants_is_not(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    both = {**OLD, "gone": vendor("gone", model("m")), "unwanted": vendor("unwanted", model("m"))}
    home.providers_file.write_bytes(catalog.to_bytes(both, Origin(DATE)))
    sent(fake_upstream, FRESH)
    await refresh.update(configured({"acme": {}, "gone": {}}), http)
    assert set(on_disk(home)[0]) == {"acme", "gone"}


async def test_extras_and_overrides_are_still_laid_over_what_is_new(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    extra = {"acme": {"models": {"new": {"cost": {"input": 9}}, "mine": {}}}}
    home.extras_file.write_text(json.dumps(extra))
    config = configured()
    sent(fake_upstream, FRESH)
    await refresh.update(config, http)
    config.reload()
    models = config.catalog["acme"]["models"]
    assert models["new"]["cost"] == {"input": 9}
    assert "priced_at" not in models["new"]
    assert models["mine"]["name"] == "Mine"
    assert "mine" not in on_disk(home)[0]["acme"]["models"]


async def test_a_moved_provider_is_told(
    configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    sent(fake_upstream, {"acme": vendor("acme", model("new"), api="https://new.example")})
    assert await refresh.update(configured(), http) == [
        'acme: `api` is now "https://new.example", and was "https://acme.example/v1".'
    ]


def deep() -> bytes:
    return b'{"acme":' + b"[" * 100_000


UNUSABLE: dict[str, tuple[list[Any], int, str]] = {
    "a page": ([b"<!doctype html><title>Hello</title>"], 200, "line 1, column 1: .* met <"),
    "half of it": ([json.dumps(FRESH).encode()[:90]], 200, "line 1, column"),
    "nothing": ([b""], 200, "line 1, column 1"),
    "a list": ([b"[]"], 200, "expected an object, got list"),
    "not UTF-8": ([b'{"acme": "\xff"}'], 200, "is not UTF-8"),
    "deep nesting": ([deep()], 200, "cannot be read as JSON"),
    "an error": ([b'{"acme": {}}'], 500, "it answers 500"),
    "a redirect": ([b"{}"], 302, "it answers 302"),
    "no providers": ([b"{}"], 200, "has nothing usable"),
    "other providers": ([json.dumps({"other": FRESH["other"]}).encode()], 200, "has nothing usable"),
    "a provider that is text": ([b'{"acme": "hello"}'], 200, "nothing usable.* expected object, got str"),
    "models in a list": ([json.dumps({"acme": vendor("acme", models=[])}).encode()], 200, "models: expected object"),
    "a broken line": ([b'{"acme":', Cut()], 200, "it broke off in the middle"),
}


@pytest.mark.parametrize("case", UNUSABLE)
async def test_what_cannot_be_used_changes_nothing_and_is_told(
    case: str, home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    config = configured()
    before = home.providers_file.read_bytes()
    pieces, status, why = UNUSABLE[case]
    fake_upstream.enqueue(*pieces, status=status)
    with pytest.raises(ConfigError, match=why) as raised:
        await refresh.update(config, http)
    assert str(raised.value).endswith("stays as it was.")
    assert home.providers_file.read_bytes() == before


@pytest.mark.parametrize(
    "odd",
    [
        {"cost": {"input": "1"}},
        {"cost": {"input": -1, "output": 2}},
        {"cost": {"input": True}},
        {"cost": []},
        {"cost": {"tiers": {}}},
        {"limit": {"context": "many"}},
        {"modalities": {"input": "text"}},
        {"tool_call": "yes"},
        {"name": None},
    ],
)
async def test_a_provider_with_an_odd_model_stays_as_it_was_while_others_are_updated(
    odd: Any, home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    sent(fake_upstream, {**FRESH, "acme": vendor("acme", model("new", **odd))})
    said = await refresh.update(configured({"acme": {}, "other": {}}), http)
    assert said[0].startswith("acme cannot be used as it comes (new.")
    providers, _ = on_disk(home)
    assert list(providers["acme"]["models"]) == ["old"]
    assert list(providers["other"]["models"]) == ["x"]


async def test_a_model_whose_name_would_play_with_the_terminal_is_left_out(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    sent(fake_upstream, {"acme": vendor("acme", model("good"), model("\x1b[2Jbad"), model("ugly", name="a\nb"))})
    await refresh.update(configured(), http)
    assert list(on_disk(home)[0]["acme"]["models"]) == ["good"]


async def test_a_huge_answer_is_not_read_to_its_end(
    home: Home,
    configured: Callable[..., Config],
    http: HttpClient,
    fake_upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refresh, "MAX_BYTES", 2**20)
    fake_upstream.enqueue(*[b" " * 2**19] * 3, Hang())
    with pytest.raises(ConfigError, match=r"it sends more than 1 MB\. Try again later"):
        await refresh.update(configured(), http)
    await asyncio.wait_for(fake_upstream.gone.wait(), 20)


async def test_a_compressed_answer_is_bounded_by_what_comes_out_of_it(
    configured: Callable[..., Config],
    http: HttpClient,
    fake_upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refresh, "MAX_BYTES", 2**20)
    fake_upstream.enqueue(gzip.compress(b" " * 2**23), headers={"Content-Encoding": "gzip"})
    with pytest.raises(ConfigError, match="it sends more than 1 MB"):
        await refresh.update(configured(), http)


async def test_a_server_that_never_ends_its_answer_is_given_up(
    configured: Callable[..., Config],
    http: HttpClient,
    fake_upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refresh, "TIMEOUT", 0.2)
    fake_upstream.enqueue(b"{", Hang())
    with pytest.raises(ConfigError, match=r"did not send its catalogue within 0\.2 s"):
        await refresh.update(configured(), http)


async def test_a_server_that_is_not_there_is_one_sentence(configured: Callable[..., Config], http: HttpClient) -> None:
    with pytest.raises(ConfigError, match=r"it cannot be reached\. Try again later\. providers\.json of 2026-01-01"):
        await refresh.update(configured(url="http://127.0.0.1:9/api.json"), http)


async def test_a_home_that_cannot_be_written_to_keeps_what_it_has(
    home: Home,
    configured: Callable[..., Config],
    http: HttpClient,
    fake_upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    config = configured()
    before = home.providers_file.read_bytes()
    sent(fake_upstream, FRESH)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match=r"No space left on device\. Free some disk space"):
        await refresh.update(config, http)
    assert home.providers_file.read_bytes() == before
    assert [path.name for path in home.root.iterdir() if path.name.endswith(".tmp")] == []


# -- without a network ---------------------------------------------------------------------------------------------


def packaged(home: Home, date: str) -> None:
    data = catalog.to_bytes(FRESH, Origin(date, "models.dev"))
    (home.package / "models-dev.json.gz").write_bytes(gzip.compress(data))


async def test_offline_what_came_with_a_newer_version_is_taken(
    home: Home, configured: Callable[..., Config], http: HttpClient
) -> None:
    packaged(home, "2026-05-05")
    said = await refresh.update(configured(url="http://127.0.0.1:9/api.json"), http)
    assert said[1] == "The catalogue that came with this version was taken instead, of 2026-05-05."
    providers, origin = on_disk(home)
    assert list(providers["acme"]["models"]) == ["new"]
    assert origin.date == "2026-05-05"


@pytest.mark.parametrize("date", [DATE, "2025-12-31"])
async def test_offline_what_is_not_newer_is_not_taken(
    date: str, home: Home, configured: Callable[..., Config], http: HttpClient
) -> None:
    packaged(home, date)
    with pytest.raises(ConfigError, match="stays as it was"):
        await refresh.update(configured(url="http://127.0.0.1:9/api.json"), http)
    assert list(on_disk(home)[0]["acme"]["models"]) == ["old"]


async def test_offline_a_file_without_a_date_is_its_owners_and_is_left_alone(
    home: Home, configured: Callable[..., Config], http: HttpClient
) -> None:
    home.providers_file.write_text(json.dumps(OLD))
    packaged(home, "2026-05-05")
    with pytest.raises(ConfigError, match=r"providers\.json stays as it was"):
        await refresh.update(configured(url="http://127.0.0.1:9/api.json"), http)
    assert json.loads(home.providers_file.read_text()) == OLD


# -- while serving -------------------------------------------------------------------------------------------------


def aged(home: Home, *, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(home.providers_file, (then, then))


@asynccontextmanager
async def serving(config: Config, http: HttpClient) -> AsyncIterator[None]:
    """Inside the block the catalogue is looked after, without the pauses of a real server."""
    task = asyncio.create_task(refresh.keep_fresh(config, http, every=0.01))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - it waits for a file
            await asyncio.sleep(0.01)


async def test_a_server_updates_a_catalogue_of_yesterday_once(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    config = configured()
    aged(home, hours=25)
    sent(fake_upstream, FRESH)
    async with serving(config, http):
        await until(lambda: on_disk(home)[1].date == TODAY)
        await asyncio.sleep(0.1)
    assert len(fake_upstream.requests) == 1
    assert config.changed()


async def test_a_server_changes_nothing_that_decides_where_keys_travel(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    config = configured({"acme": {}, "other": {}})
    aged(home, hours=25)
    evil = {"api": "https://evil.example", "npm": "evil", "env": ["AWS_SECRET_ACCESS_KEY"]}
    caught = model("new", provider={"npm": "x", "api": "https://evil.example"})
    sent(fake_upstream, {"acme": vendor("acme", caught, **evil), "other": vendor("other", model("x"))})
    async with serving(config, http):
        await until(lambda: on_disk(home)[1].date == TODAY)
    providers, _ = on_disk(home)
    assert list(providers) == ["acme"]  # a provider that is not known yet has an address too
    assert {key: providers["acme"][key] for key in evil} == {key: OLD["acme"][key] for key in evil}
    assert providers["acme"]["models"]["new"] == model("new")


SETTINGS: dict[str, Any] = {  # what an entry of llms.json may say, and a catalogue may not
    "modalities": {"image": {"npm": "openai/image", "chat_url": "https://evil.example"}},
    "api_key": "evil",
    "headers": {"X": "y"},
    "resource": "evil",
    "token_uri": "https://evil.example",
    "binary": "/bin/evil",
    "include_models": ".*",
}


async def test_a_server_takes_no_setting_from_a_catalogue(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    config = configured({"acme": {}})
    aged(home, hours=25)
    sent(fake_upstream, {"acme": vendor("acme", model("new", api="x", defaults={"voice": "evil"}), **SETTINGS)})
    async with serving(config, http):
        await until(lambda: on_disk(home)[1].date == TODAY)
    acme = on_disk(home)[0]["acme"]
    assert not SETTINGS.keys() & acme.keys()
    assert acme["models"]["new"] == model("new")


async def test_a_command_takes_no_setting_from_a_catalogue_either(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    sent(fake_upstream, {"acme": vendor("acme", model("new"), **SETTINGS)})
    await refresh.update(configured({"acme": {}}), http)
    assert not SETTINGS.keys() & on_disk(home)[0]["acme"].keys()


@pytest.mark.parametrize("where", ["modalities", "family"])
async def test_a_model_that_would_play_with_the_terminal_anywhere_is_left_out(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream, where: str
) -> None:
    trick = "\x1b]0;PWNED\x07"
    told: Any = {"modalities": {"input": ["text", trick], "output": ["text"]}, "family": trick}[where]
    sent(fake_upstream, {"acme": vendor("acme", model("good"), model("bad", **{where: told}))})
    await refresh.update(configured({"acme": {}}), http)
    assert list(on_disk(home)[0]["acme"]["models"]) == ["good"]


async def test_a_provider_that_would_play_with_the_terminal_stays_as_it_was(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    sent(fake_upstream, {"acme": vendor("acme", model("new"), name="\x1b[2J"), "other": vendor("other", model("x"))})
    said = await refresh.update(configured({"acme": {}, "other": {}}), http)
    assert on_disk(home)[0]["acme"]["name"] == OLD["acme"]["name"]
    assert "\x1b" not in "".join(said)


async def test_a_server_whose_update_fails_says_so_once_and_goes_on(
    home: Home,
    configured: Callable[..., Config],
    http: HttpClient,
    fake_upstream: FakeUpstream,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "llms.providers")
    config = configured()
    aged(home, hours=25)
    fake_upstream.enqueue(b"<html>", status=503)
    async with serving(config, http):
        await until(lambda: "The catalogue stays as it is" in caplog.text)
        await asyncio.sleep(0.1)
    assert len(fake_upstream.requests) == 1
    assert [record.levelname for record in caplog.records if "catalogue" in record.message] == ["INFO"]
    assert list(on_disk(home)[0]["acme"]["models"]) == ["old"]


@pytest.mark.parametrize(
    ("hours_old", "settings"),
    [
        (23.0, {}),  # not old enough
        (5.0, {"refresh_hours": 5.5}),
        (9999.0, {"refresh_hours": 0}),
        (9999.0, {"environ": {"LLMS_DISABLE_UPDATE": "1"}}),
    ],
)
async def test_a_server_leaves_the_network_alone(
    hours_old: float, settings: Any, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    config = configured(**settings)
    aged(config.home, hours=hours_old)
    async with serving(config, http):
        await asyncio.sleep(0.1)
    assert fake_upstream.requests == []


async def test_a_catalogue_named_on_the_command_line_is_its_owners(
    home: Home, configured: Callable[..., Config], http: HttpClient, fake_upstream: FakeUpstream, tmp_path: Path
) -> None:
    configured()
    own = tmp_path / "own.json"
    own.write_bytes(home.providers_file.read_bytes())
    os.utime(own, (0, 0))
    config = Config.load(home, providers_file=own, environ={})
    async with serving(config, http):
        await asyncio.sleep(0.1)
    assert fake_upstream.requests == []
