"""What tools return, as text for a model and resources for a person."""

import base64
import dataclasses
import datetime
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.kernel.errors import TooLarge
from llms.tools.results import Results, clean, group_resources, to_content


class Kept:
    """A cache in memory that names content as the real one does."""

    def __init__(self) -> None:
        self.images: list[tuple[bytes, str, dict[str, Any]]] = []
        self.files: list[tuple[bytes, str, dict[str, Any]]] = []

    def save_image(self, data: bytes, filename: str, info: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        self.images.append((data, filename, info))
        return _url(data, filename), info

    def save_bytes(self, data: bytes, filename: str, info: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        self.files.append((data, filename, info))
        return _url(data, filename), info


def _url(data: bytes, filename: str) -> str:
    name = hashlib.sha256(data).hexdigest()
    return f"/~cache/{name[:2]}/{name}{Path(filename).suffix}"


HELLO = _url(b"hello", "")


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def results(kept: Kept) -> Results:
    return Results(kept.save_image, kept.save_bytes)


def _part(**part: Any) -> dict[str, Any]:
    return {"data": "aGVsbG8=", **part}


def test_the_golden_result(results: Results) -> None:
    text, resources = results.whole(
        [{"type": "text", "text": "A"}, {"type": "image", "data": "aGVsbG8=", "format": "png"}, {"x": 1}],
        "fn",
        {"prompt": "P"},
    )
    assert text == f'A\n![P]({HELLO}.png)\n\n{{"x": 1}}'
    assert HELLO.startswith("/~cache/2c/2cf24d")
    assert resources == [{"type": "image_url", "image_url": {"url": f"{HELLO}.png"}}]


def test_a_dict_is_its_json(results: Results) -> None:
    assert results.whole({"sum": 5}) == ('{"sum": 5}', [])


def test_json_keeps_letters_legible(results: Results) -> None:
    assert results.whole({"name": "Zoë"}) == ('{"name": "Zoë"}', [])


@pytest.mark.parametrize(
    ("result", "text"),
    [("text", "text"), (5, "5"), (True, "True"), (None, "None"), ([1, "a"], "[1, 'a']"), ([], "[]"), (b"a", "b'a'")],
)
def test_anything_else_is_as_python_writes_it(results: Results, result: Any, text: str) -> None:
    assert results.whole(result) == (text, [])


# -- parts -----------------------------------------------------------------------------------------------------


def test_a_text_part(results: Results) -> None:
    assert results.part({"type": "text", "text": "A"}) == ("A", None)


def test_an_image_is_kept_with_what_was_asked_for(results: Results, kept: Kept) -> None:
    args = {"prompt": "P", "model": "m", "aspect_ratio": "1:1", "seed": 1}
    part = _part(type="image", format="png", filename="cat.png")
    assert results.part(part, "draw", args) == (
        f"![P]({HELLO}.png)\n",
        {"type": "image_url", "image_url": {"url": f"{HELLO}.png"}},
    )
    info = {"type": "image/png", "prompt": "P", "model": "m", "aspect_ratio": "1:1"}
    assert kept.images == [(b"hello", "cat.png", info)]


def test_sound_is_kept(results: Results, kept: Kept) -> None:
    text, resource = results.part(_part(type="audio"), "speak")
    assert text is not None
    assert text.startswith("[speak-")
    assert text.endswith(f".mp3]({HELLO}.mp3)\n")
    assert resource == {"type": "audio_url", "audio_url": {"url": f"{HELLO}.mp3"}}
    assert kept.files[0][2]["type"] == "audio/mpeg"


@pytest.mark.parametrize("key", ["filename", "name"])
def test_a_file_is_kept(results: Results, kept: Kept, key: str) -> None:
    assert results.part(_part(type="file", **{key: "notes.md"})) == (
        f"[notes.md]({HELLO}.md)\n",
        {"type": "file", "file": {"file_data": f"{HELLO}.md", "filename": "notes.md"}},
    )
    assert kept.files == [(b"hello", "notes.md", {})]


@pytest.mark.parametrize(("type_", "suffix"), [("image", ".png"), ("audio", ".mp3"), ("file", ".txt")])
def test_a_file_without_a_name_is_named_after_the_tool_and_the_time(
    results: Results, kept: Kept, type_: str, suffix: str
) -> None:
    results.part(_part(type=type_), "fn")
    (_, filename, _) = (kept.images + kept.files)[0]
    assert filename.removeprefix("fn-").removesuffix(suffix).isdecimal()


@pytest.mark.parametrize(
    ("type_", "given", "suffix"),
    [
        ("image", {"mimeType": "image/webp"}, ".webp"),
        ("image", {"mimeType": "IMAGE/JPEG; q=1"}, ".jpg"),
        ("image", {"mimeType": "image/svg+xml"}, ".svg"),
        ("image", {"format": "JPEG"}, ".jpeg"),
        ("image", {"format": "image/gif"}, ".gif"),
        ("image", {"format": "gif", "mimeType": "image/png"}, ".gif"),
        ("image", {"filename": "a", "mimeType": "image/webp"}, ".webp"),
        ("image", {"mimeType": 5, "format": None}, ".png"),
        ("image", {"format": "../../x"}, ".x"),
        ("audio", {"mimeType": "audio/wav"}, ".wav"),
        ("audio", {"mimeType": "audio/mpeg"}, ".mp3"),
        ("file", {"mimeType": "application/pdf"}, ".pdf"),
        ("file", {"mimeType": "no/such-type"}, ".txt"),
    ],
)
def test_the_ending_follows_format_and_media_type(
    results: Results, kept: Kept, type_: str, given: dict[str, Any], suffix: str
) -> None:
    results.part(_part(type=type_, **given))
    assert Path((kept.images + kept.files)[0][1]).suffix == suffix


def test_the_media_type_is_kept(results: Results, kept: Kept) -> None:
    results.part(_part(type="image", mimeType="image/webp"))
    results.part(_part(type="file", mimeType="application/pdf"))
    assert kept.images[0][2] == {"type": "image/webp"}
    assert kept.files[0][2] == {"type": "application/pdf"}


def test_a_page_is_not_kept_as_a_picture(results: Results, kept: Kept) -> None:
    results.part(_part(type="image", mimeType="text/html"))
    assert kept.images[0][1].endswith(".png")
    assert kept.images[0][2] == {"type": "image/png"}


@pytest.mark.parametrize(
    "filename", ["../../etc/passwd.png", "..\\..\\passwd.png", "/a/passwd.png", "pass\x00\nwd.png"]
)
def test_a_name_keeps_no_folder(results: Results, kept: Kept, filename: str) -> None:
    results.part(_part(type="image", filename=filename))
    assert kept.images[0][1] == "passwd.png"


@pytest.mark.parametrize("filename", ["", "..", "/", " . ", 5, None])
def test_a_name_that_is_none_is_made_up(results: Results, kept: Kept, filename: Any) -> None:
    results.part(_part(type="image", filename=filename), "a/fn")
    assert kept.images[0][1].startswith("fn-")


@pytest.mark.parametrize("type_", ["image", "audio", "file"])
@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": ""}])
def test_a_file_without_data_is_neither_text_nor_resource(results: Results, type_: str, data: dict[str, Any]) -> None:
    assert results.part({"type": type_, "name": "a", **data}) == (None, None)


@pytest.mark.parametrize("data", ["no base64!", "aGVsbG8", "é", 5, ["a"], "\ud800"])
def test_data_that_is_not_base64_is_said_to_be_so(results: Results, kept: Kept, data: Any) -> None:
    text, resource = results.part({"type": "image", "data": data, "filename": "cat.png"})
    assert text == "The image 'cat.png' cannot be shown: its data is not base64."
    assert resource is None
    assert kept.images == []


@pytest.mark.parametrize(
    "data", [b"hello", bytearray(b"hello"), "aGVs\nbG8=\n", "data:image/png;base64,aGVsbG8=", "data:;base64,aGVsbG8="]
)
def test_data_comes_in_several_forms(results: Results, kept: Kept, data: Any) -> None:
    results.part({"type": "image", "data": data})
    assert kept.images[0][0] == b"hello"


def test_the_media_type_of_a_data_uri_counts(results: Results, kept: Kept) -> None:
    results.part({"type": "image", "data": "data:image/gif;base64,aGVsbG8="})
    assert kept.images[0][1].endswith(".gif")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), TooLarge("It is too large.")])
def test_what_cannot_be_kept_is_said_to_be_so_and_the_rest_goes_on(error: Exception) -> None:
    def full(data: bytes, filename: str, info: dict[str, Any]) -> tuple[str, None]:
        raise error

    text, resources = Results(full, full).whole([_part(type="image", filename="a.png"), {"type": "text", "text": "B"}])
    assert text == f"The image 'a.png' could not be kept: {error}\nB"
    assert resources == []


def test_a_prompt_cannot_break_out_of_its_link(results: Results) -> None:
    text, _ = results.part(_part(type="image"), "fn", {"prompt": "a](http://evil)\n\n# [b"})
    assert text == f"![a\\](http://evil) # \\[b]({HELLO}.png)\n"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "resource", "resource": {"uri": "file:///a", "text": "A"}},
        {"type": "image_url", "image_url": {"url": "/a"}},
        {"type": 5},
        {"type": ["text"]},
        {"type": "text"},
        {},
    ],
)
def test_any_other_part_is_its_json(results: Results, part: dict[str, Any]) -> None:
    assert results.part(part) == (to_content(part), None)


def test_a_part_of_mcp(results: Results) -> None:
    mcp = [{"type": "text", "text": "A", "annotations": None}, _part(type="image", mimeType="image/jpeg")]
    text, resources = results.whole(mcp, "fn")
    assert text.startswith("A\n![fn-")
    assert resources[0]["image_url"]["url"] == f"{HELLO}.jpg"


# -- rubbish ---------------------------------------------------------------------------------------------------


class Thing:
    def __str__(self) -> str:
        return "a thing"


class Model(pydantic.BaseModel):
    n: int


@dataclasses.dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Thing(), '"a thing"'),
        (Model(n=1), '{"n": 1}'),
        (Point(1), '{"x": 1}'),
        ({1}, "[1]"),
        (datetime.date(2025, 1, 2), '"2025-01-02"'),
        (Path("/a"), '"/a"'),
        (b"hi", '"aGk="'),
        (float("nan"), "NaN"),
    ],
)
def test_json_takes_what_json_has_no_word_for(value: Any, text: str) -> None:
    assert to_content({"v": value}) == f'{{"v": {text}}}'


def test_what_json_cannot_say_at_all_is_as_python_writes_it() -> None:
    circle: list[Any] = [1]
    circle.append(circle)
    assert to_content(circle) == "[1, [...]]"
    assert to_content({(1, 2): 3}) == "{(1, 2): 3}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (5, "5"),
        (2.5, "2.5"),
        (True, "True"),
        ([1], "[1]"),
        ((1,), "[1]"),
        ({1}, "[1]"),
        (Thing(), "a thing"),
    ],
)
def test_to_content(value: Any, text: str) -> None:
    assert to_content(value) == text


def test_a_generator_is_not_run(results: Results) -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    assert results.whole(endless())[0].startswith("<generator")


@pytest.mark.parametrize("result", ["a\ud800b", {"a": "a\ud800b"}, [{"type": "text", "text": "a\ud800b"}]])
def test_half_a_character_is_replaced(results: Results, result: Any) -> None:
    text, _ = results.whole(result)
    assert "a?b" in text
    assert text.encode()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
_parts = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "audio", "file", "x"]) | _json},
    optional={
        "text": _json,
        "data": _json | st.binary().map(lambda data: base64.b64encode(data).decode()),
        "format": _json,
        "filename": _json,
        "name": _json,
        "mimeType": _json | st.just("image/png"),
    },
)


@given(st.lists(_parts) | _json)
def test_no_json_makes_it_raise(result: Any) -> None:
    kept = Kept()
    text, resources = Results(kept.save_image, kept.save_bytes).whole(result, "fn", {"prompt": result})
    assert text.encode() is not None
    assert len(resources) == len(kept.images) + len(kept.files)


@given(st.text())
def test_text_that_can_be_sent_stays(text: str) -> None:
    assert clean(text) == text


@given(st.text(alphabet=st.characters()))  # halves of characters too
def test_any_text_can_be_sent_once_clean(text: str) -> None:
    assert len(clean(text).encode()) >= len(text)


# -- groups ----------------------------------------------------------------------------------------------------


def test_resources_are_grouped() -> None:
    types = ["image_url", "audio_url", "file", "file_urls", "text", "video", "image_url", None, ""]
    resources: list[Any] = [{"type": type_, "n": n} for n, type_ in enumerate(types)] + [{}, None, "x"]
    grouped = group_resources(resources)
    assert {group: [each["n"] for each in members] for group, members in grouped.items()} == {
        "images": [0, 6],
        "audios": [1],
        "files": [2, 3],
        "texts": [4],
        "others": [5],
    }


@pytest.mark.parametrize("nothing", [None, []])
def test_nothing_has_no_groups(nothing: Any) -> None:
    assert group_resources(nothing) == {}
