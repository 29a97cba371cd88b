"""What models make, moved into the cache."""

import base64
import io
import logging
import wave
from pathlib import Path
from typing import Any

import pytest

from llms.chat.made import Made
from llms.kernel.errors import RequestError
from llms.media.cache import Cache
from llms.providers.assembler import StreamAssembler
from llms.providers.events import StreamEvent, as_events

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
URI = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
MP3 = b"ID3\x04sound"
PCM = b"\x01\x00\x02\x00\xff\xfb"
CHAT: Any = {
    "model": "acme/painter-1",
    "messages": [{"role": "user", "content": "A cat"}],
    "image_config": {"aspect_ratio": "16:9"},
    "seed": 7,
}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


async def no_web(url: str) -> Any:
    raise RequestError(f"{url} is not on the public internet.")


def made(cache: Cache, chat: Any = CHAT, *, fetch: Any = no_web, **context: Any) -> Made:
    known: Any = context
    return Made(chat, known, cache=cache, fetch=fetch)


def image(url: str = URI, **about: Any) -> Any:
    return {"type": "image_url", "image_url": {"url": url}, **about}


def sound(data: bytes, mime: str = "audio/mpeg") -> Any:
    return {"type": "audio_url", "audio_url": {"url": f"data:{mime};base64,{base64.b64encode(data).decode()}"}}


def completion(more: Any = None, **message: Any) -> Any:
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": "stop"}
    return {"id": "1", "choices": [choice], **(more or {})}


def event(*, finish: str | None = None, plain: bool = False, more: Any = None, **delta: Any) -> StreamEvent:
    chunk: Any = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **(more or {})}
    return StreamEvent(chunk, b"raw", plain=plain)


def put_together(events: list[StreamEvent]) -> Any:
    assembler = StreamAssembler()
    assembler.feed_all(events)
    return assembler.so_far()["choices"][0]["message"]


def message_of(whole: Any) -> Any:
    return whole["choices"][0]["message"]


# -- whole answers ---------------------------------------------------------------------------------------------


async def test_an_image_becomes_a_url_of_the_cache_with_what_is_known_of_it(cache: Cache) -> None:
    whole = completion({"cost": 0.04}, images=[image(revised_prompt="A grey cat", index=0)])
    await made(cache, user="ada").take(whole)
    (part,) = message_of(whole)["images"]
    data, info = cache.read(part["image_url"]["url"])
    assert data == PNG
    known = {"model": "acme/painter-1", "prompt": "A cat", "aspect_ratio": "16:9", "seed": 7, "cost": 0.04}
    assert info.items() >= {**known, "revised_prompt": "A grey cat", "user": "ada", "type": "image/png"}.items()
    assert (info["width"], info["name"]) == (1, "painter-1.png")
    assert (part["type"], part["index"]) == ("image_url", 0)
    assert message_of(whole)["content"]


async def test_a_seed_that_the_vendor_tells_is_the_one_that_counts(cache: Cache) -> None:
    whole = completion(images=[image(seed=9)])
    await made(cache).take(whole)
    assert cache.read(message_of(whole)["images"][0]["image_url"]["url"])[1]["seed"] == 9


async def test_the_cost_is_worked_out_where_the_vendor_tells_only_tokens(cache: Cache) -> None:
    whole = completion({"usage": {"prompt_tokens": 0, "completion_tokens": 1000}}, images=[image()])
    await made(cache, modelCost={"input": 1, "output": 40}).take(whole)
    assert cache.read(message_of(whole)["images"][0]["image_url"]["url"])[1]["cost"] == 0.04


async def test_what_the_model_wrote_beside_it_stays(cache: Cache) -> None:
    whole = completion(content="Here you are", images=[image()])
    await made(cache).take(whole)
    assert message_of(whole)["content"] == "Here you are"


async def test_audio_is_kept_as_well(cache: Cache) -> None:
    whole = completion(audios=[sound(MP3)])
    await made(cache).take(whole)
    data, info = cache.read(message_of(whole)["audios"][0]["audio_url"]["url"])
    assert (data, info["type"]) == (MP3, "audio/mpeg")


async def test_what_is_in_the_cache_is_left_alone(cache: Cache) -> None:
    whole = completion(content="x", images=[image("/~cache/ab/abc.png")])
    await made(cache).take(whole)
    assert message_of(whole)["images"] == [image("/~cache/ab/abc.png")]


async def test_taking_twice_changes_nothing(cache: Cache) -> None:
    whole = completion(images=[image()])
    await made(cache).take(whole)
    once = repr(whole)
    await made(cache).take(whole)
    assert repr(whole) == once


async def test_a_link_of_a_vendor_is_followed(cache: Cache) -> None:
    async def fetch(url: str) -> Any:
        assert url == "https://vendor.example/cat?signed"
        return PNG, "image/png", "cat"

    whole = completion(images=[image("https://vendor.example/cat?signed")])
    await made(cache, fetch=fetch).take(whole)
    assert cache.read(message_of(whole)["images"][0]["image_url"]["url"])[0] == PNG


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/cat.png",
        "data:image/png;base64,no base64!",
        "data:image/png;base64,",
        "data:image/png",
        "data:text/html;base64,PGh0bWw+",
        "nonsense",
    ],
)
async def test_what_cannot_be_kept_stays_as_it_is_and_is_logged(
    cache: Cache, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = completion(content="x", images=[image(url), image()])
    with caplog.at_level(logging.WARNING, "llms.chat"):
        await made(cache).take(whole)
    assert message_of(whole)["images"][0] == image(url)
    assert message_of(whole)["images"][1]["image_url"]["url"].startswith("/~cache/")
    assert "is not kept" in caplog.text


async def test_a_page_behind_a_link_is_no_image(cache: Cache) -> None:
    async def fetch(url: str) -> Any:
        return b"<html>Gone</html>", "text/html", "cat.png"

    whole = completion(images=[image("https://vendor.example/cat.png")])
    await made(cache, fetch=fetch).take(whole)
    assert message_of(whole)["images"] == [image("https://vendor.example/cat.png")]


@pytest.mark.parametrize(
    "message",
    [
        *({}, {"images": None}, {"images": "x"}, {"images": [None, {}, {"image_url": "x"}, {"image_url": {"url": 1}}]}),
        *({"audios": [{"audio_url": None}]}, {"audio": "x"}, {"audio": {"data": None}}, {"audio": {"data": 7}}),
    ],
)
async def test_odd_shapes_are_left_alone(cache: Cache, message: Any) -> None:
    whole = completion(**{"content": "x", **message})
    before = repr(whole)
    await made(cache).take(whole)
    assert repr(whole) == before


async def test_an_answer_without_choices_is_left_alone(cache: Cache) -> None:
    await made(cache).take({})
    assert not cache.root.exists()


# -- OpenAI's own audio ----------------------------------------------------------------------------------------

SAID = {"id": "a", "data": base64.b64encode(MP3).decode(), "transcript": "Meow", "expires_at": 1}


async def test_who_asks_as_openai_has_it_gets_it_so_and_the_file_besides(cache: Cache) -> None:
    chat: Any = {**CHAT, "audio": {"voice": "alloy", "format": "mp3"}}
    whole = completion(audio=dict(SAID))
    await made(cache, chat).take(whole)
    message = message_of(whole)
    assert (message["audio"], message["content"]) == (SAID, None)
    assert cache.read(message["audios"][0]["audio_url"]["url"])[0] == MP3


async def test_who_did_not_gets_text_and_a_url(cache: Cache) -> None:
    whole = completion(audio=dict(SAID))
    await made(cache).take(whole)
    message = message_of(whole)
    assert (message["audio"], message["content"]) == ({"id": "a", "expires_at": 1}, "Meow")
    assert cache.read(message["audios"][0]["audio_url"]["url"])[0] == MP3


async def test_bare_numbers_become_a_file_that_can_be_played(cache: Cache) -> None:
    chat: Any = {**CHAT, "audio": {"voice": "alloy", "format": "pcm16"}}
    whole = completion(audio={"id": "a", "data": base64.b64encode(PCM).decode()})
    await made(cache, chat).take(whole)
    data, info = cache.read(message_of(whole)["audios"][0]["audio_url"]["url"])
    with wave.open(io.BytesIO(data)) as file:
        assert file.readframes(3) == PCM
    assert info["type"] == "audio/wav"


# -- streams ---------------------------------------------------------------------------------------------------


async def test_a_stream_of_text_passes_as_it_is(cache: Cache) -> None:
    events = [event(content="Me", plain=True), event(content="ow", plain=True), event(finish="stop")]
    shown = await made(cache).taken(events)
    assert [each.raw for each in shown] == [b"raw"] * 3
    assert not cache.root.exists()


async def test_an_image_in_a_stream_is_kept_and_its_event_encoded_anew(cache: Cache) -> None:
    one = made(cache)
    shown = await one.taken([event(content="Here", plain=True), event(images=[image()])])
    shown += await one.taken([event(finish="stop")])
    message = put_together(shown)
    assert cache.read(message["images"][0]["image_url"]["url"])[0] == PNG
    assert message["content"] == "Here"
    assert b"base64" not in b"".join(each.encode() for each in shown)


async def test_a_stream_without_text_ends_with_the_sentence(cache: Cache) -> None:
    one = made(cache)
    shown = await one.taken([event(role="assistant", content=""), event(images=[image()])])
    shown += await one.taken([event(finish="stop")])
    assert put_together(shown)["content"]


async def test_a_whole_answer_told_as_a_stream_has_its_cost_with_the_file(cache: Cache) -> None:
    shown = await made(cache).taken(as_events(completion({"cost": 0.04}, images=[image()])))
    info = cache.read(put_together(shown)["images"][0]["image_url"]["url"])[1]
    assert info["cost"] == 0.04


def pieces() -> list[StreamEvent]:
    """Each piece of sound is base64 by itself."""
    data = [base64.b64encode(PCM[i : i + 1]).decode() for i in range(len(PCM))]
    sounds = [event(audio={"data": piece}) for piece in data]
    return [event(audio={"id": "a", "transcript": "Me"}), *sounds, event(audio={"transcript": "ow"}, finish="stop")]


async def test_streamed_sound_is_kept_whole_at_the_end(cache: Cache) -> None:
    chat: Any = {**CHAT, "audio": {"voice": "alloy", "format": "pcm16"}}
    before = [each.chunk["choices"][0]["delta"] for each in pieces()]
    shown = await made(cache, chat).taken(pieces())
    *first, last = [each.chunk["choices"][0]["delta"] for each in shown]
    assert first == before[:-1]
    data = cache.read(last["audios"][0]["audio_url"]["url"])[0]  # type: ignore[typeddict-item]
    assert (data[:4], data[44:]) == (b"RIFF", PCM)
    assert "content" not in last


async def test_who_did_not_ask_for_sound_as_openai_has_it_is_spared_it(cache: Cache) -> None:
    one = made(cache)
    shown: list[StreamEvent] = []
    for each in pieces():
        shown += await one.taken([each])
    message = put_together(shown)
    assert (message["content"], message["audio"]) == ("Meow", {"id": "a"})
    assert cache.read(message["audios"][0]["audio_url"]["url"])[0][44:] == PCM


async def test_a_broken_piece_of_sound_is_left_out_of_what_is_kept(cache: Cache) -> None:
    chat: Any = {**CHAT, "audio": {"voice": "alloy", "format": "pcm16"}}
    shown = await made(cache, chat).taken([event(audio={"data": "a"}), event(finish="stop")])
    assert "audios" not in put_together(shown)
