"""Whose images are converted, how many at once and how much of them."""

import asyncio
import threading
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageFile

from llms.kernel.errors import RequestError
from llms.kernel.types import Chat
from llms.media import converter
from llms.media.converter import Convert, Converter
from llms.media.inline import inlined


def picture(width: int, height: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, "PNG")
    return buffer.getvalue()


LARGE = picture(100, 50)


@pytest.fixture
def images() -> Iterator[Converter]:
    images = Converter()
    yield images
    images.close()


class SlowPillow:
    """A conversion that lasts until it is told to end."""

    def __init__(self) -> None:
        self.end = threading.Event()
        self.begun = 0
        self._lock = threading.Lock()

    def __call__(self, data: bytes, mime: str, **_: Any) -> tuple[bytes, str]:
        with self._lock:
            self.begun += 1
        assert self.end.wait(20)
        return data, "image/png"

    async def has_begun(self, times: int) -> None:
        async with asyncio.timeout(20):
            while self.begun < times:  # noqa: ASYNC110 - threads set no event of the loop
                await asyncio.sleep(0.001)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowPillow]:
    slow = SlowPillow()
    monkeypatch.setattr(converter, "convert", slow)
    yield slow
    slow.end.set()


async def ask(fit: Convert, *pictures: bytes) -> Chat:
    urls = [f"data:image/png;base64,{b64encode(data).decode()}" for data in pictures]
    parts: Any = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return await inlined(
        {"model": "m", "messages": [{"role": "user", "content": parts}]}, fetch=nowhere, local_files=False, convert=fit
    )


async def nowhere(url: str) -> tuple[bytes, str, str]:
    raise AssertionError(url)


async def test_two_images_are_converted_at_once_however_many_chats_have_some(
    images: Converter, slow: SlowPillow
) -> None:
    chats = [asyncio.ensure_future(ask(images.for_chat(), LARGE, LARGE)) for _ in range(3)]
    await slow.has_begun(2)
    await asyncio.sleep(0.05)  # a third would begin now
    assert slow.begun == 2
    slow.end.set()
    await asyncio.gather(*chats)
    assert slow.begun == 6


async def test_a_chat_that_was_given_up_makes_no_room_for_more_than_two(images: Converter, slow: SlowPillow) -> None:
    given_up = asyncio.ensure_future(ask(images.for_chat(), LARGE, LARGE, LARGE))
    await slow.has_begun(2)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    patient = asyncio.ensure_future(ask(images.for_chat(), LARGE))
    await asyncio.sleep(0.05)
    assert slow.begun == 2
    slow.end.set()
    await patient
    assert slow.begun == 3  # the third image of the chat that was given up never began


async def test_the_large_images_of_one_chat_are_bounded_together(
    images: Converter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converter, "MAX_CHAT_PIXELS", 3 * 5000)
    await ask(images.for_chat(max_size="10x10"), *[LARGE] * 3)
    with pytest.raises(RequestError, match=r"^Invalid image: The large images .* together\. Send fewer") as refused:
        await ask(images.for_chat(max_size="10x10"), *[LARGE] * 4)
    assert refused.value.status == 400


async def test_what_is_over_the_bound_is_never_unpacked(images: Converter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converter, "MAX_CHAT_PIXELS", 4999)
    monkeypatch.setattr(ImageFile.ImageFile, "load", None)
    with pytest.raises(RequestError, match="megapixels together"):
        await ask(images.for_chat(max_size="10x10"), LARGE)


async def test_small_images_are_not_counted(images: Converter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converter, "MAX_CHAT_PIXELS", 1)
    await ask(images.for_chat(), *[LARGE] * 20)


def test_four_of_the_largest_images_are_not_too_many() -> None:
    from llms.media.images import MAX_PIXELS

    assert converter.MAX_CHAT_PIXELS == 4 * MAX_PIXELS


async def test_other_work_with_images_waits_for_the_same_threads(images: Converter, slow: SlowPillow) -> None:
    chat = asyncio.ensure_future(ask(images.for_chat(), LARGE, LARGE))
    await slow.has_begun(2)
    other = asyncio.ensure_future(images.run(lambda: threading.current_thread().name))
    await asyncio.sleep(0.05)
    assert not other.done()
    slow.end.set()
    await chat
    assert (await other).startswith("llms-images")
