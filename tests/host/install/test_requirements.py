"""What an extension asks for is read as data: no option of it reaches pip."""

from pathlib import Path

import pytest

from llms.host.install import requirements
from llms.host.manifest import Manifest
from llms.kernel.errors import ConfigError

from .repository import write


def read(folder: Path, text: str, *more: str) -> requirements.Requirements:
    write(folder, {"requirements.txt": text})
    return requirements.read(folder, Manifest(requirements=more))


def test_both_places_count(tmp_path: Path) -> None:
    found = read(tmp_path, "# search\nddgs>=9  # the engine\n\nlxml[html] >= 5, \\\n <6\n", "httpx", "ddgs>=9")
    assert [str(one) for one in found.wanted] == ["ddgs>=9", "lxml[html]<6,>=5", "httpx"]


def test_what_another_machine_needs_does_not_count(tmp_path: Path) -> None:
    assert read(tmp_path, "pywin32; sys_platform == 'win32'\na; python_version > '3'").wanted[0].name == "a"


@pytest.mark.parametrize(
    "option",
    ["--index-url https://evil.example/", "-r ../../secrets.txt", "-e .", "--trusted-host=evil", "--pre", "-c /etc/x"],
)
def test_options_are_left_out_and_said(tmp_path: Path, option: str) -> None:
    found = read(tmp_path, f"{option}\nddgs\n")
    assert [str(one) for one in found.wanted] == ["ddgs"]
    assert option in found.notes[0]


@pytest.mark.parametrize(
    "line",
    [
        *("./evil.whl", "../x", "git+https://example.org/x", "x @ git+https://example.org/x", "x @ file:///tmp/x.whl"),
        *("x @ https://example.org/x.tar.gz", "x @ http://example.org/x.whl", "a b c", "x; os_name ="),
    ],
)
def test_lines_that_name_no_published_version_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=r"requirements.txt line 1.*\.$"):
        read(tmp_path, line)


def test_an_extension_cannot_replace_the_server(tmp_path: Path) -> None:
    found = read(tmp_path, "llms\nllms_py==1.0\n")
    assert (found.wanted, len(found.notes)) == ((), 2)


def test_hashes_are_no_part_of_a_requirement(tmp_path: Path) -> None:
    assert str(read(tmp_path, "a==1 --hash=sha256:00").wanted[0]) == "a==1"
