"""The models on this machine as the server offers them. With the real model: shape only, never its words."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llms.api import ExtensionContext, Limits
from llms.extensions import local
from llms.extensions.local import runtime
from llms.extensions.local.models import DEMO_ID
from llms.extensions.local.runtime import is_installed
from llms.extensions.local.tests.ggufs import gguf, number, text
from llms.extensions.local.tests.stage import eventually
from llms.extensions.local.tests.test_real_model import DEMO, FOLDER
from llms.testing import FakeProvider, TestServer, make_app

needs_the_runtime = pytest.mark.skipif(not is_installed(), reason="xllamacpp is not installed")
needs_the_model = pytest.mark.skipif(DEMO is None or not is_installed(), reason=f"no demo model in {FOLDER}")
MINE = gguf(text("general.architecture", "llama"), text("general.name", "Mine"), number("llama.context_length", 512))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The folder of models, with the demo model where it is installed."""
    folder = tmp_path / "models"
    folder.mkdir()
    if DEMO is not None:
        (folder / DEMO.path.name).symlink_to(DEMO.path)
    return folder


@pytest.fixture
def runtime_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if xllamacpp were installed, wherever the test runs."""
    monkeypatch.setattr(runtime, "is_installed", lambda: True)


def ids(server: TestServer) -> list[str]:
    return [model["id"] for model in server.app.registry.models()]


@pytest.fixture
async def server(models: Path, runtime_folder: Path) -> AsyncIterator[TestServer]:
    """A server with nothing but the `local` extension; when it has stopped, nothing of a model is left."""
    async with make_app(local, home=models.parent) as server:
        del server.app.registry.live[server.provider.id]
        yield server


@needs_the_model
async def test_the_demo_model_answers_streamed(server: TestServer) -> None:
    reply = await server.chat("Hello", model=DEMO_ID, stream=True, max_tokens=8)
    assert reply.status == 200
    assert reply.text
    assert not any("prompt_progress" in chunk for chunk in reply.chunks)
    assert [c["finish_reason"] for chunk in reply.chunks for c in chunk["choices"]][-1] in ("stop", "length")


@needs_the_model
async def test_the_demo_model_answers_whole_with_its_usage(server: TestServer) -> None:
    reply = await server.chat("Hello", model=DEMO_ID, max_tokens=8)
    assert reply.text
    assert reply.body["usage"]["completion_tokens"] > 0
    assert reply.body["model"] == DEMO_ID


@needs_the_model
async def test_the_demo_model_is_the_default_only_where_nothing_else_can_answer(server: TestServer) -> None:
    registry = server.app.registry
    assert registry.default_model() == DEMO_ID
    registry.live["real"] = FakeProvider("real", models=("real-model",))
    assert registry.default_model() == "real-model"


@needs_the_model
async def test_a_prompt_too_long_for_the_model_is_the_callers_error(server: TestServer) -> None:
    reply = await server.chat("fox " * 4000, model=DEMO_ID)
    assert reply.status == 400
    assert "context" in reply.body["error"]["message"]


async def test_a_file_put_into_the_folder_is_a_model_within_a_second_or_so(
    server: TestServer, models: Path, runtime_here: None
) -> None:
    (models / "Mine v2.gguf").write_bytes(MINE)
    await eventually(lambda: "mine-v2" in ids(server))
    listed = {model["id"]: model for model in server.app.registry.models()}
    assert listed["mine-v2"]["name"] == "Mine"
    assert listed["mine-v2"]["limit"]["context"] == 512
    assert "demo" not in {key for key, value in listed["mine-v2"].items() if value}
    (models / "Mine v2.gguf").unlink()
    await eventually(lambda: "mine-v2" not in ids(server))


async def test_a_file_seen_while_it_was_being_written_is_a_model_when_it_is_whole(
    server: TestServer, models: Path, runtime_here: None, caplog: pytest.LogCaptureFixture
) -> None:
    path = models / "mine.gguf"
    provider = server.app.registry.live["local"]
    for content in (b"", MINE[:20], MINE):
        path.write_bytes(content)
        provider.look()
    assert "mine" in ids(server)
    assert caplog.text.count("mine.gguf skipped") == 1


async def test_a_model_file_that_was_replaced_is_loaded_anew(
    server: TestServer, models: Path, runtime_here: None, fake_runtime: None
) -> None:
    (models / "refuse.gguf").write_bytes(MINE)
    server.app.registry.live["local"].look()
    for _ in range(4):
        refused = await server.chat("Hello", model="refuse")
    assert "times within a minute" in refused.body["error"]["message"]
    (models / "refuse.gguf").write_bytes(MINE + b"more")
    server.app.registry.live["local"].look()
    refused = await server.chat("Hello", model="refuse")
    assert "did not start" in refused.body["error"]["message"]


async def test_a_runtime_installed_later_is_noticed(
    server: TestServer, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (models / "mine.gguf").write_bytes(MINE)
    monkeypatch.setattr(runtime, "is_installed", lambda: False)
    server.app.registry.live["local"].look()
    assert ids(server) == []
    monkeypatch.setattr(runtime, "is_installed", lambda: True)
    await eventually(lambda: "mine" in ids(server))


@needs_the_model
async def test_the_demo_model_is_there_as_soon_as_the_command_has_fetched_it(
    models: Path, runtime_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts: list[ExtensionContext] = []
    monkeypatch.setattr(runtime, "is_installed", lambda: False)
    monkeypatch.setattr(runtime, "install", lambda: monkeypatch.setattr(runtime, "is_installed", lambda: True))
    async with make_app(local, contexts.append, home=models.parent) as server:
        del server.app.registry.live[server.provider.id]
        assert ids(server) == []
        assert await local.run(contexts[0], ["install"]) == 0
        assert ids(server) == [DEMO_ID]


async def test_limits_that_changed_while_the_server_runs_count(
    server: TestServer, models: Path, runtime_here: None, fake_runtime: None
) -> None:
    (models / "mute.gguf").write_bytes(MINE)
    server.app.registry.live["local"].look()
    server.app.config.limits = Limits(first_byte_timeout=0.05, retries=1)  # as a reload does
    reply = await server.chat("Hello", model="mute")
    assert "did not begin to answer within 0.05 s" in reply.body["error"]["message"]


@needs_the_runtime
async def test_a_file_the_runtime_cannot_load_is_a_clear_error(server: TestServer, models: Path) -> None:
    (models / "torn.gguf").write_bytes(MINE)
    server.app.registry.live["local"].look()
    reply = await server.chat("Hello", model="torn")
    assert reply.status == 502
    assert "torn" in reply.body["error"]["message"]
    assert str(models) not in json.dumps(reply.body)
