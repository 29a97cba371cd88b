"""Engines whose processes are counted: whatever a test starts must be gone, folder and all, when it ends."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from llms.extensions.local.engine import Engine
from llms.extensions.local.models import LocalModel
from llms.extensions.local.tests.stage import MakeEngine, MakeModel


@pytest.fixture
def runtime_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where sockets go, short enough for them; empty again after the test."""
    folder = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    try:
        yield folder
        assert list(folder.iterdir()) == []
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def fake_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).with_name("fake_runtime")))


@pytest.fixture
def make_model(tmp_path: Path, fake_runtime: None) -> MakeModel:
    """A model for the fake runtime, which does what the file's name says."""

    def make(word: str) -> LocalModel:
        path = tmp_path / f"{word}.gguf"
        path.write_text(word)
        return LocalModel(word, word, path, context=2048, slots=4)

    return make


@pytest.fixture
async def make_engine(runtime_folder: Path) -> AsyncIterator[MakeEngine]:
    engines: list[Engine] = []

    def make(model: LocalModel, **options: Any) -> Engine:
        engines.append(Engine(model, **{"start_seconds": 30, **options}))
        return engines[-1]

    yield make
    for engine in engines:
        await engine.stop()
        assert engine.pid is None
