"""The samples of the tutorial work as its text says."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from llms.testing import TestServer, make_app, tool_call

from .pages import blocks, write_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the extensions that the page builds."""
    return write_files("extensions/tutorial.md", tmp_path)


async def items(server: TestServer) -> Any:
    return (await server.get("/ext/reading_list/items")).body


async def test_the_smallest_extension_greets(folder: Path) -> None:
    async with make_app(folder / "hello") as server:
        assert (await server.get("/ext/hello/greet?name=Ann")).body == {"message": "Hello Ann!"}
        assert (await server.get("/ext/hello/greet")).body == {"message": "Hello you!"}


async def test_the_routes_keep_a_list(folder: Path) -> None:
    async with make_app(folder / "reading_list") as server:
        assert (await server.post("/ext/reading_list/items", {"title": "Dubliners"})).body == {"added": "Dubliners"}
        await server.post("/ext/reading_list/items", {"title": "Dubliners"})
        assert await items(server) == ["Dubliners"]


async def test_models_see_the_title_of_the_tool_alone(folder: Path) -> None:
    async with make_app(folder / "reading_list") as server:
        (definition,) = server.app.tools.definitions
        assert list(definition["function"]["parameters"]["properties"]) == ["title"]


async def test_a_chat_has_to_ask_for_the_tool(folder: Path) -> None:
    async with make_app(folder / "reading_list") as server:
        await server.chat("Hi")
        server.provider.enqueue(tool_call("save_for_later", title="Dubliners"), "Done.")
        assert (await server.chat("Save it", metadata={"tools": "save_for_later"})).text == "Done."
        assert "tools" not in server.provider.history[0]
        assert await items(server) == ["Dubliners"]


async def test_the_setting_decides_what_is_forgotten(folder: Path) -> None:
    settings = {"extension_settings": {"reading_list": {"keep_days": 1}}}
    async with make_app(folder / "reading_list", config=settings) as server:
        ctx: Any = server.host.context("reading_list")
        await server.post("/ext/reading_list/items", {"title": "new"})
        sql = ctx.store.sql()
        await sql.execute("INSERT INTO items (owner, title, added) VALUES ('', 'old', 0)")
        await server.host.find("reading_list").module.forget_the_oldest(ctx)  # type: ignore[union-attr]
        assert await items(server) == ["new"]


async def test_the_page_of_its_own_is_served_and_its_module_is_listed(folder: Path) -> None:
    async with make_app(folder / "reading_list") as server:
        page = await server.get("/ext/reading_list/list.html")
        assert (page.status, page.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
        assert (await server.get("/ext/reading_list/list.mjs")).status == 200
        assert {"id": "reading_list", "path": "/ext/reading_list/index.mjs"} in (await server.get("/ext")).body


async def test_the_provider_shouts(folder: Path) -> None:
    config = json.loads(next(block for block in blocks("extensions/tutorial.md", "json") if "shouting" in block))
    async with make_app(folder / "shouting", config=config) as server:
        assert (await server.chat("hello", model="loud")).text == "HELLO!"


def test_its_manifest_is_what_the_page_says(folder: Path) -> None:
    manifest = tomllib.loads((folder / "reading_list/extension.toml").read_text("utf-8"))
    assert manifest["settings"]["properties"]["keep_days"]["default"] == 365


def test_it_keeps_to_the_rules(folder: Path) -> None:
    line = [sys.executable, "-m", "llms.testing", "reading_list"]
    run = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_tests_on_the_page_pass_as_they_are_called_there(folder: Path) -> None:
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "reading_list"]
    run = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "3 passed" in run.stdout
