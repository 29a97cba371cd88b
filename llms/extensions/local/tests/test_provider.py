"""The models on this machine as the server offers them. With the real model: shape only, never its words."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llms.extensions import local
from llms.extensions.local.models import DEMO_ID
from llms.extensions.local.runtime import is_installed
from llms.extensions.local.tests.ggufs import gguf, number, text
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


@needs_the_runtime
async def test_a_file_put_into_the_folder_is_a_model_at_once(server: TestServer, models: Path) -> None:
    (models / "Mine v2.gguf").write_bytes(MINE)
    listed = {model["id"]: model for model in server.app.registry.models()}
    assert listed["mine-v2"]["name"] == "Mine"
    assert listed["mine-v2"]["limit"]["context"] == 512
    assert "demo" not in {key for key, value in listed["mine-v2"].items() if value}
    (models / "Mine v2.gguf").unlink()
    assert "mine-v2" not in {model["id"] for model in server.app.registry.models()}


@needs_the_runtime
async def test_a_file_the_runtime_cannot_load_is_a_clear_error(server: TestServer, models: Path) -> None:
    (models / "torn.gguf").write_bytes(MINE)
    reply = await server.chat("Hello", model="torn")
    assert reply.status == 502
    assert "torn" in reply.body["error"]["message"]
    assert str(models) not in json.dumps(reply.body)
