import pytest

from llms.media.types import get_file_mime_type, media_type, usual_extension

FTYP = b"\0\0\0\x20ftyp"


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"RIFF\n\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\n\0\0\0WAVEfmt ", "audio/wav"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        (b"\xff\xf1\x50", "audio/aac"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (FTYP + b"M4A ", "audio/mp4"),
        (FTYP + b"avif", "image/avif"),
        (b"%PDF-1.7", "application/pdf"),
    ],
)
def test_the_first_bytes_win_over_what_is_said(data: bytes, mime: str) -> None:
    assert media_type(data, declared="text/plain", name="x.txt") == mime


def test_the_source_wins_over_the_name() -> None:
    assert media_type(b"a,b", declared="Text/CSV", name="x.json") == "text/csv"


@pytest.mark.parametrize(
    "declared", ["", "application/octet-stream", "text", "text/html;x", 'image/"><script>', "a b/c"]
)
def test_the_name_tells_where_the_source_says_nothing_useful(declared: str) -> None:
    assert media_type(b"a,b", declared=declared, name="x.csv") == "text/csv"


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xfeh\0i\0", b"ID3 is a tag", b"BMW", b"RIFF"])
def test_what_nothing_tells_is_unknown(data: bytes) -> None:
    assert media_type(data) == "application/octet-stream"


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("image.png", "image/png"),
        ("/a/b/Photo.JPG", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.md", "text/markdown"),
        ("a.tar.gz", "application/gzip"),
        ("a.svgz", "application/gzip"),
        ("a.bz2", "application/x-bzip2"),
        ("Makefile", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
    ],
)
def test_the_name_of_a_file_tells_its_type(name: str, mime: str) -> None:
    assert get_file_mime_type(name) == mime


@pytest.mark.parametrize("end", ["png", "jpg", "webp", "gif", "svg", "wav", "mp3", "ogg", "flac", "pdf", "csv", "txt"])
def test_a_type_has_its_usual_extension(end: str) -> None:
    assert usual_extension(get_file_mime_type(f"a.{end}")) == end


def test_an_unknown_type_is_bin() -> None:
    assert usual_extension("application/x-unheard-of") == "bin"
