"""The build hook, against an npm that does what the test wants: it never dials out."""

import importlib.util
import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
UI = Path("llms/extensions/katex/ui")
MADE = ("katex.min.mjs", "katex.min.css", "fonts/KaTeX_Main-Regular.woff2", "katex.LICENSE.txt")

NPM = """\
import pathlib, sys
log = pathlib.Path({log!r})
log.write_text(log.read_text() + " ".join(sys.argv[1:]) + "\\n" if log.exists() else " ".join(sys.argv[1:]) + "\\n")
if {error!r}:
    sys.exit({error!r})
katex = pathlib.Path("node_modules/katex")
(katex / "dist/fonts").mkdir(parents=True)
for name in ("dist/katex.mjs", "dist/katex.min.css", "dist/fonts/KaTeX_Main-Regular.woff2", "LICENSE"):
    (katex / name).write_text(name)
(katex / "dist/fonts/KaTeX_Main-Regular.ttf").write_text("not wanted")
"""


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["hatch_build"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path, hook: ModuleType) -> Path:
    """A project with what is pinned, and nothing built."""
    root = tmp_path / "project"
    for name in hook.PINNED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((ROOT / name).read_bytes())
    return root


Npm = Callable[..., Path]


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    """Puts an npm first on the PATH; gives the file that tells how it was called."""

    def install(*, error: str = "", node: str = "v22.1.0") -> Path:
        tools, log = tmp_path / "tools", tmp_path / "npm.log"
        script = tmp_path / "npm.py"
        script.write_text(NPM.format(log=str(log), error=error))
        _program(tools / "npm", f'exec "{sys.executable}" "{script}" "$@"')
        _program(tools / "node", f"echo {node}")
        monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
        return log

    return install


def _program(path: Path, line: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _initialize(hook: ModuleType, root: Path) -> None:
    _hook(hook, root).initialize("editable", {})


def _hook(hook: ModuleType, root: Path) -> "hook.CustomBuildHook":  # type: ignore[name-defined]
    return hook.CustomBuildHook(str(root), {}, None, None, str(root / "dist"), "wheel")


def test_the_files_of_katex_are_put_where_its_extension_serves_them(hook: ModuleType, project: Path, npm: Npm) -> None:
    npm()
    _initialize(hook, project)
    found = sorted(file.relative_to(project / UI).as_posix() for file in (project / UI).rglob("*") if file.is_file())
    assert found == sorted(MADE)
    assert (project / UI / "katex.min.mjs").read_text() == "dist/katex.mjs"


def test_packages_are_installed_from_the_lock_file_and_their_scripts_never_run(
    hook: ModuleType, project: Path, npm: Npm
) -> None:
    log = npm()
    _initialize(hook, project)
    (call,) = log.read_text().splitlines()
    assert call.startswith("ci ")
    assert "--ignore-scripts" in call


def test_a_second_install_asks_npm_for_nothing(hook: ModuleType, project: Path, npm: Npm) -> None:
    log = npm()
    _initialize(hook, project)
    _initialize(hook, project)
    assert len(log.read_text().splitlines()) == 1


def test_a_copy_with_the_built_files_needs_no_npm(hook: ModuleType, project: Path, npm: Npm, tmp_path: Path) -> None:
    npm()
    _initialize(hook, project)
    log = npm(error="ENOTFOUND")
    sdist = tmp_path / "sdist"
    (project / ".cache").rename(tmp_path / "away")  # an sdist has none
    project.rename(sdist)
    log.unlink()
    _initialize(hook, sdist)
    assert not log.exists()


@pytest.mark.parametrize("file", MADE)
def test_a_file_that_was_deleted_or_changed_is_made_again(hook: ModuleType, project: Path, npm: Npm, file: str) -> None:
    npm()
    _initialize(hook, project)
    good = (project / UI / file).read_text()
    (project / UI / file).unlink()
    _initialize(hook, project)
    (project / UI / file).write_text("spoiled")
    _initialize(hook, project)
    assert (project / UI / file).read_text() == good


def test_files_of_an_older_version_do_not_stay(hook: ModuleType, project: Path, npm: Npm) -> None:
    npm()
    _initialize(hook, project)
    stamp = project / "ui-build/stamp.json"
    old = project / UI / "fonts/KaTeX_Old.woff2"
    old.write_text("old")
    told = json.loads(stamp.read_text())
    told["files"][old.relative_to(project).as_posix()] = ""
    stamp.write_text(json.dumps({**told, "pinned": "another state"}))
    _initialize(hook, project)
    assert not old.exists()


def test_another_lock_file_is_fetched(hook: ModuleType, project: Path, npm: Npm) -> None:
    log = npm()
    _initialize(hook, project)
    lock = project / "ui-build/package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    _initialize(hook, project)
    assert len(log.read_text().splitlines()) == 2


@pytest.mark.parametrize("stamp", ["", "{", "[]", '{"files": {"x": "y"}}', '{"pinned": 1}'])
def test_a_spoiled_stamp_is_no_stamp(hook: ModuleType, project: Path, npm: Npm, stamp: str) -> None:
    npm()
    (project / "ui-build/stamp.json").write_text(stamp)
    _initialize(hook, project)
    assert (project / UI / MADE[0]).is_file()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("npm error code ENOTFOUND", "connect to the network"),
        ("npm error code EINTEGRITY", "not the one that was pinned"),
        ("npm error code ENOSPC", "The disk is full"),
        ("npm error code EWHATEVER", "EWHATEVER"),
    ],
)
def test_a_build_that_fails_says_why_in_one_paragraph(
    hook: ModuleType, project: Path, npm: Npm, said: str, told: str
) -> None:
    npm(error=said)
    with pytest.raises(SystemExit) as caught:
        _initialize(hook, project)
    message = str(caught.value)
    assert told in message
    assert message.endswith("LLMS_BUILD_UI=0 builds without what the page needs from npm.\n")
    assert "\n" not in message.strip()


def test_a_failed_build_leaves_no_stamp_and_is_tried_again(hook: ModuleType, project: Path, npm: Npm) -> None:
    npm(error="ECONNRESET")
    with pytest.raises(SystemExit):
        _initialize(hook, project)
    npm()
    _initialize(hook, project)
    assert (project / UI / MADE[0]).is_file()


def test_llms_build_ui_0_builds_without(
    hook: ModuleType, project: Path, npm: Npm, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = npm()
    monkeypatch.setenv("LLMS_BUILD_UI", "0")
    _initialize(hook, project)
    assert not log.exists()
    assert not (project / UI).exists()


def test_a_machine_without_node_has_it_brought_by_the_build_environment(
    hook: ModuleType, project: Path, npm: Npm, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm()
    assert _hook(hook, project).dependencies() == []
    npm(node="v12.0.0")
    assert _hook(hook, project).dependencies() == [hook.NODE_WHEEL]
    monkeypatch.setenv("PATH", "")
    assert _hook(hook, project).dependencies() == [hook.NODE_WHEEL]
    monkeypatch.setenv("LLMS_BUILD_UI", "0")
    assert _hook(hook, project).dependencies() == []


def test_the_lock_file_names_hashes_and_no_registry() -> None:
    lock = json.loads((ROOT / "ui-build/package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
