"""Extensions on the command line: which are loaded, whose code runs, and what they add."""

import json
import os
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from .program import Program

SAYING = """
import sys

print("imported NAME", file=sys.stderr)

def __install__(ctx):
    print("installed NAME", file=sys.stderr)
"""


def extension(program: Program, name: str, code: str = "", *, place: Path | None = None, **files: str) -> Path:
    """A user's extension; without code, one that tells when its code runs."""
    folder = (place or program.home / "extensions") / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(code or SAYING.replace("NAME", name))
    for file, text in files.items():
        (folder / file.replace("__", ".")).write_text(text)
    return folder


async def listed(program: Program, *flags: str, **environ: str) -> dict[str, Any]:
    """What `ext ls` tells, by name."""
    ran = await program("ext", "ls", "--json", *flags, **environ)
    assert ran.code == 0, ran.err
    return {found["name"]: found for found in json.loads(ran.out)}


# -- which are loaded --------------------------------------------------------------------------------------------


async def test_ext_ls_shows_each_with_its_state_and_why_it_is_not_loaded(program: Program) -> None:
    extension(
        program,
        "good",
        'def __install__(ctx):\n    ctx.add_get("a", dict)\n    ctx.register_tool(greet)\n\ndef greet(): ...\n',
    )
    extension(program, "bad", "raise RuntimeError('no luck')")
    program.configure({"disable_extensions": ["katex"]})
    ran = await program("ext", "ls")
    assert ran.code == 0
    lines = ran.out.splitlines()
    good = next(line for line in lines if line.startswith("good "))
    assert good.split()[:3] == ["good", "loaded", "user"] and "1 route, 1 tool" in good
    place = next(number for number, line in enumerate(lines) if line.startswith("bad "))
    assert lines[place].split()[:3] == ["bad", "failed", "user"]
    assert lines[place + 1].strip() == "no luck"
    assert "It is disabled. `llms ext enable katex` enables it." in ran.out


async def test_an_extension_is_loaded_from_where_it_is_developed(program: Program, tmp_path: Path) -> None:
    one = extension(program, "one", place=tmp_path / "work")
    two = extension(program, "two", place=tmp_path / "work")
    found = await listed(program, "--extension", str(one), "--extension", str(two))
    assert [(found[name]["origin"], found[name]["state"]) for name in ("one", "two")] == [("development", "loaded")] * 2
    assert "one" not in await listed(program)


async def test_what_is_developed_wins_over_what_is_installed(program: Program, tmp_path: Path) -> None:
    extension(program, "mine", "raise RuntimeError('the old one')")
    new = extension(program, "mine", place=tmp_path / "work")
    assert (await listed(program, "--extension", str(new)))["mine"]["state"] == "loaded"


async def test_a_developed_folder_that_is_not_there_is_told(program: Program, tmp_path: Path) -> None:
    found = await listed(program, "--extension", str(tmp_path / "gone"))
    assert found["gone"]["state"] == "failed"
    assert "Check --extension." in found["gone"]["reason"]


async def test_a_users_folder_replaces_a_built_in(program: Program) -> None:
    extension(program, "katex")
    found = await listed(program)
    assert (found["katex"]["origin"], found["katex"]["state"]) == ("user", "loaded")


async def test_safe_mode_runs_no_line_of_third_parties(program: Program, tmp_path: Path) -> None:
    extension(program, "mine")
    extension(program, "katex")
    other = extension(program, "other", place=tmp_path / "work")
    ran = await program("ext", "ls", "--json", "--safe-mode", "--extension", str(other))
    found = {each["name"]: each for each in json.loads(ran.out)}
    assert "imported" not in ran.err
    assert [found[name]["state"] for name in ("mine", "other")] == ["disabled"] * 2
    assert found["mine"]["reason"] == "--safe-mode loads built-in extensions only."
    assert found["katex"]["origin"] == "built-in"


@pytest.mark.parametrize("how", ["environment", "configuration"])
async def test_of_a_disabled_extension_no_line_runs(program: Program, how: str) -> None:
    extension(program, "mine")
    extension(program, "other")
    environ = {"LLMS_DISABLE": "other, mine,"} if how == "environment" else {}
    if not environ:
        program.configure({"disable_extensions": ["mine", "other"]})
    ran = await program("ext", "ls", "--json", **environ)
    assert (ran.code, ran.err) == (0, "")
    states = {each["name"]: each["state"] for each in json.loads(ran.out)}
    assert (states["mine"], states["other"]) == ("disabled", "disabled")


async def test_extensions_may_lie_elsewhere(program: Program, tmp_path: Path) -> None:
    extension(program, "mine", place=tmp_path / "elsewhere")
    found = await listed(program, LLMS_EXTENSIONS_DIR=str(tmp_path / "elsewhere"))
    assert found["mine"]["state"] == "loaded"


# -- whose code runs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [["ls"], ["--list"], ["--enable", "upstream"], ["--default", "fake-model"]])
async def test_what_concerns_providers_alone_is_imported_to_list_and_switch_them(
    program: Program, line: list[str]
) -> None:
    extension(program, "songs")
    extension(program, "models", SAYING.replace("NAME", "models") + "    ctx.get_providers()\n")
    ran = await program(*line)
    assert ran.code == 0, ran.err
    assert "imported models" in ran.err
    assert "imported songs" not in ran.err


@pytest.mark.parametrize("line", [["--version"], ["--init"], ["--reset"], ["ext", "doctor"]])
async def test_no_code_is_imported_where_nothing_needs_it(program: Program, line: list[str]) -> None:
    extension(program, "songs")
    extension(program, "models", SAYING.replace("NAME", "models") + "    ctx.get_providers()\n")
    assert "imported" not in (await program(*line)).err


async def test_code_is_imported_once(program: Program) -> None:
    extension(
        program, "songs", SAYING.replace("NAME", "songs") + "\ndef __parser__(parser): ...\ndef __run__(ctx): ...\n"
    )
    assert (await program("Hi")).err.splitlines().count("imported songs") == 1


async def test_what_extensions_print_at_start_is_no_part_of_an_answer(program: Program) -> None:
    extension(program, "loud", "print('Welcome!')\n\ndef __install__(ctx):\n    print('to the show')\n")
    ran = await program("Hi")
    assert ran.out == "ok\n"
    assert "Welcome!" in ran.err and "to the show" in ran.err


async def test_code_that_cannot_be_read_does_not_stop_a_list(program: Program) -> None:
    folder = extension(program, "odd")
    (folder / "folder.py").mkdir()
    (folder / "gone.py").symlink_to(folder / "nowhere.py")
    os.mkfifo(folder / "pipe.py")
    assert (await program("ls")).code == 0


# -- what they add to the line -----------------------------------------------------------------------------------

FLAG = """
def __parser__(parser):
    parser.add_argument("--tempo", type=int, default=90, help="How fast.")
    parser.add_command("sing", "Sings.", sing, actions=("loud",))

def sing(ctx, words):
    print("la", ctx.cli_args.tempo, *words)

def __run__(ctx):
    if ctx.cli_args.tempo != 90:
        print("tempo", ctx.cli_args.tempo, ctx.extra_args)
        return True
"""


async def test_a_flag_reaches_its_extension_and_handles_the_line(program: Program) -> None:
    extension(program, "song", FLAG)
    ran = await program("--tempo", "120")
    assert (ran.code, ran.out, ran.err) == (0, "tempo 120 []\n", "")
    assert (await program("--tempo", "fast")).code == 2


async def test_a_command_gets_the_words_after_its_name(program: Program) -> None:
    extension(program, "song", FLAG)
    ran = await program("sing", "loud", "--tempo", "60")
    assert (ran.code, ran.out) == (0, "la 60 loud\n")


async def test_flags_and_commands_are_in_the_help(program: Program) -> None:
    extension(program, "song", FLAG)
    ran = await program("--help")
    assert ran.code == 0
    assert "--tempo" in ran.out and "How fast." in ran.out and "sing [loud]" in ran.out


async def test_a_line_that_nobody_handles_gets_the_help(program: Program) -> None:
    extension(program, "idle", "def __run__(ctx):\n    return False\n")
    assert "Commands:" in (await program()).out


async def test_a_run_that_fails_ends_the_command_with_its_words(program: Program) -> None:
    extension(program, "song", "def __run__(ctx):\n    raise RuntimeError('out of tune')\n")
    ran = await program()
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "Error: out of tune\n"


@pytest.mark.parametrize(
    "flag",
    [
        "'--pitch', required=True",
        "'pitch'",
        "'pitch', nargs='*'",
        "'--pitch', type=int, default='high'",
        "'--pitch', action='hop'",
        "'--model'",
        "'-s'",
    ],
)
async def test_a_flag_that_cannot_be_costs_its_extension_alone(program: Program, flag: str) -> None:
    extension(program, "song", f"def __parser__(parser):\n    parser.add_argument({flag})\n")
    extension(program, "other", FLAG)
    ran = await program("Hi")
    assert (ran.code, ran.out) == (0, "ok\n"), ran.err
    assert "Failed to add the flags of extension song" in ran.err
    assert (await listed(program))["song"]["state"] == "failed"
    assert (await program("--tempo", "120")).out == "tempo 120 []\n"


async def test_flags_of_an_extension_that_fails_are_none(program: Program) -> None:
    extension(
        program, "song", "def __parser__(parser):\n    parser.add_argument('--tempo')\n    raise RuntimeError('no')\n"
    )
    assert (await program("--tempo", "1", "Hi")).code == 2


# -- a server ----------------------------------------------------------------------------------------------------


async def test_dev_reloads_what_is_edited(program: Program, tmp_path: Path) -> None:
    code = 'def __install__(ctx):\n    ctx.add_get("version", lambda request: {"version": VERSION})\n'
    folder = extension(program, "mine", "VERSION = 1\n" + code, place=tmp_path / "work")
    async with (
        program.started("--serve", "0", "--dev", "--extension", str(folder)) as process,
        aiohttp.ClientSession() as http,
    ):
        assert process.stderr is not None
        url = ""
        while not url:
            url = (await process.stderr.readline()).decode().partition("ready at ")[2].strip()
        async with http.get(f"{url}/ext/mine/version") as response:
            assert await response.json() == {"version": 1}
        async with http.get(f"{url}/ext/events") as events:
            (folder / "__init__.py").write_text("VERSION = 'the second'\n" + code)
            assert (
                await events.content.readuntil(b"\n\n")
            ).decode() == 'event: reload\ndata: {"extension": "mine"}\n\n'
        async with http.get(f"{url}/ext/mine/version") as response:
            assert await response.json() == {"version": "the second"}
        assert b"Reloaded extension mine" in await process.stderr.readline()
