"""A manifest is read without running anything, and every mistake in it is named."""

from pathlib import Path

import pytest

from llms.host.manifest import Manifest
from llms.kernel.errors import ConfigError

WHOLE = """
id = "xmas"
version = "1.2.0"
llms = ">=0.1,<2"
description = "Greets."
homepage = "https://example.com/xmas"
permissions = ["net", "secrets:XMAS_KEY", "routes:public"]
requirements = ["ddgs>=9"]

[settings.properties.greeting]
type = "string"
"""


def written(folder: Path, text: str) -> Manifest:
    (folder / "extension.toml").write_text(text)
    return Manifest.read(folder)


def test_every_field_is_read(tmp_path: Path) -> None:
    manifest = written(tmp_path, WHOLE)
    assert manifest.id == "xmas"
    assert manifest.version == "1.2.0"
    assert manifest.permissions == ("net", "secrets:XMAS_KEY", "routes:public")
    assert manifest.requirements == ("ddgs>=9",)
    assert manifest.settings == {"type": "object", "properties": {"greeting": {"type": "string"}}}


def test_no_manifest_is_an_empty_one(tmp_path: Path) -> None:
    assert Manifest.read(tmp_path) == Manifest()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id = ", "Invalid value"),
        ("nmae = 'x'", "unknown key 'nmae'"),
        ("version = 1", "`version` must be a text, not int"),
        ("permissions = 'net'", "`permissions` must be a list of texts"),
        ("permissions = [1]", "`permissions` must be a list of texts"),
        ("permissions = ['root']", "there is no permission 'root'"),
        ("permissions = ['secrets:']", "there is no permission 'secrets:'"),
        ("llms = 'newest'", "`llms` must be a range"),
        ("settings = 'x'", "`settings` must be a JSON Schema"),
        ("[settings.properties.a]\ntype = 'strnig'", "`settings` is no JSON Schema"),
        ("[settings]\ntype = 'string'", "must describe an object"),
        ("[settings.properties.a]\n'$ref' = '#/$defs/nothing'", "refers to '#/\\$defs/nothing', which is not in it"),
        ("[settings.properties.a]\n'$ref' = 'https://example.com/a.json'", "which is not in it"),
    ],
)
def test_a_mistake_is_named_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        written(tmp_path, text)
    assert "extension.toml" in str(raised.value)


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "extension.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    ("range_", "version", "fits"),
    [("", "0.1.0", True), (">=0.1,<2", "0.1.0", True), (">=0.1", "0.1.0.dev1", False), (">=1", "0.9", False)],
)
def test_a_range_decides(range_: str, version: str, fits: bool) -> None:
    why = Manifest(llms=range_).why_not(version)
    assert (why is None) is fits
    if why:
        assert range_ in why
        assert version in why
