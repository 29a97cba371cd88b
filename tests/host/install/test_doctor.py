"""The doctor finds what is wrong, says how to put it right, and runs no extension."""

import shutil
from pathlib import Path

import pytest

from llms.host.install.doctor import Finding, examine
from llms.host.install.journal import stage
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home

from .conftest import Open
from .repository import EXTENSION, Repository, write
from .wheels import Python, make_wheel


@pytest.fixture
def installed(home: Home, xmas: Repository, installer: Open) -> Path:
    """The folder of an installed extension."""
    with installer() as open:
        open.apply(open.plan_add("xmas"))
    return home.extensions / "xmas"


def findings(home: Home, python: Python) -> list[Finding]:
    return examine(home, python.environment)


def problem(home: Home, python: Python) -> str:
    (finding,) = findings(home, python)
    assert finding.fix or finding.problem.endswith(".")
    return f"{finding.extension}: {finding.problem} {finding.fix}"


def test_what_is_whole_is_well(home: Home, python: Python, installed: Path) -> None:
    write(home.extensions / "by_hand", EXTENSION)
    assert findings(home, python) == []


def test_an_empty_home_is_well(home: Home, python: Python) -> None:
    assert findings(home, python) == []


def test_an_edit_is_found(home: Home, python: Python, installed: Path) -> None:
    write(installed, {"__init__.py": "mine = 1\n"})
    assert "edited by hand" in problem(home, python)


def test_a_link_that_was_put_in_is_found(home: Home, python: Python, installed: Path) -> None:
    (installed / "leak").symlink_to("/etc")
    assert "leads out" in problem(home, python)


def test_a_missing_folder_is_found(home: Home, python: Python, installed: Path) -> None:
    shutil.rmtree(installed)
    assert "is gone" in problem(home, python)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"requirements.txt": "no-such-thing>=2"}, "pip install 'no-such-thing>=2'"),
        ({"requirements.txt": "aiohttp<1"}, "it needs aiohttp<1"),
        ({"requirements.txt": "-- what"}, ""),
        ({"requirements.txt": "a b c"}, "requirements.txt line 1"),
        ({"extension.toml": "llms = '>=99'"}, "works with llms >=99"),
        ({"extension.toml": "id = "}, "extension.toml"),
        ({"later.py": "match = 1\ndef f(:\n"}, "later.py line 2 is no code for this Python"),
        ({"zero.py": "\0"}, "zero.py"),
        ({"odd.py": "x = '\\d'\n"}, ""),
    ],
)
def test_faults_of_a_folder_made_by_hand_are_found(home: Home, python: Python, files: dict[str, str], why: str) -> None:
    write(home.extensions / "mine", {**EXTENSION, **files})
    if why:
        assert why in problem(home, python)
    else:
        assert findings(home, python) == []


def test_nothing_of_an_extension_runs(home: Home, python: Python, tmp_path: Path) -> None:
    write(home.extensions / "mine", {"__init__.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n"})
    assert findings(home, python) == []
    assert not (tmp_path / "ran").exists()


def test_a_requirement_that_went_missing_is_found(
    home: Home, python: Python, installer: Open, wheels: Path, tmp_path: Path
) -> None:
    make_wheel(wheels, "flake", "1.0")
    write(tmp_path / "a", {**EXTENSION, "requirements.txt": "flake"})
    with installer() as open:
        open.apply(open.plan_add(str(tmp_path / "a")))
    assert findings(home, python) == []
    python.environment.packages.uninstall("flake")
    assert "`llms ext update a`" in problem(home, python)


def test_a_package_that_went_missing_is_found(home: Home, python: Python, installer: Open) -> None:
    home.prepare()
    home.lock_file.write_text('{"extensions": {"gone": {"kind": "package", "source": "gone", "commit": "1.0"}}}')
    assert "not installed" in problem(home, python)


def test_leftovers_are_found(home: Home, python: Python) -> None:
    stage(home)
    write(home.extensions / ".previous/gone", EXTENSION)
    assert [finding.extension for finding in findings(home, python)] == ["", ""]


@pytest.mark.parametrize(
    "text", ["[", '{"extensions": []}', '{"extensions": {"a": {"kind": "magic"}}}', '{"version": 9}']
)
def test_a_lock_file_that_cannot_be_understood_is_an_error_with_the_fix(home: Home, python: Python, text: str) -> None:
    home.prepare()
    home.lock_file.write_text(text)
    with pytest.raises(ConfigError, match=r"extensions\.lock.*\.$"):
        findings(home, python)
