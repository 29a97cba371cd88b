"""Attachments, as the provider gets them."""

import asyncio
import copy
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import hypothesis
import pytest
from hypothesis import strategies as st
from PIL import Image

from llms.kernel.errors import LlmsError, RequestError
from llms.kernel.types import Chat, Json
from llms.media.cache import Cache
from llms.media.converter import Convert, Converter
from llms.media.inline import inlined
from llms.media.sources import MAX_LOADED
from llms.providers.fetch import Fetcher

WAV = b"RIFF\x04\0\0\0WAVE"
MP3 = b"ID3\x04\0\0\0\0\0\0"
PDF = b"%PDF-1.7 hello"
FIT = Converter().for_chat()


def picture(width: int = 4, height: int = 4, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, kind)
    return buffer.getvalue()


PNG = picture()


def base64(data: bytes) -> str:
    return b64encode(data).decode()


def data_uri(data: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64(data)}"


def image(url: Any) -> Json:
    return {"type": "image_url", "image_url": {"url": url}}


def audio(data: Any, **fields: Any) -> Json:
    return {"type": "input_audio", "input_audio": {"data": data, **fields}}


def file(data: Any, **fields: Any) -> Json:
    return {"type": "file", "file": {"file_data": data, **fields}}


def chat(*parts: Any) -> Chat:
    return {"model": "m", "messages": [{"role": "user", "content": list(parts)}]}


class Web:
    """What is behind URLs in these tests, and which were asked for."""

    def __init__(self, **pages: tuple[bytes, str]) -> None:
        self.pages = {f"https://x.example/{name.replace('_', '.')}": page for name, page in pages.items()}
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0

    async def __call__(self, url: str) -> tuple[bytes, str, str]:
        self.asked.append(url)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if url not in self.pages:
            raise RequestError(f"{url} answered with status 404. Check that anybody can open it.")
        return *self.pages[url], url.rpartition("/")[2]


async def untouched(data: bytes, mime: str) -> tuple[bytes, str]:
    return data, mime


async def resolved(*parts: Any, web: Web | None = None, local_files: bool = False, convert: Convert = FIT) -> Any:
    """The parts after resolving, or the one part if there is one."""
    found = await inlined(chat(*parts), fetch=web or Web(), local_files=local_files, convert=convert)
    content = cast(list[Json], found["messages"][0]["content"])
    return content[0] if len(parts) == 1 else content


# -- what stays ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        [{"type": "text", "text": "hi"}],
        ["a bare string", None, 5, {"type": ["x"]}, {"type": "unheard_of", "url": "https://x.example/"}],
        [image(data_uri(PNG))],
        [audio(base64(WAV), format="wav")],
        [audio(base64(b"raw samples"), format="pcm16")],
        [audio(base64(b"who knows"))],
        [file(data_uri(PDF, "application/pdf"), filename="a.pdf")],
        [{"type": "file", "file": {"file_id": "file-1"}}],
    ],
)
async def test_a_chat_that_needs_nothing_is_the_same_object(parts: list[Any]) -> None:
    given = chat(*parts)
    assert await inlined(given, fetch=Web(), local_files=False, convert=FIT) is given


@pytest.mark.parametrize("content", ["hi", None, "https://x.example/cat.png", "/etc/passwd", "data:image/png;base64,x"])
async def test_text_is_text_whatever_it_looks_like(content: str | None) -> None:
    given: Chat = {"model": "m", "messages": [{"role": "user", "content": content}]}
    assert await inlined(given, fetch=Web(), local_files=True, convert=FIT) is given


async def test_images_an_assistant_made_stay_with_it() -> None:
    given = cast(Chat, {"messages": [{"role": "assistant", "content": "", "images": [image("/~cache/ab/c.png")]}]})
    assert await inlined(given, fetch=Web(), local_files=False, convert=FIT) is given


async def test_only_what_changes_is_copied_and_the_callers_chat_is_as_before() -> None:
    given = chat({"type": "text", "text": "hi"}, image("https://x.example/a.png"), image(data_uri(PNG)))
    given["messages"].insert(0, {"role": "system", "content": "Be kind."})
    before = copy.deepcopy(given)
    web = Web(a_png=(PNG, "image/png"))
    found = await inlined(given, fetch=web, local_files=False, convert=FIT)
    assert given == before
    assert found["messages"][0] is given["messages"][0]
    old, new = (cast(list[Json], c["messages"][1]["content"]) for c in (given, found))
    assert new[0] is old[0]
    assert new[1] == image(data_uri(PNG))
    assert new[2] is old[2]


# -- images ----------------------------------------------------------------------------------------------


async def test_a_linked_image_becomes_a_data_uri() -> None:
    web = Web(a_png=(PNG, "image/png"))
    assert await resolved(image("https://x.example/a.png"), web=web) == image(data_uri(PNG))


async def test_the_scheme_may_be_in_capitals() -> None:
    web = Web()
    web.pages["HTTPS://x.example/a.png"] = (PNG, "image/png")
    assert await resolved(image("HTTPS://x.example/a.png"), web=web) == image(data_uri(PNG))
    assert (await resolved(image("DATA:image/png;base64," + base64(PNG))))["image_url"]["url"].startswith("DATA:")


async def test_other_fields_of_a_part_stay() -> None:
    part = {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "low"}, "cache_control": 1}
    found = await resolved(part, web=Web(a_png=(PNG, "image/png")))
    assert found["cache_control"] == 1
    assert found["image_url"]["detail"] == "low"


async def test_an_image_given_as_a_bare_url_becomes_an_object() -> None:
    part = {"type": "image_url", "image_url": "https://x.example/a.png"}
    assert await resolved(part, web=Web(a_png=(PNG, "image/png"))) == image(data_uri(PNG))


async def test_bare_base64_of_an_image_becomes_a_data_uri() -> None:
    assert await resolved(image(base64(PNG))) == image(data_uri(PNG))


async def test_base64_that_begins_like_a_path_is_base64() -> None:
    jpeg = picture(kind="JPEG")
    assert base64(jpeg).startswith("/9j/")
    assert await resolved(image(base64(jpeg)), local_files=True) == image(data_uri(jpeg, "image/jpeg"))


async def test_a_percent_encoded_data_uri_becomes_base64() -> None:
    uri = "data:image/png," + "".join(f"%{byte:02x}" for byte in PNG)
    assert await resolved(image(uri)) == image(data_uri(PNG))


async def test_a_wrongly_labelled_image_gets_its_real_type() -> None:
    jpeg = picture(kind="JPEG")
    assert await resolved(image(data_uri(jpeg, "image/png"))) == image(data_uri(jpeg, "image/jpeg"))


async def test_a_large_image_is_converted_wherever_it_came_from(tmp_path: Path) -> None:
    large = picture(100, 50)
    path = tmp_path / "large.png"
    path.write_bytes(large)
    parts = [image(data_uri(large)), image("https://x.example/a.png"), image(str(path))]
    convert = Converter().for_chat(max_size="10x10")
    for part in await resolved(*parts, web=Web(a_png=(large, "")), local_files=True, convert=convert):
        assert part["image_url"]["url"].startswith("data:image/webp;base64,")


async def test_what_a_tool_returned_moves_into_its_content() -> None:
    tool = {
        "role": "tool",
        "tool_call_id": "1",
        "content": "done",
        "images": [{**image("https://x.example/a.png"), "index": 0}],
    }
    given = cast(Chat, {"messages": [tool]})
    before = copy.deepcopy(given)
    found = await inlined(given, fetch=Web(a_png=(PNG, "")), local_files=False, convert=FIT)
    assert found["messages"] == [
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "done"}, image(data_uri(PNG))]}
    ]
    assert given == before


@pytest.mark.parametrize("content", [None, "", []])
async def test_images_of_a_tool_without_words_are_its_whole_content(content: Any) -> None:
    given = cast(Chat, {"messages": [{"role": "tool", "content": content, "images": [image(data_uri(PNG))]}]})
    found = await inlined(given, fetch=Web(), local_files=False, convert=FIT)
    assert found["messages"] == [{"role": "tool", "content": [image(data_uri(PNG))]}]


# -- audio -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "mime", "format"),
    [
        (MP3, "audio/mpeg", "mp3"),
        (b"?", "audio/mpeg", "mp3"),
        (b"?", "audio/mp3", "mp3"),
        (WAV, "application/octet-stream", "wav"),
        (b"?", "audio/x-wav", "wav"),
        (b"?", "audio/vnd.wave", "wav"),
        (b"?", "audio/x-m4a", "m4a"),
        (b"?", "audio/webm", "webm"),
        (b"OggS", "application/ogg", "ogg"),
        (b"fLaC", "", "flac"),
    ],
)
async def test_linked_audio_becomes_base64_with_openais_word_for_its_format(
    data: bytes, mime: str, format: str
) -> None:
    found = await resolved(audio("https://x.example/a", format="mp3"), web=Web(a=(data, mime)))
    assert found == audio(base64(data), format=format)


async def test_a_data_uri_of_audio_becomes_base64() -> None:
    assert await resolved(audio(data_uri(b"?", "audio/mpeg"))) == audio(base64(b"?"), format="mp3")


async def test_bare_audio_without_format_gets_the_one_it_has() -> None:
    assert await resolved(audio(base64(WAV))) == audio(base64(WAV), format="wav")


async def test_a_web_page_is_no_audio() -> None:
    with pytest.raises(RequestError, match=r"^Invalid audio: It is text/html, no audio\."):
        await resolved(audio("https://x.example/a"), web=Web(a=(b"<html>", "text/html")))


# -- files -----------------------------------------------------------------------------------------------


async def test_a_linked_file_becomes_a_data_uri_with_its_name() -> None:
    found = await resolved(file("https://x.example/a.pdf"), web=Web(a_pdf=(PDF, "")))
    assert found == file(data_uri(PDF, "application/pdf"), filename="a.pdf")


async def test_the_callers_name_for_a_file_stays() -> None:
    found = await resolved(file("https://x.example/a.pdf", filename="Report.pdf"), web=Web(a_pdf=(PDF, "")))
    assert found["file"]["filename"] == "Report.pdf"


@pytest.mark.parametrize("fields", [{}, {"filename": ""}, {"filename": None}, {"filename": 5}])
async def test_a_data_uri_of_a_file_is_kept_and_named(fields: Json) -> None:
    uri = data_uri(PDF, "application/pdf")
    assert await resolved(file(uri, **fields)) == file(uri, filename="file")


async def test_bare_base64_of_a_file_becomes_a_data_uri() -> None:
    found = await resolved(file(base64(b"a,b"), filename="x.csv"))
    assert found == file(data_uri(b"a,b", "text/csv"), filename="x.csv")


async def test_a_file_id_with_data_is_resolved_by_its_data() -> None:
    found = await resolved(file("https://x.example/a.pdf", file_id="f"), web=Web(a_pdf=(PDF, "")))
    assert found["file"]["file_data"] == data_uri(PDF, "application/pdf")


# -- what goes wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [image, audio, file])
@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            None,
            5,
            [],
            {},
            "not base64!",
            "/~cache/ab/abcd.png",
            "/etc/passwd",
            "file:///etc/passwd",
            "ftp://x/y",
            "javascript:alert(1)",
            "ü",
        ),
        *(
            "data:",
            "data:image/png;base64",
            "data:image/png;base64,",
            "data:image/png;base64,@@",
            "data:,",
            "YQ=",
            "YQ==\n",
        ),
    ],
)
async def test_what_is_neither_is_refused_with_its_place_and_a_fix(part: Any, value: Any) -> None:
    label = {image: "image", audio: "audio", file: "file"}[part]
    with pytest.raises(RequestError, match=rf"(?s)^Invalid {label}: .*\.$") as refused:
        await resolved({"type": "text", "text": "see"}, part(value))
    assert refused.value.status == 400
    assert refused.value.param == "messages[0].content[1]"


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "file"])
@pytest.mark.parametrize("detail", [{}, None, 5, [], {"url": {}}, {"data": {}}, {"file_data": []}])
async def test_a_part_without_content_is_refused(kind: str, detail: Any) -> None:
    with pytest.raises(RequestError, match=r"^Invalid \w+: `.*` is missing\. Set it to"):
        await resolved({"type": kind, kind: detail})
    with pytest.raises(RequestError, match="is missing"):
        await resolved({"type": kind})


@pytest.mark.parametrize("images_", [[None], [5], [{}], [[]], ["x!"]])
async def test_rubbish_among_a_tools_images_is_told_in_words(images_: Any) -> None:
    """The chat is not to blame for what a tool returned, and goes on."""
    given = cast(Chat, {"messages": [{"role": "tool", "content": "", "images": images_}]})
    told: Any = await inlined(given, fetch=Web(), local_files=False, convert=FIT)
    (part,) = told["messages"][0]["content"]
    assert part["type"] == "text"
    assert part["text"].startswith("[omitted: Invalid image: ")


async def test_rubbish_instead_of_an_image_is_refused() -> None:
    with pytest.raises(RequestError, match=r"^Invalid image: Not an image"):
        await resolved(image("https://x.example/a.png"), web=Web(a_png=(b"<html>", "image/png")))


async def test_without_pillow_a_web_page_is_still_no_image() -> None:
    with pytest.raises(RequestError, match=r"^Invalid image: It is text/html"):
        await resolved(image("https://x.example/a"), web=Web(a=(b"<html>", "text/html")), convert=untouched)


async def test_a_failed_download_says_which_part_and_why() -> None:
    with pytest.raises(RequestError, match=r"^Invalid file: https://x\.example/a answered with status 404\."):
        await resolved(file("https://x.example/a"))


async def test_this_machine_is_not_reached_over_http() -> None:
    connections = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        writer.close()

    fetch = Fetcher()
    async with asyncio.timeout(20), await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.png"
        with pytest.raises(RequestError, match=r"^Invalid image: .* not on the public internet"):
            await inlined(chat(image(url)), fetch=fetch, local_files=False, convert=FIT)
    await fetch.close()
    assert connections == []


async def test_an_error_does_not_repeat_a_secret_or_a_megabyte() -> None:
    for value in ("ftp://ann:hunter2@x.example/y?key=s3cret", "x" * 10**6 + "!"):
        with pytest.raises(RequestError) as refused:
            await resolved(image(value))
        assert "hunter2" not in str(refused.value) and "s3cret" not in str(refused.value)
        assert len(str(refused.value)) < 300


# -- many ------------------------------------------------------------------------------------------------


async def test_many_attachments_keep_their_order() -> None:
    pages = {f"p{n}": (picture(n + 1, 1), "image/png") for n in range(20)}
    found = await resolved(*(image(f"https://x.example/p{n}") for n in range(20)), web=Web(**pages))
    assert found == [image(data_uri(picture(n + 1, 1))) for n in range(20)]


async def test_only_a_few_are_fetched_at_once() -> None:
    web = Web(a=(PNG, ""))
    await resolved(*[image("https://x.example/a")] * 20, web=web)
    assert 1 < web.most_at_once <= 4


async def test_the_first_error_ends_the_others() -> None:
    web = Web()
    with pytest.raises(RequestError, match="status 404"):
        await resolved(*[image("https://x.example/a")] * 100, web=web)
    assert len(web.asked) < 20


async def test_a_chat_of_too_many_attachments_asks_for_none() -> None:
    web = Web(a=(PNG, ""))
    with pytest.raises(RequestError, match="Send at most 500"):
        await resolved(*[image("https://x.example/a")] * 501, web=web)
    assert web.asked == []


async def test_all_attachments_together_are_bounded() -> None:
    web = Web(a=(b"\0" * (MAX_LOADED // 5 + 1), "text/plain"))
    with pytest.raises(RequestError, match="together exceed 100 MB"):
        await resolved(*[file("https://x.example/a")] * 5, web=web)


async def test_giving_up_ends_every_download() -> None:
    begun, ended = asyncio.Semaphore(0), []

    async def never(url: str) -> tuple[bytes, str, str]:
        begun.release()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(url)
        raise AssertionError

    parts = chat(image("https://a/"), image("https://b/"))
    work = asyncio.ensure_future(inlined(parts, fetch=never, local_files=False, convert=FIT))
    async with asyncio.timeout(20):
        await begun.acquire()
        await begun.acquire()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert sorted(ended) == ["https://a/", "https://b/"]


Anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([data_uri(PNG), "file", "url"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "url", "data", "file_data", "filename", "format", "file_id"]), inner)
    ),
    max_leaves=6,
)


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(kind=st.sampled_from(["image_url", "input_audio", "file"]), detail=Anything, tool_images=Anything)
async def test_no_json_makes_another_error_than_ours(kind: str, detail: Any, tool_images: Any) -> None:
    part = {"type": kind, kind: detail}
    messages = [{"role": "user", "content": [part]}, {"role": "tool", "content": "x", "images": tool_images}]
    try:
        await inlined(cast(Chat, {"messages": messages}), fetch=Web(), local_files=False, convert=FIT)
    except LlmsError as error:
        assert str(error).endswith(".")


async def test_cache_urls_become_what_the_cache_holds(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    urls = [cache.save_bytes(data, name)[0] for data, name in ((PNG, "a.png"), (WAV, "b.wav"), (PDF, "report.pdf"))]
    given = chat(image(urls[0]), audio(urls[1]), file(urls[2]))
    found = await inlined(given, fetch=Web(), local_files=False, convert=FIT, cache=cache)
    assert found["messages"][0]["content"] == [
        image(data_uri(PNG)),
        audio(base64(WAV), format="wav"),
        file(data_uri(PDF, "application/pdf"), filename="report.pdf"),
    ]
    assert image(urls[0]) in cast(list[Json], given["messages"][0]["content"])


async def test_a_cache_url_of_nothing_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"^Invalid image: '/~cache/ab/none.png' is not in the cache\.") as refused:
        await inlined(
            chat(image("/~cache/ab/none.png")), fetch=Web(), local_files=False, convert=FIT, cache=Cache(tmp_path)
        )
    assert refused.value.param == "messages[0].content[0]"


async def test_a_tools_image_that_cannot_be_had_spoils_no_later_turn() -> None:
    gone = {"type": "image_url", "image_url": {"url": "/~cache/2c/2cf24d.png"}}
    given = cast(Chat, {"messages": [{"role": "tool", "tool_call_id": "1", "content": "Done", "images": [gone]}]})
    told: Any = await inlined(given, fetch=Web(), local_files=False, convert=FIT)
    done, omitted = told["messages"][0]["content"]
    assert done == {"type": "text", "text": "Done"}
    assert omitted["text"].startswith("[omitted: Invalid image")
