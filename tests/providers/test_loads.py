"""Models that are told later: by servers that are slow, silent or not yet up."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from llms.kernel.errors import ModelNotFound
from llms.kernel.limits import Limits
from llms.providers import loads
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.registry import Registry
from llms.testing import FakeUpstream

from .configured import build, entry, warnings


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    registry = Registry(HttpClient(Limits()))
    yield registry
    await registry.close()
    await registry.http.close()


class Slow(OpenAiCompatible):
    """Lists `late` once its gate is opened."""

    sdk = "slow"
    gate: asyncio.Event

    async def load(self) -> None:
        await self.gate.wait()
        self.set_models(models={"late": {}})


@pytest.fixture
def slow(registry: Registry) -> type[Slow]:
    registry.add_class(Slow)
    Slow.gate = asyncio.Event()
    return Slow


async def test_a_provider_is_live_before_it_has_listed_its_models(registry: Registry, slow: type[Slow]) -> None:
    registry.rebuild({"providers": {"slow": entry(npm="slow"), "quick": entry("m")}}, {})
    assert list(registry.live) == ["slow", "quick"]
    assert [provider.id for provider in registry.candidates("m")] == ["quick"]
    assert not await registry.loaded(within=0.01)


async def test_a_model_that_is_about_to_be_listed_is_waited_for(registry: Registry, slow: type[Slow]) -> None:
    registry.rebuild({"providers": {"slow": entry(npm="slow"), "quick": entry("m")}}, {})
    asking = asyncio.create_task(registry.find("late"))
    await asyncio.sleep(0)
    slow.gate.set()
    assert [provider.id for provider in await asking] == ["slow"]


async def test_a_model_that_is_known_is_not_waited_for(registry: Registry, slow: type[Slow]) -> None:
    registry.rebuild({"providers": {"slow": entry(npm="slow"), "quick": entry("m")}}, {})
    assert [provider.id for provider in await registry.find("m")] == ["quick"]
    assert not slow.gate.is_set()


async def test_a_server_that_comes_up_later_is_found_when_its_model_is_asked_for(registry: Registry) -> None:
    tags = json.dumps({"models": [{"name": "llama"}]}).encode()
    async with FakeUpstream() as upstream:
        upstream.enqueue_error(503, "Starting.")
        await build(registry, {"ollama": {"npm": "ollama", "api": upstream.url}, "quick": entry("m")})
        assert not registry.live["ollama"].models
        upstream.enqueue(tags)
        assert [provider.id for provider in await registry.find("llama")] == ["ollama"]


async def test_a_model_that_nobody_has_makes_no_flood_of_questions(registry: Registry) -> None:
    async with FakeUpstream() as upstream:
        await build(registry, {"ollama": {"npm": "ollama", "api": upstream.url}})
        for _ in range(5):
            with pytest.raises(ModelNotFound):
                await registry.find("nothing")
        assert len(upstream.requests) == 2


async def test_a_provider_that_stays_silent_is_given_up_and_named(
    registry: Registry, slow: type[Slow], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "LONGEST", 0.01)
    await build(registry, {"acme": entry(npm="slow")})
    assert warnings(caplog) == ["Provider acme did not list its models within 0.01 s. Check that its server is well."]


async def test_building_anew_ends_the_loads_of_the_old(registry: Registry, slow: type[Slow]) -> None:
    registry.rebuild({"providers": {"a": entry(npm="slow")}}, {})
    await asyncio.sleep(0)
    assert list(await build(registry, {"b": entry("m")})) == ["b"]


async def test_close_ends_the_loads(registry: Registry, slow: type[Slow]) -> None:
    registry.rebuild({"providers": {"a": entry(npm="slow")}}, {})
    await asyncio.sleep(0)
    await registry.close()
    await registry.close()
    assert await registry.loaded(within=0)
