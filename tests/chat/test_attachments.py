"""What a chat points at, put into it."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from llms.chat.attachments import Attachments
from llms.kernel.errors import RequestError
from llms.testing import make_app

CHAT: Any = {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": "http://x/a.txt"}}]}]}


@pytest.mark.parametrize(("again", "fetched"), [(True, 1), (False, 2)])
async def test_a_chat_that_is_sent_again_fetches_each_url_once(again: bool, fetched: int) -> None:
    asked: list[str] = []

    async def fetch(url: str) -> tuple[bytes, str, str]:
        asked.append(url)
        return b"Hello", "text/plain", "a.txt"

    async with make_app() as server:
        app = server.app
        parts: Any = {"config": app.config, "fetch": fetch, "converter": app.converter, "cache": app.cache}
        attachments = Attachments(**parts, again=again)
        first, second = [await attachments.inside(CHAT, {}) for _ in range(2)]
    assert len(asked) == fetched
    assert first == second
    assert first["messages"][0]["content"] == [
        {"type": "file", "file": {"file_data": "data:text/plain;base64,SGVsbG8=", "filename": "a.txt"}}
    ]


async def test_what_could_not_be_fetched_is_tried_again() -> None:
    asked: list[str] = []

    async def fetch(url: str) -> tuple[bytes, str, str]:
        asked.append(url)
        raise RequestError("Gone.")

    async with make_app() as server:
        app = server.app
        attachments = Attachments(config=app.config, fetch=fetch, converter=app.converter, cache=app.cache, again=True)
        for _ in range(2):
            with pytest.raises(RequestError, match="Gone"):
                await attachments.inside(CHAT, {})
    assert len(asked) == 2


@pytest.mark.parametrize(("again", "converted"), [(True, 1), (False, 2)])
async def test_a_chat_that_is_sent_again_converts_each_image_once(again: bool, converted: int) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (3000, 10)).save(buffer, "PNG")
    uri = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    chat: Any = {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": uri}}]}]}
    async with make_app() as server:
        app, asked = server.app, []
        run = app.converter.run

        async def counted(work: Any) -> Any:
            asked.append(work)
            return await run(work)

        app.converter.run = counted  # type: ignore[method-assign]
        attachments = Attachments(
            config=app.config, fetch=app.fetch, converter=app.converter, cache=app.cache, again=again
        )
        first, second = [await attachments.inside(chat, {}) for _ in range(2)]
    assert len(asked) == converted
    assert first == second
    content: Any = first["messages"][0]["content"]
    assert content[0]["image_url"]["url"].startswith("data:image/webp;base64,")
