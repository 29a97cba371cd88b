"""A file is read, or is not there, or cannot be read: three different things."""

from pathlib import Path

import pytest

from llms.kernel.errors import ConfigError
from llms.kernel.reading import json_from_file, text_from_file, text_from_resource


def test_text_is_read_as_utf8_with_or_without_a_mark(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfOl\xc3\xa9")
    assert text_from_file(tmp_path / "a.txt") == "Olé"


@pytest.mark.parametrize("read", [text_from_file, json_from_file])
def test_an_absent_file_is_none(tmp_path: Path, read: object) -> None:
    assert callable(read)
    assert read(tmp_path / "missing") is None
    (tmp_path / "file").write_text("")
    assert read(str(tmp_path / "file" / "below")) is None


def test_json_is_decoded(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": [1]}')
    assert json_from_file(tmp_path / "a.json") == {"a": [1]}


def test_what_cannot_be_read_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.txt").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"a\.json is not valid JSON"):
        json_from_file(tmp_path / "a.json")
    with pytest.raises(ConfigError, match=r"b\.txt cannot be read"):
        text_from_file(tmp_path / "b.txt")
    with pytest.raises(ConfigError, match="cannot be read"):
        text_from_file(tmp_path)


def test_a_packaged_file_is_found_and_nothing_outside_the_package() -> None:
    assert "providers" in (text_from_resource("llms.json") or "")
    assert text_from_resource("nothing.json") is None
    assert text_from_resource("../pyproject.toml") is None
    assert text_from_resource("/etc/passwd") is None
