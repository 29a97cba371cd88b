"""What the server says about itself, and what it keeps to itself."""

import json
from typing import Any

from llms import __version__
from llms.testing import FakeUpstream, TestServer, make_app
from llms.testing.app import upstream_config
from llms.users.auth import AuthProvider

from .wire import fetch

SECRETS = ["sk-entry-0123456789", "sk-voice-0123456789", "pa55word-0123456789", "hdr-0123456789", "url-pw-0123456789"]


async def test_health_says_ok_and_which_version(server: TestServer) -> None:
    answer = await fetch(server, "GET", "/health")
    assert answer.status == 200
    assert answer.json == {"status": "ok", "version": __version__}


async def test_health_asks_no_provider(server: TestServer, fake_upstream: FakeUpstream) -> None:
    await fetch(server, "GET", "/health")
    assert fake_upstream.requests == []


async def test_status_tells_live_providers_from_the_others(fake_upstream: FakeUpstream) -> None:
    config = upstream_config(fake_upstream)
    config["providers"]["off"] = {**config["providers"]["upstream"], "enabled": False}
    config["providers"]["keyless"] = {"npm": "@ai-sdk/openai-compatible", "api": fake_upstream.url}
    async with make_app(config=config) as server:
        answer = await fetch(server, "GET", "/status")
    assert answer.json == {
        "all": ["keyless", "off", "upstream"],
        "enabled": ["upstream"],
        "disabled": ["keyless", "off"],
    }


async def test_status_counts_a_provider_that_an_extension_brought() -> None:
    async with make_app() as server:
        assert (await fetch(server, "GET", "/status")).json["enabled"] == ["fake"]


async def test_config_tells_what_a_page_needs_at_its_start() -> None:
    def gallery(_: object) -> None: ...

    config = {"defaults": {"text": {"model": "fake-model", "messages": []}}}
    async with make_app(gallery, config=config) as server:
        answer = (await fetch(server, "GET", "/config")).json
    assert answer == {
        "defaults": {"text": {"model": "fake-model", "messages": []}},
        "status": {"enabled": ["fake"], "disabled": []},
        "extensions": ["gallery"],
        "requiresAuth": False,
        "providers": [{"id": "fake"}],
    }


async def test_config_says_whether_and_how_to_sign_in() -> None:
    class ByKey(AuthProvider):
        auth_type = "apikey"

    async with make_app() as server:
        server.app.auth.set_provider(ByKey(server.app.auth))
        answer = (await fetch(server, "GET", "/config")).json
    assert (answer["requiresAuth"], answer["authType"]) == (True, "apikey")


def full_of_secrets(upstream: FakeUpstream) -> dict[str, Any]:
    entry, voice, password, header, in_url = SECRETS
    config = upstream_config(upstream, api_key=entry, headers={"X-Api-Key": header})
    config["defaults"] = {
        "headers": {"Authorization": f"Bearer {header}", "User-Agent": "llms"},
        "voice": {"provider": "upstream", "api_key": voice, "url": f"http://me:{in_url}@127.0.0.1/v1"},
        "text": {"model": "fake-model", "messages": [], "password": password},
    }
    config["auth"] = {"password": password, "clientSecret": entry}
    return config


async def test_config_status_and_models_tell_no_secret(fake_upstream: FakeUpstream) -> None:
    async with make_app(config=full_of_secrets(fake_upstream)) as server:
        told = [(await fetch(server, "GET", path)).body for path in ("/config", "/status", "/models", "/v1/models")]
    assert [secret for secret in SECRETS if any(secret.encode() in body for body in told)] == []


async def test_config_keeps_what_stands_beside_a_secret(fake_upstream: FakeUpstream) -> None:
    async with make_app(config=full_of_secrets(fake_upstream)) as server:
        defaults = (await fetch(server, "GET", "/config")).json["defaults"]
    assert defaults["voice"]["provider"] == "upstream"
    assert "headers" not in defaults, "what is sent to providers may hold a secret under any name"


async def test_asking_for_the_configuration_does_not_change_it(fake_upstream: FakeUpstream) -> None:
    async with make_app(config=full_of_secrets(fake_upstream)) as server:
        before = json.dumps(server.app.config.data), server.app.config.file.read_bytes()
        await fetch(server, "GET", "/config")
        assert (json.dumps(server.app.config.data), server.app.config.file.read_bytes()) == before
