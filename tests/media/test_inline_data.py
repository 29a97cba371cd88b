"""Which parts of a message hold their content themselves, and what stands there afterwards."""

import copy
import logging
from typing import Any

import pytest

from llms.kernel.errors import ConfigError, RequestError
from llms.kernel.types import Json
from llms.media.inline_data import take_inline_data

WAV = "UklGRgQAAABXQVZF"


class Store:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.saved: list[tuple[str, str, Json]] = []

    def __call__(self, data: str, name: str, info: Json) -> str:
        if "@" in data:
            raise RequestError("The content is not valid base64. Send it again.")
        self.saved.append((data, name, info))
        return f"/~cache/{len(self.saved)}"


@pytest.fixture
def store() -> Store:
    return Store()


def taken(store: Store, *parts: Any) -> list[Any]:
    message = {"role": "user", "content": list(parts)}
    take_inline_data(message, store)
    content = message["content"]
    assert isinstance(content, list)
    return content


@pytest.mark.parametrize(
    ("part", "name", "info"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AA=="}}, "image.jpg", "image/jpeg"),
        ({"type": "image_url", "image_url": {"url": "DATA:image/svg+xml,<svg/>"}}, "image.svg", "image/svg+xml"),
        ({"type": "image_url", "image_url": {"url": "data:,x"}}, "image", ""),
        ({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}, "audio.wav", ""),
        ({"type": "input_audio", "input_audio": {"data": "/9j/4AAQ"}}, "audio", ""),
        ({"type": "input_audio", "input_audio": {"data": "data:audio/wav;base64," + WAV}}, "audio.wav", "audio/wav"),
        ({"type": "file", "file": {"file_data": "data:;base64,AA==", "filename": "a.pdf"}}, "a.pdf", ""),
        ({"type": "file", "file": {"file_data": "data:text/csv;base64,AA=="}}, "file.csv", "text/csv"),
        ({"type": "file", "file": {"file_data": "data:a b/<c>;base64,AA=="}}, "file", ""),
    ],
)
def test_inline_data_is_taken_under_a_fitting_name(store: Store, part: Json, name: str, info: str) -> None:
    kind = part["type"]
    field, data = next(pair for pair in part[kind].items() if pair[0] not in ("format", "filename"))
    [found] = taken(store, part)
    assert store.saved == [(data, name, {"type": info} if info else {})]
    assert found is part
    assert part[kind][field] == "/~cache/1"


def test_an_image_that_is_a_bare_string_stays_one(store: Store) -> None:
    assert taken(store, {"type": "image_url", "image_url": "data:image/png;base64,AA=="}) == [
        {"type": "image_url", "image_url": "/~cache/1"}
    ]


@pytest.mark.parametrize("value", ["/~cache/ab/c.wav", "https://x.example/a.wav", "file:///a.wav", "http://x/a"])
@pytest.mark.parametrize(("kind", "field"), [("image_url", "url"), ("input_audio", "data"), ("file", "file_data")])
def test_links_stay(store: Store, kind: str, field: str, value: str) -> None:
    part = {"type": kind, kind: {field: value}}
    assert taken(store, copy.deepcopy(part)) == [part]
    assert store.saved == []


@pytest.mark.parametrize(
    "part",
    [
        *("text", None, 5, [], {}, {"type": []}, {"type": "text", "text": "data:,x"}, {"type": "image_url"}),
        *({"type": "file", "file": {"file_id": "f"}}, {"type": "file", "file": None}, {"type": "file", "file": {}}),
        {"type": "image_url", "image_url": {"url": {"url": "data:,x"}}},
    ],
)
def test_what_holds_nothing_stays(store: Store, part: Any) -> None:
    assert taken(store, copy.deepcopy(part)) == [part]
    assert store.saved == []


@pytest.mark.parametrize("message", [None, "text", {}, {"content": None}, {"content": "data:,x"}, {"content": {}}])
def test_messages_without_parts_stay(store: Store, message: Any) -> None:
    before = copy.deepcopy(message)
    take_inline_data(message, store)
    assert message == before


def test_one_bad_part_is_logged_and_the_others_are_taken(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    bad = {"type": "input_audio", "input_audio": {"data": "@"}}
    good = {"type": "input_audio", "input_audio": {"data": WAV}}
    with caplog.at_level(logging.WARNING):
        found = taken(store, copy.deepcopy(bad), good)
    assert found[0] == bad
    assert found[1]["input_audio"]["data"] == "/~cache/1"
    assert "type input_audio stays in its message: The content is not valid base64." in caplog.text


def test_a_full_disk_leaves_the_message_whole() -> None:
    def full(*_: Any) -> str:
        raise ConfigError("No space left on device. Free some disk space.")

    part = {"type": "image_url", "image_url": {"url": "data:,x"}}
    message = {"content": [copy.deepcopy(part)]}
    take_inline_data(message, full)
    assert message == {"content": [part]}
