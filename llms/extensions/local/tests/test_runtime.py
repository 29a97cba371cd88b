"""Is the runtime here, and does it load."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from llms.extensions.local import runtime
from llms.extensions.local.pip import InstallError, Pip


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that both this process and its children import from."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_a_runtime_that_is_here_and_loads_needs_no_pip(site: Path) -> None:
    (site / "xllamacpp.py").write_text("")
    runtime.install(Pip(["/nowhere/pip"]))
    assert runtime.is_installed()


def test_a_missing_runtime_is_installed_pinned(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(site)])
    monkeypatch.delitem(sys.modules, "xllamacpp", raising=False)
    assert not runtime.is_installed()
    script = site / "pip_script.py"
    script.write_text(
        "import pathlib, sys\n"
        "assert sys.argv[1] == 'install' and '--require-hashes' in sys.argv, sys.argv\n"
        "assert pathlib.Path(sys.argv[-1]).read_text().count('xllamacpp==2026.10.11549') == 1, sys.argv\n"
        "pathlib.Path(__file__).with_name('xllamacpp.py').write_text('')\n"
    )
    runtime.install(Pip([sys.executable, str(script)]))
    assert runtime.is_installed()


def test_the_pinned_version_is_the_same_wherever_it_is_named() -> None:
    pinned = runtime.HASHES.read_text()
    assert re.findall(r"^([^#\s]+)", pinned, re.MULTILINE) == [runtime.REQUIREMENT]
    assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", pinned)
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"]["local"] == [runtime.REQUIREMENT]


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("raise ImportError('libgomp.so.1: cannot open shared object file')", r"apt install libgomp1"),
        ("raise ImportError('GLIBC_2.38 not found')", r"does not load on this machine .*GLIBC_2\.38.*Ollama"),
        ("import os; os.kill(os.getpid(), 4)", r"does not load on this machine \(exit code -4\)"),
    ],
)
def test_a_runtime_that_does_not_load_is_one_sentence_with_the_fix(site: Path, module: str, sentence: str) -> None:
    (site / "xllamacpp.py").write_text(module)
    with pytest.raises(InstallError, match=sentence):
        runtime.install()


def test_a_runtime_that_is_not_there_is_one_command_away() -> None:
    assert "`llms local install`" in runtime.import_problem("No module named 'xllamacpp'")
