"""What all generators have in common."""

import asyncio
import json
import re
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from llms.api import ConfigError, GeneratorBase, ProviderError
from llms.extensions.providers.generators import catalog
from llms.extensions.providers.generators.catalog import GENERATORS
from llms.extensions.providers.generators.openai_images import OpenAiImages
from llms.extensions.providers.generators.openai_speech import OpenAiSpeech
from llms.testing import FakeUpstream, Hang


def test_each_has_a_name_of_its_own_in_configurations() -> None:
    names = [cls.sdk for cls in GENERATORS]
    assert len(set(names)) == len(names)
    assert {
        *("openai/image", "openrouter/image", "openrouter/audio", "openrouter/text-to-speech", "chutes/image"),
        *("nvidia/image", "zai/image", "mistral/transcriptions", "fireworks/image", "openai/speech", "gemini/image"),
        *("openai/transcriptions", "groq/transcriptions", "gemini/speech"),
    } <= {*names}


@pytest.mark.parametrize("cls", GENERATORS, ids=lambda cls: str(cls.sdk))
def test_each_knows_where_its_vendor_is(cls: Any) -> None:
    maker = cls(api_key="k")
    assert issubclass(cls, GeneratorBase)
    assert maker.url.startswith("https://")
    assert cls(api="http://localhost/v1", chat_url="http://localhost/paint").url == "http://localhost/paint"


async def test_the_vendors_own_id_of_the_model_is_sent(asking: Any, png: str) -> None:
    openai = asking(OpenAiImages, map_models={"painter": "gpt-image-1"}, models={"gpt-image-1": {}})
    openai.answers({"data": [{"b64_json": png}]})
    await openai(model="painter")
    assert openai.sent["model"] == "gpt-image-1"


async def test_a_model_paid_by_the_request_tells_what_it_cost(asking: Any, png: str) -> None:
    openai = asking(OpenAiImages, models={"m": {"cost": {"type": "request", "output": 0.04}}})
    openai.answers({"data": [{"b64_json": png}]})
    assert (await openai())["cost"] == 0.04


async def test_who_stops_waiting_closes_the_connection(asking: Any, fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue(Hang())
    waiting = asyncio.create_task(asking(OpenAiImages)())
    while not fake_upstream.requests:  # noqa: ASYNC110 - nobody else can tell that it has come
        await asyncio.sleep(0)
    waiting.cancel()
    await fake_upstream.gone.wait()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_one_that_is_not_attached_says_so() -> None:
    chat: Any = {"model": "m", "messages": [{"role": "user", "content": "A cat"}]}
    with pytest.raises(ConfigError, match="not registered"):
        await OpenAiImages(api_key="k", name="Acme").chat(chat)


def test_one_answer_can_be_read_by_itself(png: str) -> None:
    chat: Any = {"model": "m", "messages": []}
    completion: Any = OpenAiImages(name="Acme").to_response({"data": [{"b64_json": png}]}, chat, 0.0)
    assert len(completion["choices"][0]["message"]["images"]) == 1


@pytest.fixture
def mocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOCK", "1")
    monkeypatch.setenv("MOCK_DIR", str(tmp_path))
    return tmp_path


async def test_mocked_ones_answer_from_files(asking: Any, png: str, mocked: Path) -> None:
    (mocked / "openai-image.json").write_text(json.dumps({"data": [{"b64_json": png}]}))
    (mocked / "openai-speech.json").write_text(json.dumps({"audio_data": "SUQz"}))
    openai = asking(OpenAiImages)
    assert len((await openai())["choices"][0]["message"]["images"]) == 1
    assert len((await asking(OpenAiSpeech)())["choices"][0]["message"]["audios"]) == 1
    assert openai.vendor.requests == []


async def test_a_mock_that_is_missing_or_broken_is_named(asking: Any, mocked: Path) -> None:
    with pytest.raises(ConfigError, match=r"openai-image\.json cannot be read"):
        await asking(OpenAiImages)()
    (mocked / "openai-image.json").write_text("{")
    with pytest.raises(ProviderError, match=r"openai-image\.json"):
        await asking(OpenAiImages)()


def test_each_is_in_the_docs() -> None:
    page = (Path(__file__).parents[5] / "docs" / "media.md").read_text("utf-8")
    table = page.partition("## The generators")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `") and "npm" not in line]
    told = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert told == {cls.sdk for cls in GENERATORS}


def test_what_a_vendor_has_without_being_told_can_be_chosen_too() -> None:
    usual = [table for table in vars(catalog).values() if isinstance(table, MappingProxyType)]
    assert usual
    assert {cls for table in usual for cls in table.values()} <= {*GENERATORS}
