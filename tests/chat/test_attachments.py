"""What a chat points at, put into it."""

from typing import Any

import pytest

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
