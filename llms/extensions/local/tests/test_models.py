"""What the models folder offers."""

import logging
import os
from pathlib import Path

import pytest

from llms.extensions.local.models import DEMO_ID, installed_models
from llms.extensions.local.tests.ggufs import gguf, number, text
from llms.extensions.local.weights import SMOLLM2


def put(folder: Path, name: str, *, architecture: str = "llama", context: int = 4096, title: str = "") -> Path:
    path = folder / name
    pairs = [text("general.architecture", architecture), number(f"{architecture}.context_length", context)]
    path.write_bytes(gguf(*pairs, *([text("general.name", title)] if title else [])))
    return path


def put_demo(folder: Path) -> None:
    with (folder / SMOLLM2.file_name).open("wb") as file:
        file.truncate(SMOLLM2.file_bytes)


def ids(folder: Path) -> list[str]:
    return [model.id for model in installed_models(folder)]


def test_a_folder_that_is_not_there_offers_nothing(tmp_path: Path) -> None:
    assert installed_models(tmp_path / "models") == []


def test_the_demo_model_comes_first_with_four_slots_of_2048(tmp_path: Path) -> None:
    put(tmp_path, "Alpha.gguf")
    put_demo(tmp_path)
    demo, other = installed_models(tmp_path)
    assert (demo.id, demo.context, demo.slots, demo.path.name) == (DEMO_ID, 2048, 4, SMOLLM2.file_name)
    assert "demo" in demo.name
    assert other.id == "alpha"


def test_a_half_copied_demo_file_is_not_offered(tmp_path: Path) -> None:
    put(tmp_path, SMOLLM2.file_name)
    assert ids(tmp_path) == []


def test_a_users_file_is_named_by_its_stem_and_shown_by_its_own_name(tmp_path: Path) -> None:
    path = put(tmp_path, "Qwen2.5 0.5B (Q4_K_M).GGUF", title="Qwen2.5 0.5B Instruct")
    [model] = installed_models(tmp_path)
    assert (model.id, model.name) == ("qwen2.5-0.5b-q4_k_m", "Qwen2.5 0.5B Instruct")
    assert (model.path, model.context, model.slots) == (path, 4096, 1)


def test_a_long_context_is_capped(tmp_path: Path) -> None:
    put(tmp_path, "long.gguf", context=131072)
    assert installed_models(tmp_path)[0].context == 8192


def test_two_files_never_share_an_id(tmp_path: Path) -> None:
    for name in ("A b.gguf", "a-b.gguf", f"{DEMO_ID}.gguf"):
        put(tmp_path, name)
    assert sorted(ids(tmp_path)) == ["a-b", "a-b-2", f"{DEMO_ID}-2"]


def test_a_file_that_is_no_gguf_is_skipped_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "notes.gguf").write_text("hello")
    put(tmp_path, "good.gguf")
    with caplog.at_level(logging.WARNING):
        assert ids(tmp_path) == ["good"]
    assert "notes.gguf" in caplog.text


def test_what_is_no_model_by_itself_is_not_offered(tmp_path: Path) -> None:
    put(tmp_path, "mmproj.gguf", architecture="clip")
    put(tmp_path, "big-00002-of-00002.gguf")
    put(tmp_path, ".hidden.gguf")
    put(tmp_path, "notes.txt")
    (tmp_path / "folder.gguf").mkdir()
    os.mkfifo(tmp_path / "pipe.gguf")
    (tmp_path / "dangling.gguf").symlink_to(tmp_path / "nowhere")
    put(tmp_path, "big-00001-of-00002.gguf")
    assert ids(tmp_path) == ["big"]
