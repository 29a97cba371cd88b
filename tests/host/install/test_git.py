"""git is asked without a shell, waits for nobody, and keeps no password."""

import os
import time
from pathlib import Path

import pytest

from llms.host.install import source
from llms.host.install.git import Git
from llms.host.install.source import Source
from llms.kernel.errors import ConfigError

from .repository import Repository


def fake(folder: Path, script: str) -> dict[str, str]:
    """An environment whose git is `script`."""
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_a_password_is_neither_an_argument_nor_in_the_clone(
    tmp_path: Path, xmas: Repository, environ: dict[str, str]
) -> None:
    secret = Source("git", "https://example.org/a/xmas", "xmas", address=str(xmas.place))  # as `https://tok@…` would be
    Git(environ).clone(secret, tmp_path / "clone")
    assert str(xmas.place) not in (tmp_path / "clone/.git/config").read_text()
    assert "https://example.org/a/xmas" in (tmp_path / "clone/.git/config").read_text()


def test_a_password_is_not_seen_by_other_users(tmp_path: Path) -> None:
    environ = fake(tmp_path / "bin", f'echo "$@" >> {tmp_path}/seen; env >> {tmp_path}/environ; exit 1')
    found = source.parse("https://ann:hunter22@example.org/a/xmas.git", {})
    with pytest.raises(ConfigError):
        Git(environ).clone(found, tmp_path / "clone")
    assert "hunter22" not in (tmp_path / "seen").read_text()
    assert "hunter22" in (tmp_path / "environ").read_text()


def test_a_password_that_git_repeats_is_masked(tmp_path: Path) -> None:
    environ = fake(tmp_path / "bin", "echo 'fatal: no https://ann:hunter22@example.org/a' >&2; exit 128")
    with pytest.raises(ConfigError, match="fatal: no https") as caught:
        Git(environ).clone(source.parse("xmas", {}), tmp_path / "clone")
    assert "hunter22" not in str(caught.value)


def test_a_git_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    environ = fake(tmp_path / "bin", f"(sleep 60; touch {tmp_path}/late) & echo $! > {tmp_path}/pid; sleep 60")
    with pytest.raises(ConfigError, match=r"no end after 0.5 seconds"):
        Git(environ, seconds=0.5).clone(source.parse("xmas", {}), tmp_path / "clone")
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}/status").exists() and "zombie" not in Path(f"/proc/{child}/status").read_text():
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.01)


def test_without_git_the_fix_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"git cannot be run .*Install it"):
        Git({"PATH": str(tmp_path)}).clone(source.parse("xmas", {}), tmp_path / "clone")


def test_an_empty_repository_has_nothing_to_install(tmp_path: Path, environ: dict[str, str]) -> None:
    empty = Repository(tmp_path / "empty.git")
    with pytest.raises(ConfigError, match="no commit yet"):
        Git(environ).clone(source.parse(str(empty.place), {}), tmp_path / "clone")


@pytest.mark.parametrize("place", ["ext::touch {}/pwned", "--upload-pack=touch {}/pwned", "fd::3"])
def test_even_a_lock_file_cannot_make_git_run_a_program(tmp_path: Path, environ: dict[str, str], place: str) -> None:
    (tmp_path / "gitconfig").write_text('[protocol]\nallow = always\n[protocol "ext"]\nallow = always\n')
    evil = Source("git", place.format(tmp_path), "x", address=place.format(tmp_path))
    with pytest.raises(ConfigError, match="cannot be cloned"):
        Git({**environ, "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")}).clone(evil, tmp_path / "clone")
    assert not (tmp_path / "pwned").exists()
