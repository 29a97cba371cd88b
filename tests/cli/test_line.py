"""Lines that cannot be run, and how extensions add to what can."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llms.cli.flags import SECTIONS
from llms.cli.parser import Parser
from llms.kernel.paths import PACKAGE

from .program import ROOT, Program

# -- bad lines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--modle", "x"], "unknown option '--modle'. Did you mean --model?"),
        (["hi", "--zzz"], "unknown option '--zzz'."),
        (["--serve", "eighty"], "'eighty' is not a port."),
        (["--serve", "70000"], "'70000' is not a port."),
        (["--model"], "argument -m/--model: expected one argument."),
    ],
)
async def test_a_line_that_cannot_be_understood_says_why(program: Program, words: list[str], message: str) -> None:
    ran = await program(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: ")
    assert message in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        (["--chat", "/nowhere/chat.json"], None, "/nowhere/chat.json cannot be read: No such file or directory."),
        ([], '{"messages": [', "Invalid JSON from stdin: "),
        ([], '{"message": "hi"}', "The JSON from stdin is not a chat request."),
        ([], '{"messages": ["hi"]}', "The JSON from stdin is not a chat request."),
        (["Look"], b"\x89PNG\xff", "stdin is not UTF-8 text (byte 0). Attach files with --file"),
        ([" "], None, "The prompt is empty."),
        (["--out", "smell", "a rose"], None, "Template for output modality 'smell' not found."),
        (["hi", "-m", "fake-modle"], None, "Did you mean fake-model?"),
        (["--config", "/nowhere/llms.json", "ls"], None, "/nowhere/llms.json does not exist."),
        (["--providers", "/nowhere/p.json", "ls"], None, "/nowhere/p.json does not exist."),
    ],
)
async def test_a_line_that_cannot_be_done_fails_in_one_sentence(
    program: Program, words: list[str], stdin: str | bytes | None, message: str
) -> None:
    ran = await program(*words, stdin=stdin)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("Error: ")
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert not program.upstream.requests


async def test_a_broken_configuration_names_file_and_place(program: Program) -> None:
    (program.home / "llms.json").write_text('{"version": 3,\n "providers": }')
    ran = await program("ls")
    assert ran.code == 1
    assert ran.err.startswith("Error: llms.json: line 2, column 15")


async def test_version_help_and_reset_work_with_a_broken_configuration(program: Program) -> None:
    (program.home / "llms.json").write_text("{")
    assert (await program("--version")).out.startswith("llms ")
    helped = await program("--help")
    assert (helped.code, "--serve" in helped.out) == (0, True)
    assert "llms.json" in helped.err
    assert (await program("--reset", "config")).code == 0
    assert (await program("ls")).code == 0


async def test_a_home_that_cannot_be_written_is_one_sentence(program: Program) -> None:
    (program.home.parent / "file").write_text("")
    ran = await program("hi", LLMS_HOME=str(program.home.parent / "file" / "home"))
    assert ran.code == 1
    assert ran.err.startswith("Error: ")
    assert "LLMS_HOME" in ran.err


async def test_a_traceback_is_shown_only_when_verbose(program: Program) -> None:
    assert "Traceback" in (await program("--chat", "/nowhere", "--verbose")).err


async def test_the_log_prefix_stands_before_an_error(program: Program) -> None:
    assert (await program("--chat", "/nowhere", "--logprefix", "job 7: ")).err.startswith("job 7: Error: ")


async def test_a_key_in_an_error_of_the_provider_is_not_shown(program: Program) -> None:
    program.upstream.enqueue_error(401, "Incorrect API key provided: test-key-0123456789")
    ran = await program("hi")
    assert ran.code == 1
    assert "test-key" not in ran.err


# -- help and version ----------------------------------------------------------------------------------------------


def test_version_imports_nothing_slow() -> None:
    told = subprocess.run(  # stdlib only: what is imported is part of what is tested
        [sys.executable, "-X", "importtime", "-m", "llms", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
    ).stderr
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in told.splitlines()}
    assert "llms" in imported
    assert not imported & {"aiohttp", "sqlalchemy", "PIL", "rich", "xllamacpp", "mcp", "msgspec", "asyncio"}


async def test_help_shows_every_flag_and_what_extensions_add(program: Program) -> None:
    ran = await program("--help")
    assert ran.code == 0
    for flag in (flag for section in SECTIONS for flag in section.flags):
        assert all(name in ran.out for name in flag.names)
    assert "local [install]" in ran.out


async def test_of_a_disabled_extension_no_line_runs(program: Program) -> None:
    assert "local [install]" not in (await program("--help", LLMS_DISABLE="xmas, local")).out
    program.configure({"disable_extensions": ["local"]})
    assert "local [install]" not in (await program("--help")).out


async def test_a_line_that_calls_nothing_gets_the_help(program: Program) -> None:
    ran = await program()
    assert (ran.code, "--serve [PORT]" in ran.out) == (0, True)


# -- what extensions add -------------------------------------------------------------------------------------------


def run_nothing(ctx: object, words: list[str]) -> None: ...


def test_a_command_takes_the_line_only_with_its_own_actions() -> None:
    parser = Parser()
    parser.add_command("local", "Models here.", run_nothing, actions=("install",))
    assert parser.command(["local"]) is not None
    assert parser.command(["local", "install"]) is not None
    assert parser.command(["local", "food"]) is None
    assert parser.command(["food"]) is None


async def test_a_command_runs_with_its_extension_s_own_ctx(program: Program) -> None:
    ran = await program("local")
    assert ran.code == 0
    assert str(program.home / "models") in ran.err


def test_a_flag_or_command_that_exists_is_refused() -> None:
    parser = Parser()
    parser.add_command("local", "Models here.", run_nothing)
    with pytest.raises(argparse.ArgumentError, match="--serve"):
        parser.add_argument("--serve")
    with pytest.raises(argparse.ArgumentError, match="'local' exists already"):
        parser.add_command("local", "Other models.", run_nothing)
    with pytest.raises(argparse.ArgumentError, match="add_command"):
        parser.add_subparsers()


def test_a_flag_of_an_extension_is_told_from_the_core_s() -> None:
    parser = Parser()
    parser.add_argument("--adduser", metavar="USER")
    options, words = parser.whole(["--adduser", "ann"])
    assert (options.adduser, words) == ("ann", [])
    assert parser.extension_flags_given(options)
    assert not parser.extension_flags_given(parser.whole(["hi", "--raw"])[0])


# -- the packaged files --------------------------------------------------------------------------------------------


async def test_init_creates_what_is_missing_and_says_so_of_each(program: Program) -> None:
    shutil.rmtree(program.home)
    first, second = await program("--init"), await program("--init")
    assert [line.split()[0] for line in first.out.splitlines()] == ["Created"] * 3
    assert second.out.count("already exists") == 3
    assert (program.home / "llms.json").read_bytes() == (PACKAGE / "llms.json").read_bytes()


@pytest.mark.parametrize(("word", "code"), [((), 0), (("everything",), 1)])
async def test_reset_shows_its_choices(program: Program, word: tuple[str, ...], code: int, tmp_path: Path) -> None:
    ran = await program("--reset", *word)
    assert ran.code == code
    assert "config|providers|all" in ran.out + ran.err
