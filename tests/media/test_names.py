"""Names that strangers give files: what may be shown of them, and what they are stored under."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.kernel.paths import is_plain_name
from llms.media.names import LONGEST, extension, is_addressed, shown_name


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("big.png", "big.png"),
        ("über uns, 12:30?.pdf", "über uns, 12:30?.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.png", "cat.png"),
        ("/", "file"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        (None, "file"),
        ("   ", "file"),
        ("a\0b\r\n.png", "ab.png"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("half \ud800.png", "half .png"),
        (".htaccess", ".htaccess"),
        ("drawing.svg+xml", "drawing.svg"),
        (5, "5"),
    ],
)
def test_a_name_is_shown_without_what_it_should_not_have(given: Any, shown: str) -> None:
    assert shown_name(given) == shown


@pytest.mark.parametrize("given", ["a" * 300 + ".png", "ü" * 300 + ".png", "." + "a" * 300 + ".png"])
def test_a_long_name_keeps_its_extension(given: str) -> None:
    shown = shown_name(given)
    assert shown.endswith(".png")
    assert LONGEST - 2 <= len(shown.encode()) <= LONGEST


@given(st.text())
def test_whatever_the_name_it_is_one_segment_of_visible_text(text: str) -> None:
    shown = shown_name(text)
    assert is_plain_name(shown.translate(str.maketrans(':*?"<>|', "_______")).strip(".")) or shown.startswith(".")
    assert "/" not in shown
    assert "\0" not in shown
    assert shown.strip(".")


@pytest.mark.parametrize(
    ("name", "mime", "ext"),
    [
        ("a.png", "image/png", "png"),
        ("A.PNG", "image/png", "png"),
        ("a.tar.gz", "application/gzip", "gz"),
        (".png", "image/png", "png"),
        ("a", "image/jpeg", "jpg"),
        ("a", "audio/wav", "wav"),
        ("a", "application/octet-stream", "bin"),
        ("a.", "text/plain", "txt"),
        ("a.p~g", "image/png", "png"),
        ("a.jpg?x=1", "image/jpeg", "jpg"),
        ("a." + "x" * 17, "image/png", "png"),
        ("a.png ", "image/png", "png"),
        ("a.пнг", "image/png", "png"),
        ("a.png\n", "image/gif", "gif"),
    ],
)
def test_the_extension_is_letters_and_digits(name: str, mime: str, ext: str) -> None:
    assert extension(name, mime) == ext


def test_only_files_named_by_their_content_never_change() -> None:
    digest = "ab" + "0" * 62
    assert is_addressed(Path(f"ab/{digest}.png"))
    assert is_addressed(Path(f"ab/{digest}_100w.webp"))
    for other in (f"cd/{digest}.png", f"ab/{digest}.info.json", "ab/abc.png", f"ab/{digest}"):
        assert not is_addressed(Path(other))
