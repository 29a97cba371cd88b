"""`llms ext new NAME`: what it writes works as it is."""

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import llms
from llms.testing import make_app

from .program import DEADLINE, Program, Ran


@pytest.fixture
async def written(program: Program) -> Path:
    """The folder of a new extension. Its name is no identifier."""
    ran = await program("ext", "new", "hello-world")
    assert (ran.code, ran.out) == (0, f"Wrote {program.home / 'extensions/hello-world'}.\n"), ran.err
    return program.home / "extensions/hello-world"


def files(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


# -- what is written ---------------------------------------------------------------------------------------------


async def test_it_has_code_manifest_page_test_and_readme(written: Path) -> None:
    expected = {"__init__.py", "extension.toml", "ui/index.mjs", "tests/test_hello_world.py", "README.md"}
    assert files(written) == expected
    assert not list(written.parent.glob(".*"))


async def test_nothing_of_the_templates_own_name_is_left(written: Path) -> None:
    for name in files(written):
        text = (written / name).read_text("utf-8")
        assert not re.search("my.?extension", text, re.IGNORECASE), name
        assert re.search("hello.?world", text, re.IGNORECASE), name


async def test_it_asks_for_the_version_that_wrote_it_or_a_later_one(written: Path) -> None:
    major, minor = llms.__version__.split(".")[:2]
    assert f'llms = ">={major}.{minor}"' in (written / "extension.toml").read_text()


async def test_it_is_told_what_to_do_next(program: Program) -> None:
    told = (await program("ext", "new", "next")).err
    assert "llms --serve --dev " in told
    assert f"pytest {program.home}/extensions/next " in told
    assert f"llms ext test {program.home}/extensions/next " in told


@pytest.mark.parametrize("name", ["x", "Class", "a-b_c--d", "template", "hello", "test_my-extension", "a" * 64])
async def test_any_name_gives_an_extension_that_loads(program: Program, tmp_path: Path, name: str) -> None:
    assert (await program("ext", "new", name, "--dir", str(tmp_path))).code == 0
    async with make_app(tmp_path / name) as server:
        assert (await server.get(f"/ext/{name}/hello?name=Ann")).body == {"message": "Hello, Ann!"}
        page = await server.get(f"/ext/{name}/index.mjs")
    for identifier in re.findall(r"^const (\S+) =", page.body, re.MULTILINE):
        assert re.fullmatch(r"[A-Z]\w*", identifier)


# -- where it is written -----------------------------------------------------------------------------------------


async def test_another_folder_may_be_named_and_is_made(program: Program, tmp_path: Path) -> None:
    ran = await program("ext", "new", "mine", "--dir", str(tmp_path / "my work"))
    assert ran.out == f"Wrote {tmp_path}/my work/mine.\n"
    assert f"--extension '{tmp_path}/my work/mine'" in ran.err
    assert (tmp_path / "my work/mine/__init__.py").exists()
    assert not (program.home / "extensions").exists()


@pytest.mark.parametrize("name", ["../evil", "a/b", "/evil", ".", "..", ".hidden", "_hidden", "1st", "a b", "a.b", "é"])
async def test_what_is_no_plain_name_is_refused(program: Program, name: str) -> None:
    refused(await program("ext", "new", name), "cannot be its name")
    assert not (program.home / "extensions").exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [("tools", "built-in"), ("status", "the server uses"), ("json", "Python's"), ("llms", "llms' own"), ("", "Name")],
)
async def test_a_name_that_means_something_else_is_refused(program: Program, name: str, why: str) -> None:
    refused(await program("ext", "new", name), why)
    assert not (program.home / "extensions").exists()


async def test_without_a_name_it_says_how_to_give_one(program: Program) -> None:
    refused(await program("ext", "new"), "`llms ext new NAME`")


async def test_what_is_there_is_never_touched(program: Program) -> None:
    place = program.home / "extensions"
    (place / "mine").mkdir(parents=True)
    (place / "dangling").symlink_to(place / "nowhere")
    (place / "file").touch()
    for name in ("mine", "dangling", "file"):
        refused(await program("ext", "new", name), "is there already")
    assert not any((place / "mine").iterdir())
    assert not (place / "nowhere").exists()


async def test_where_nothing_can_be_written_nothing_is_left(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(await program("ext", "new", "mine", "--dir", str(tmp_path / "file")), f"{tmp_path}/file/mine")
    assert (tmp_path / "file").is_file()


def refused(ran: Ran, why: str) -> None:
    assert (ran.code, ran.out) == (1, "")
    assert why in ran.err
    assert "Traceback" not in ran.err


# -- what it does ------------------------------------------------------------------------------------------------


async def test_its_own_tests_pass_as_they_are(program: Program, written: Path) -> None:
    options = ("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")
    done = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", *options), cwd=written, env=program.environ, stdout=PIPE
    )
    out, _ = await asyncio.wait_for(done.communicate(), DEADLINE)
    assert b"4 passed" in out, out.decode()


async def test_it_keeps_to_the_rules(program: Program, written: Path) -> None:
    ran = await program("ext", "test", str(written), "--json")
    outcomes = {check["name"]: check["outcome"] for check in json.loads(ran.out)["checks"]}
    assert (ran.code, set(outcomes.values())) == (0, {"ok"}), outcomes


@pytest.mark.usefixtures("written")
async def test_a_server_serves_it_and_its_settings(program: Program) -> None:
    async with program.started("--serve", "0") as process, aiohttp.ClientSession() as http:
        url = f"{await _url(process)}/ext/hello-world"
        assert await _json(http, f"{url}/hello?name=Ann") == {"message": "Hello, Ann!"}
        async with http.put(f"{url}/settings", json={"greeting": "Ahoy"}) as changed:
            assert changed.status == 200
        assert await _json(http, f"{url}/hello") == {"message": "Ahoy, world!"}
        assert {"id": "hello-world", "path": "/ext/hello-world/index.mjs"} in await _json(http, url.rpartition("/")[0])


async def _url(process: Process) -> str:
    """Where the server is, once it says so."""
    assert process.stderr is not None
    async with asyncio.timeout(DEADLINE):
        async for line in process.stderr:
            if found := re.search(rb"http://\S+", line):
                return found[0].decode()
    raise AssertionError("it ended without a word")


async def _json(http: aiohttp.ClientSession, url: str) -> Any:
    async with http.get(url) as answer:
        return await answer.json()
