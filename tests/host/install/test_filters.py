"""A repository's own configuration names programs that git would run; none of them does."""

import subprocess
from pathlib import Path

import pytest

from llms.host.install.git import Git


@pytest.fixture
def trapped(tmp_path: Path) -> Path:
    """A repository whose filter for every file leaves a mark when it runs."""
    folder = tmp_path / "trapped"
    folder.mkdir()
    (folder / "__init__.py").write_text("x = 1\n")
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "First"],
        ["config", "filter.x.clean", f"touch {tmp_path / 'ran'} && cat"],
        ["config", "filter.x.required", "true"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    (folder / ".gitattributes").write_text("* filter=x\n")
    (folder / "__init__.py").write_text("x = 2\n")
    return folder


def test_looking_for_changed_files_runs_no_filter(trapped: Path, tmp_path: Path) -> None:
    changed = Git({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}).changed_files(trapped)
    assert "__init__.py" in changed
    assert not (tmp_path / "ran").exists()


def test_the_trap_works(trapped: Path, tmp_path: Path) -> None:
    """Without care git would run it: else the test above proves nothing."""
    subprocess.run(["git", "status"], cwd=trapped, check=True, capture_output=True)
    assert (tmp_path / "ran").exists()
