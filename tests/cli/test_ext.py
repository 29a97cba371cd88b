"""`llms ext …`, `--add`, `--update` and `--remove`, as they are typed."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from .program import Program

CODE = {"__init__.py": "def install(ctx):\n    pass\n\n__install__ = install\n"}


@pytest.fixture(autouse=True)
def source(program: Program, tmp_path: Path) -> Path:
    """The work tree of what the bare name `xmas` stands for, with one commit."""
    names = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    program.environ |= {
        "LLMS_EXTENSIONS_FROM": str(tmp_path / "hub"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "UV_OFFLINE": "1",
        **names,
    }
    work = tmp_path / "hub/llmspy/xmas"
    work.mkdir(parents=True)
    git(program, work, "init", "--quiet", "--initial-branch=main")
    commit(program, work, "First", CODE)
    return work


def git(program: Program, work: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=work, env=program.environ, check=True, capture_output=True)


def commit(program: Program, work: Path, subject: str, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (work / name).write_text(text)
    git(program, work, "add", "--all")
    git(program, work, "commit", "--quiet", "-m", subject)


def folder(program: Program) -> Path:
    return program.home / "extensions/xmas"


@pytest.mark.parametrize("words", [["ext", "add", "xmas"], ["--add", "xmas"]])
async def test_add_shows_the_plan_and_installs(program: Program, words: list[str]) -> None:
    ran = await program(*words, "--yes")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("xmas\n  from          ")
    assert "permissions   none declared" in ran.out
    assert ran.out.endswith("Installed xmas.\n")
    assert (folder(program) / "__init__.py").exists()


@pytest.mark.parametrize("words", [["ext", "add", "xmas"], ["--add", "xmas"]])
async def test_without_anybody_to_ask_it_shows_the_plan_and_fails(program: Program, words: list[str]) -> None:
    ran = await program(*words)
    assert ran.code == 1
    assert ran.out.startswith("xmas\n")
    assert "Add --yes" in ran.err
    assert not folder(program).exists()


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
async def test_at_a_terminal_it_asks(program: Program, answer: str, code: int) -> None:
    async with program.on_terminal("ext", "add", "xmas") as terminal:
        await terminal.sees(r"Install it\?.*\[y/N\]")
        terminal.types(answer)
        assert await terminal.ends() == code
    assert folder(program).exists() == (code == 0)


async def test_ctrl_c_at_the_question_leaves_nothing(program: Program) -> None:
    async with program.on_terminal("ext", "add", "xmas") as terminal:
        await terminal.sees(r"Install it\?")
        terminal.presses_ctrl_c()
        assert await terminal.ends() == 130
    assert list((program.home / "extensions").iterdir()) == []


async def test_what_is_there_already_is_no_failure(program: Program) -> None:
    await program("--add", "xmas", "--yes")
    ran = await program("--add", "xmas")
    assert (ran.code, ran.err) == (0, "")
    assert "there already" in ran.out


async def test_a_clone_that_fails_is_a_failure(program: Program) -> None:
    ran = await program("--add", "nope", "--yes")
    assert ran.code == 1
    assert ran.err.startswith("Error: ") and "cannot be cloned" in ran.err


async def test_plan_prints_and_does_nothing(program: Program) -> None:
    ran = await program("ext", "plan", "xmas")
    assert (ran.code, ran.err) == (0, "")
    assert "files         1, " in ran.out
    assert not folder(program).exists()


async def test_what_an_extension_says_of_itself_cannot_move_the_cursor(program: Program, source: Path) -> None:
    commit(program, source, "\x1b[2J", {"extension.toml": 'description = "\\u001b[2Jgone\\nInstalled xmas."'})
    ran = await program("ext", "plan", "xmas")
    assert "\x1b" not in ran.out
    assert "[2Jgone Installed xmas.\n" in ran.out


@pytest.mark.parametrize("words", [["--add"], ["ext", "add"]])
async def test_add_alone_lists_what_there_is(program: Program, words: list[str]) -> None:
    ran = await program(*words)
    assert (ran.code, ran.out) == (0, "xmas\n")


@pytest.mark.parametrize("words", [["--remove"], ["--update"], ["ext", "update"], ["ext", "remove"]])
async def test_remove_and_update_alone_list_what_is_installed(program: Program, words: list[str]) -> None:
    await program("--add", "xmas", "--yes")
    ran = await program(*words)
    assert ran.code == 0
    assert ran.out.startswith("xmas  ")


async def test_update_rollback_and_remove(program: Program, source: Path) -> None:
    await program("--add", "xmas", "--yes")
    assert (await program("--update", "xmas")).out == "xmas is up to date.\n"
    commit(program, source, "Let it snow", {"__init__.py": "v = 2\n"})
    updated = await program("--update", "all", "--yes")
    assert updated.code == 0
    assert "Let it snow" in updated.out and "~ __init__.py" in updated.out
    assert (folder(program) / "__init__.py").read_text() == "v = 2\n"
    assert (await program("ext", "rollback", "xmas", "--yes")).code == 0
    assert (folder(program) / "__init__.py").read_text() == CODE["__init__.py"]
    assert (await program("--remove", "xmas", "--yes")).out == "Removed xmas.\n"
    assert not folder(program).exists()


async def test_one_that_cannot_be_updated_does_not_stop_the_others(program: Program, source: Path) -> None:
    await program("--add", "xmas", "--yes")
    git(program, source.parent, "clone", "--quiet", str(source), str(program.home / "extensions/advent"))
    (program.home / "extensions/advent/mine.py").touch()
    commit(program, source, "Second", {"__init__.py": "v = 2\n"})
    ran = await program("--update", "all", "--yes")
    assert ran.code == 1
    assert "advent: 'advent' has uncommitted changes" in ran.err
    assert "Updated xmas." in ran.out


@pytest.mark.parametrize("name", ["nope", "../xmas", "/etc"])
async def test_removing_what_is_not_there_fails(program: Program, name: str) -> None:
    assert (await program("--remove", name, "--yes")).code == 1


async def test_the_doctor_says_what_is_wrong_and_fails(program: Program) -> None:
    await program("--add", "xmas", "--yes")
    well = await program("ext", "doctor")
    assert (well.code, well.err) == (0, "")
    (folder(program) / "__init__.py").write_text("mine = (")
    ill = await program("ext", "doctor")
    assert ill.code == 1
    assert "edited by hand" in ill.out and "no code for this Python" in ill.out


async def test_no_code_of_any_extension_runs(program: Program, source: Path, tmp_path: Path) -> None:
    evil = {"__init__.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n"}
    commit(program, source, "Evil", evil)
    for words in (["--add", "xmas"], ["--update", "xmas"], ["ext", "doctor"], ["--remove", "xmas"]):
        await program(*words, "--yes")
    assert not (tmp_path / "ran").exists()


async def test_a_broken_configuration_does_not_stop_it(program: Program) -> None:
    (program.home / "llms.json").write_text("{")
    assert (await program("--add", "xmas", "--yes")).code == 0


@pytest.mark.parametrize("words", [["ext", "add", "xmas", "more"], ["ext", "doctor", "xmas"], ["--remove", "a", "b"]])
async def test_more_words_than_it_takes_are_refused(program: Program, words: list[str]) -> None:
    ran = await program(*words, "--yes")
    assert ran.code == 1
    assert "Leave out the rest" in ran.err
