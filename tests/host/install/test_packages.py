"""uv's plan is read from what it prints; what runs it is never a shell."""

import os
from pathlib import Path

import pytest

from llms.host.install.command import CommandFailed
from llms.host.install.packages import Pip, Uv, choose

TOLD = """Using Python 3.11.7 environment at: .venv
Resolved 3 packages in 137ms
Would download 2 packages
 - attrs==26.1.0
 + Snow_Flake==23.2.0
 + tabulate==0.10.0+cpu (from https://example.org/tabulate.whl)
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a uv that notes how it was called, prints TOLD to stderr, and fails if told to."""
    bin = tmp_path / "bin"
    bin.mkdir()
    (tmp_path / "told").write_text(TOLD)
    (bin / "uv").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\ncat {tmp_path}/told >&2\nexit "$FAIL"\n')
    (bin / "uv").chmod(0o755)
    return {"PATH": f"{bin}:{os.environ['PATH']}", "FAIL": "0"}


def test_uv_is_taken_where_it_exists(environ: dict[str, str], tmp_path: Path) -> None:
    assert isinstance(choose(environ), Uv)
    assert isinstance(choose({"PATH": str(tmp_path)}), Pip)


def test_what_uv_would_add_is_read(environ: dict[str, str], tmp_path: Path) -> None:
    found = choose(environ, "/a/python").resolve(["snow_flake"], ["attrs==1"], tmp_path, upgrade=False)
    assert found == {"snow-flake": "23.2.0", "tabulate": "0.10.0+cpu"}
    called = (tmp_path / "called").read_text()
    assert called.startswith("pip install --python /a/python --dry-run")
    assert (tmp_path / "pins.txt").read_text() == "attrs==1\n"


def test_what_uv_complains_of_is_kept(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "told").write_text("error: no\n  hint: go away.\n")
    with pytest.raises(CommandFailed) as caught:
        choose({**environ, "FAIL": "2"}).install(["snow"], tmp_path)
    assert caught.value.said == "error: no; hint: go away"
