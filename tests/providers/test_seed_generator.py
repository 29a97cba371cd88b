"""The guide's own generator, attached as the guide says, asked over a real wire."""

import json
from pathlib import Path
from typing import Any

import pytest

from llms.kernel.errors import ProviderError, RequestError
from llms.kernel.types import Chat, Context
from llms.providers.http import HttpClient
from llms.providers.registry import Registry
from llms.testing import FakeUpstream

from ..samples import openrouter_image
from .asking import answer
from .configured import KEY, build, entry

IMAGE = "data:image/png;base64,aGVsbG8="
CHAT: Chat = {
    "model": "painter",
    "messages": [{"role": "user", "content": "A cat"}],
    "modalities": ["image", "text"],
    "metadata": {"threadId": 1},
    "stream": True,
    "tools": [{"type": "function", "function": {"name": "f"}}],
}


class Ctx:
    """As much of the context as the sample asks for."""

    MOCK = False
    MOCK_DIR: str | None = None

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.saved: list[Any] = []
        self.logged: list[Any] = []

    def add_provider(self, cls: Any) -> None:
        self._registry.add_class(cls)

    def last_user_prompt(self, chat: Any) -> Any:
        return chat["messages"][-1]["content"]

    def save_image_to_cache(self, data: Any, filename: str, info: Any) -> Any:
        self.saved.append((data, filename, info))
        return "/~cache/2c/2cf24d.png", info

    def text_from_file(self, path: str) -> str:
        return Path(path).read_text()

    def log(self, message: Any) -> Any:
        self.logged.append(message)
        return message

    log_json = log


@pytest.fixture
def ctx(http: HttpClient) -> Ctx:
    ctx = Ctx(Registry(http))
    openrouter_image.install(ctx)  # type: ignore[no-untyped-call]
    return ctx


async def openrouter(ctx: Ctx, vendor: FakeUpstream) -> Any:
    """The provider as the guide configures it; `streaming` asks it as the pipeline does."""
    described = entry(
        "acme/painter-1",
        api=vendor.url,
        map_models={"painter": "acme/painter-1"},
        modalities={"image": {"name": "OpenRouter Image", "npm": "openrouter/image"}},
    )
    await build(ctx._registry, {"openrouter": described})
    (provider,) = ctx._registry.candidates("painter")
    return provider


def painted() -> Any:
    image = {"type": "image_url", "image_url": {"url": IMAGE}}
    message = {"role": "assistant", "content": "", "images": [image]}
    return {"id": "g1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def check_painted(completion: Any, ctx: Ctx) -> None:
    message = completion["choices"][0]["message"]
    assert message["images"] == [{"type": "image_url", "image_url": {"url": "/~cache/2c/2cf24d.png"}}]
    assert message["content"]
    assert ctx.saved == [("aGVsbG8=", "painter-1-0.png", {"model": "painter-1", "prompt": "A cat"})]


async def test_it_makes_the_images_of_its_provider(ctx: Ctx, fake_upstream: FakeUpstream) -> None:
    provider = await openrouter(ctx, fake_upstream)
    fake_upstream.enqueue(json.dumps(painted()).encode())
    check_painted(await provider.chat(CHAT, {}), ctx)


async def test_a_stream_of_it_is_its_whole_answer(ctx: Ctx, fake_upstream: FakeUpstream) -> None:
    provider = await openrouter(ctx, fake_upstream)
    fake_upstream.enqueue(json.dumps(painted()).encode())
    check_painted(await answer(provider, CHAT), ctx)


async def test_the_vendor_is_asked_for_the_image_and_nothing_else(ctx: Ctx, fake_upstream: FakeUpstream) -> None:
    provider = await openrouter(ctx, fake_upstream)
    fake_upstream.enqueue(json.dumps(painted()).encode())
    await provider.chat(CHAT, {})
    (request,) = fake_upstream.requests
    assert request.body == {
        "model": "acme/painter-1",
        "messages": [{"role": "user", "content": "A cat"}],
        "modalities": ["image", "text"],
    }
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"] == "application/json"
    assert request.path == "/v1/chat/completions"


async def test_the_callers_chat_stays_as_it_is(ctx: Ctx, fake_upstream: FakeUpstream) -> None:
    provider = await openrouter(ctx, fake_upstream)
    fake_upstream.enqueue(json.dumps(painted()).encode())
    before = json.dumps(CHAT)
    await provider.chat(CHAT, {})
    assert json.dumps(CHAT) == before


async def test_it_answers_from_a_file_when_mocked(
    ctx: Ctx, fake_upstream: FakeUpstream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ctx.MOCK, ctx.MOCK_DIR = True, str(tmp_path)
    (tmp_path / "openrouter-image.json").write_text(json.dumps(painted()))
    provider = await openrouter(ctx, fake_upstream)
    check_painted(await provider.chat(CHAT, {}), ctx)
    assert fake_upstream.requests == []
    assert capsys.readouterr().out == "Mocking OpenRouterGenerator\n"


async def test_what_the_vendor_refuses_is_an_error_of_ours(ctx: Ctx, fake_upstream: FakeUpstream) -> None:
    provider = await openrouter(ctx, fake_upstream)
    fake_upstream.enqueue_error(429, "No more paint")
    with pytest.raises(ProviderError, match="No more paint") as raised:
        await provider.chat(CHAT, {})
    assert raised.value.upstream_status == 429


async def test_texts_are_not_its_business(ctx: Ctx, fake_upstream: FakeUpstream) -> None:
    provider = await openrouter(ctx, fake_upstream)
    fake_upstream.enqueue_text("Meow")
    told = await provider.chat({**CHAT, "modalities": ["text"]}, {})
    assert told["choices"][0]["message"]["content"] == "Meow"
    assert fake_upstream.requests[0].body["tools"] == CHAT["tools"]


async def test_a_modality_that_nobody_makes_is_refused_by_name(ctx: Ctx, fake_upstream: FakeUpstream) -> None:
    provider = await openrouter(ctx, fake_upstream)
    context: Context = {}
    with pytest.raises(RequestError, match=r"'openrouter' makes no video\. Add `modalities\.video`"):
        await provider.chat({**CHAT, "modalities": ["text", "video"]}, context)
    with pytest.raises(RequestError, match=r"makes no video"):
        await answer(provider, {**CHAT, "modalities": ["text", "video"]})
    assert fake_upstream.requests == []
