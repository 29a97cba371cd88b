"""What pip's failures become, and one failure of the real pip."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from llms.extensions.local.pip import InstallError, Pip

TINY = Path("tiny.txt")


def failing(stderr: str) -> Pip:
    return Pip([sys.executable, "-c", f"import sys; sys.exit({stderr!r})"])


@pytest.mark.parametrize(
    ("stderr", "sentence"),
    [
        ("error: externally-managed-environment", "in a virtual environment"),
        ("OSError: [Errno 28] No space left on device", "disk is full: free"),
        ("ERROR: OSError: [Errno 13] Permission denied: '/usr/lib'", "in a virtual environment"),
        ("WARNING: Retrying (Retry(total=1))\nERROR: No matching distribution found for x", "connect to the network"),
        ("ERROR: No matching distribution found for tiny==1", r"no wheel of tiny==1 .*Python 3.*use another provider"),
        ("error: incomplete-download\n× Download failed", "broke off: check the network and the space"),
        ("ERROR: first\nERROR: the moon is wrong\nnoise", r"\(ERROR: the moon is wrong\): fix that"),
        ("no words of its own", "exit code 1"),
    ],
)
def test_a_failure_is_one_sentence_with_the_fix(stderr: str, sentence: str) -> None:
    with pytest.raises(InstallError, match=sentence):
        failing(stderr).install("tiny==1", hashes=TINY)


def test_a_command_that_is_not_there_is_told() -> None:
    with pytest.raises(InstallError, match=r"Cannot run /nowhere/pip .*install pip"):
        Pip(["/nowhere/pip"]).install("tiny==1", hashes=TINY)


def test_a_python_without_pip_or_uv_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InstallError, match="-m ensurepip --upgrade"):
        Pip().install("tiny==1", hashes=TINY)


def test_a_python_without_pip_borrows_the_one_uv_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "$@" > "$(dirname "$0")/asked"\n')
    uv.chmod(0o755)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    Pip().install("tiny==1", hashes=TINY)
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith(f"tool run pip --python {sys.executable} install ")
    assert asked.endswith(" --require-hashes --requirement tiny.txt\n")


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="this Python has no pip")
def test_the_real_pip_without_network_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InstallError, match="connect to the network"):
        Pip().download("llms-no-such-package==1", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="this Python has no pip")
def test_the_real_pip_installs_no_file_but_the_pinned_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "llms_no_such_package-1-py3-none-any.whl").write_bytes(b"anything an index may offer")
    hashes = tmp_path / "pinned.txt"
    hashes.write_text(f"llms-no-such-package==1 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(InstallError, match="another file than the pinned one"):
        Pip().install("llms-no-such-package==1", hashes=hashes)
