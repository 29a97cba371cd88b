"""The real runtime with the real demo model. Shape and order only: never its words, never its speed."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from llms.api import ProviderUnreachable
from llms.extensions.local.endpoint import Endpoint
from llms.extensions.local.engine import Engine
from llms.extensions.local.models import DEMO_ID, LocalModel, installed_models
from llms.extensions.local.runtime import is_installed
from llms.extensions.local.tests.stage import MakeEngine, crash, eventually, get, session

FOLDER = Path(os.environ.get("LLMS_TEST_MODELS") or Path.home() / ".llms" / "models")
DEMO = next((model for model in installed_models(FOLDER) if model.id == DEMO_ID), None)

pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="xllamacpp is not installed: run `llms local install`"),
    pytest.mark.skipif(DEMO is None, reason=f"no demo weights in {FOLDER}: run `llms local install`"),
]


@pytest.fixture
def model() -> LocalModel:
    assert DEMO is not None
    return DEMO


@pytest.fixture
def engine(make_engine: MakeEngine, model: LocalModel) -> Engine:
    return make_engine(model)


async def events(endpoint: Endpoint, prompt: str, **fields: Any) -> AsyncGenerator[dict[str, Any]]:
    """A streamed chat's events; leaving the loop closes the connection."""
    chat = {
        "model": DEMO_ID,
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
        "return_progress": True,
        "max_tokens": 8,
        **fields,
    }
    async with session(endpoint) as http, http.post("/v1/chat/completions", json=chat) as reply:
        assert reply.status == 200
        async for line in reply.content:
            if line.startswith(b"data: {"):
                yield json.loads(line[6:])


async def idle_slots(endpoint: Endpoint) -> list[dict[str, Any]]:
    """The server's slots, as soon as none is at work."""
    async with asyncio.timeout(60):
        while True:
            slots: list[dict[str, Any]] = await get(endpoint, "/slots")
            if not any(slot["is_processing"] for slot in slots):
                return slots
            await asyncio.sleep(0.05)


async def chunks(endpoint: Endpoint, prompt: str = "Hello", **fields: Any) -> list[dict[str, Any]]:
    return [event async for event in events(endpoint, prompt, **fields) if "prompt_progress" not in event]


async def test_a_chat_streams_and_finishes(engine: Engine) -> None:
    async with engine.use() as endpoint:
        said = await chunks(endpoint)
    assert len([chunk for chunk in said if chunk["choices"] and chunk["choices"][0]["delta"].get("content")]) > 1
    assert said[-1]["choices"][0]["finish_reason"] in ("length", "stop")


async def test_replies_name_the_model_and_never_its_path(engine: Engine) -> None:
    async with engine.use() as endpoint:
        assert {chunk["model"] for chunk in await chunks(endpoint)} == {DEMO_ID}
        listed = json.dumps(await get(endpoint, "/v1/models"))
    assert DEMO_ID in listed
    assert str(FOLDER) not in listed


async def test_four_chats_run_at_once_with_2048_tokens_each(engine: Engine) -> None:
    async with engine.use() as endpoint:
        assert [slot["n_ctx"] for slot in await get(endpoint, "/slots")] == [2048] * 4
        for said in await asyncio.gather(*(chunks(endpoint, f"Say {number}") for number in range(4))):
            assert said[-1]["choices"][0]["finish_reason"]


async def test_a_chat_cancelled_in_the_prompt_phase_frees_its_slot_before_the_prompt_is_read(
    engine: Engine,
) -> None:
    async with engine.use() as endpoint:
        progress = events(endpoint, "the quick brown fox " * 450)
        prompt_tokens = (await anext(progress))["prompt_progress"]["total"]
        await progress.aclose()
        slots = await idle_slots(endpoint)
    assert prompt_tokens > 1000
    assert max(slot.get("n_prompt_tokens", 0) for slot in slots) < prompt_tokens


async def test_a_prompt_longer_than_the_context_is_refused(engine: Engine) -> None:
    chat = {"messages": [{"role": "user", "content": "fox " * 4000}]}
    async with (
        engine.use() as endpoint,
        session(endpoint) as http,
        http.post("/v1/chat/completions", json=chat) as reply,
    ):
        assert reply.status == 400
        assert (await reply.json())["error"]["type"] == "exceed_context_size_error"


async def test_after_kill_9_the_next_chat_is_answered(engine: Engine) -> None:
    await crash(engine)
    async with engine.use() as endpoint:
        assert await chunks(endpoint)


async def test_two_engines_answer_at_once(make_engine: MakeEngine, model: LocalModel) -> None:
    first, second = make_engine(model), make_engine(model)
    async with first.use() as here, second.use() as there:
        assert all(await asyncio.gather(chunks(here), chunks(there)))


async def test_no_web_page_is_allowed_to_call(engine: Engine) -> None:
    async with (
        engine.use() as endpoint,
        session(endpoint) as http,
        http.get("/health", headers={"Origin": "https://evil.example"}) as reply,
    ):
        assert not reply.headers.get("Access-Control-Allow-Origin")
        assert "Access-Control-Allow-Credentials" not in reply.headers


async def test_on_a_loopback_port_only_the_key_opens(make_engine: MakeEngine, model: LocalModel) -> None:
    async with make_engine(model, tcp=True).use() as endpoint:
        assert await chunks(endpoint)
        stranger = Endpoint(endpoint.url, socket=None, api_key="guessed")
        async with session(stranger) as http, http.post("/v1/chat/completions", json={}) as reply:
            assert reply.status == 401


async def test_a_torn_model_file_says_so_without_its_folder(make_engine: MakeEngine, tmp_path: Path) -> None:
    assert DEMO is not None
    torn = tmp_path / "torn.gguf"
    with DEMO.path.open("rb") as whole:
        torn.write_bytes(whole.read(5_000_000))
    [model] = installed_models(tmp_path)
    with pytest.raises(ProviderUnreachable, match="corrupted or incomplete") as error:
        await make_engine(model).start()
    assert str(tmp_path) not in str(error.value)


async def test_an_idle_model_comes_back(make_engine: MakeEngine, model: LocalModel) -> None:
    engine = make_engine(model, idle_seconds=0)
    async with engine.use() as endpoint:
        await chunks(endpoint)
    await eventually(lambda: engine.pid is None)
    async with engine.use() as endpoint:
        assert await chunks(endpoint)
