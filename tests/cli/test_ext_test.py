"""`llms ext test PATH`: says how an extension keeps to the rules."""

import json
import shutil
from pathlib import Path

import pytest

from .program import Program

GOOD = "def __install__(ctx):\n    ctx.add_get('here', lambda request: {})\n"
BAD = "import subprocess\n\ndef __install__(ctx):\n    ctx.register_tool(silent)\n\ndef silent(): ...\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An extension's folder, without code."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "extension.toml").write_text("permissions = []")
    return folder


async def test_one_that_keeps_to_them_passes(program: Program, folder: Path) -> None:
    (folder / "__init__.py").write_text(GOOD)
    ran = await program("ext", "test", str(folder))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"mine  {folder}\n  ✓ manifest ")
    assert "  ✓ guarded       1 route turned away who is not signed in.\n" in ran.out
    assert ran.out.endswith("10 ok, 2 skipped.\n")


async def test_one_that_breaks_some_fails_and_is_told_which_and_how_to_mend_it(program: Program, folder: Path) -> None:
    (folder / "__init__.py").write_text(BAD)
    ran = await program("ext", "test", str(folder))
    assert ran.code == 1
    told = [line.split(maxsplit=2) for line in ran.out.splitlines() if line.startswith("  ✗")]
    assert [name for _, name, _ in told] == ["permissions", "tools"]
    assert told[0][2].endswith('Add "exec" to `permissions`.')


async def test_a_program_gets_json_and_nothing_else(program: Program, folder: Path) -> None:
    (folder / "__init__.py").write_text(f"print('words of its own')\n{BAD}")
    ran = await program("ext", "test", str(folder), "--json")
    report = json.loads(ran.out)
    assert (ran.code, report["extension"], report["passed"]) == (1, "mine", False)
    assert {check["name"] for check in report["checks"] if check["outcome"] == "failed"} == {"permissions", "tools"}


async def test_a_relative_path_will_do(program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "__init__.py").write_text(GOOD)
    monkeypatch.chdir(folder)
    assert (await program("ext", "test", ".")).out.startswith(f"mine  {folder}\n")


async def test_an_installed_extension_may_be_named(program: Program, folder: Path) -> None:
    (folder / "__init__.py").write_text(GOOD)
    shutil.copytree(folder, program.home / "extensions/mine")
    ran = await program("ext", "test", "mine")
    assert (ran.code, ran.out.splitlines()[0]) == (0, f"mine  {program.home}/extensions/mine")


async def test_the_users_own_home_is_left_alone(program: Program, folder: Path) -> None:
    (folder / "__init__.py").write_text("async def __load__(ctx):\n    await ctx.store.set('key', 'value')\n")
    before = sorted(program.home.rglob("*"))
    assert (await program("ext", "test", str(folder))).code == 0
    assert sorted(program.home.rglob("*")) == before


async def test_a_secret_of_the_environment_is_not_repeated(program: Program, folder: Path) -> None:
    (folder / "__init__.py").write_text("import os\nraise ValueError(os.environ['MY_API_KEY'])\n")
    ran = await program("ext", "test", str(folder), MY_API_KEY="secret-value-0123456789")
    assert "It is not loaded: ***" in ran.out
    assert "secret-value" not in ran.out + ran.err


@pytest.mark.parametrize(("path", "why"), [("nowhere", "nowhere is no folder"), ("", "`llms ext test PATH`")])
async def test_what_is_no_extension_is_refused(program: Program, path: str, why: str) -> None:
    ran = await program("ext", "test", path)
    assert (ran.code, ran.out) == (1, "")
    assert why in ran.err
