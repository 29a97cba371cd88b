"""A running server takes over what is installed, switched and edited around it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from llms.host.extension import State
from llms.host.following import Follower, signature
from llms.testing import TestServer, make_app

from .folders import answering, words, write

PATIENCE = 20.0


class Followed:
    """A server with its follower, which looks when the test says so."""

    def __init__(self, server: TestServer, *, dev: bool) -> None:
        self.server = server
        self.home = server.app.home
        self.follower = Follower(server.live, dev=dev)

    async def look(self) -> None:
        server = self.server
        if server.app.config.changed():
            server.app.config.reload()
        await self.follower.look()

    async def version(self, name: str = "mine") -> Any:
        reply = await self.server.get(f"/ext/{name}/version")
        return reply.body["version"] if reply.status == 200 else reply.status

    def lock(self, **entries: Any) -> None:
        """What the installer writes."""
        self.home.lock_file.write_text(json.dumps({"version": 1, "extensions": entries}))

    def disable(self, *names: str) -> None:
        """What somebody types into llms.json."""
        raw = json.loads(self.home.config_file.read_text())
        self.home.config_file.write_text(json.dumps({**raw, "disable_extensions": list(names)}))


@asynccontextmanager
async def followed(tmp_path: Path, *names: str, dev: bool = False, lock: Any = None) -> AsyncIterator[Followed]:
    home = tmp_path / "home"
    folders = [answering(home / "extensions" / name, 1) for name in names]
    if lock is not None:
        (home / "extensions.lock").write_text(json.dumps({"version": 1, "extensions": lock}))
    async with make_app(*folders, home=home, config={"limits": {"hook_timeout": 1, "install_timeout": 2}}) as server:
        yield Followed(server, dev=dev)


# -- what is installed -------------------------------------------------------------------------------------------


async def test_what_was_installed_is_loaded(tmp_path: Path) -> None:
    async with followed(tmp_path) as here:
        answering(here.home.extensions / "mine", 1)
        await here.look()
        assert await here.version() == 404, "a folder that is not recorded may be half copied"
        here.lock(mine={"commit": "a"})
        await here.look()
        assert await here.version() == 1
        assert words(here.home.extensions / "mine") == ["1 startup"]


async def test_what_was_updated_is_new(tmp_path: Path) -> None:
    async with followed(tmp_path, "mine", "other", lock={"mine": {"commit": "a"}, "other": {"commit": "x"}}) as here:
        answering(here.home.extensions / "mine", 2)
        answering(here.home.extensions / "other", 2)
        await here.look()
        assert await here.version() == 1
        here.lock(mine={"commit": "b"}, other={"commit": "x"})
        await here.look()
        assert (await here.version(), await here.version("other")) == (2, 1)


async def test_what_was_removed_is_gone(tmp_path: Path) -> None:
    async with followed(tmp_path, "mine", lock={"mine": {"commit": "a"}}) as here:
        (here.home.extensions / "mine").rename(tmp_path / "away")
        here.lock()
        await here.look()
        assert await here.version() == 404
        assert here.server.host.find("mine") is None
        assert words(tmp_path / "away") == ["1 startup"], "it could not even write down that it was shut down"


async def test_an_update_of_a_broken_extension_mends_it(tmp_path: Path) -> None:
    async with followed(tmp_path) as here:
        write(here.home.extensions / "mine", init="raise RuntimeError('no luck')")
        here.lock(mine={"commit": "a"})
        await here.look()
        broken = here.server.host.find("mine")
        assert broken is not None and (broken.state, broken.reason) == (State.FAILED, "no luck")
        answering(here.home.extensions / "mine", 2)
        here.lock(mine={"commit": "b"})
        await here.look()
        assert await here.version() == 2


async def test_what_is_installed_but_disabled_is_listed_and_not_loaded(tmp_path: Path) -> None:
    async with followed(tmp_path) as here:
        here.disable("mine")
        answering(here.home.extensions / "mine", 1)
        here.lock(mine={})
        await here.look()
        one = here.server.host.find("mine")
        assert one is not None and one.state is State.DISABLED
        here.disable()
        await here.look()
        assert await here.version() == 1


async def test_a_built_in_makes_way_for_an_installed_one_and_comes_back(tmp_path: Path) -> None:
    async with followed(tmp_path) as here:
        folder = answering(here.home.extensions / "katex", 7)
        here.lock(katex={"commit": "a"})
        await here.look()
        assert await here.version("katex") == 7
        folder.rename(tmp_path / "away")
        here.lock()
        await here.look()
        assert await here.version("katex") == 404
        one = here.server.host.find("katex")
        assert one is not None and not one.is_third_party


@pytest.mark.parametrize("text", ["{", "[]", '{"extensions": 7}', '{"extensions": {"../away": {}}}'])
async def test_a_lock_file_that_makes_no_sense_changes_nothing(tmp_path: Path, text: str) -> None:
    async with followed(tmp_path, "mine") as here:
        here.lock(mine={"commit": "a"})
        here.follower = Follower(here.server.live)
        answering(here.home.extensions / "mine", 2)
        answering(here.home.root / "away", 2)
        here.home.lock_file.write_text(text)
        await here.look()
        assert [extension.name for extension in here.server.host.extensions] == ["mine"]
        assert here.server.host.extensions[0].is_loaded


async def test_a_lock_file_that_cannot_be_read_for_a_moment_reloads_nothing(tmp_path: Path) -> None:
    async with followed(tmp_path, "mine", lock={"mine": {"commit": "a"}}) as here:
        for text in ("{", json.dumps({"extensions": {"mine": {"commit": "a"}}})):
            here.home.lock_file.write_text(text)
            await here.look()
        assert words(here.home.extensions / "mine") == ["1 startup"]


# -- what is switched by hand ------------------------------------------------------------------------------------


async def test_whom_the_configuration_disables_is_gone_until_it_enables_it(tmp_path: Path) -> None:
    async with followed(tmp_path, "mine") as here:
        here.disable("mine", "nobody")
        await here.look()
        assert await here.version() == 404
        one = here.server.host.find("mine")
        assert one is not None
        assert (one.state, one.reason) == (State.DISABLED, "It is disabled. `llms ext enable mine` enables it.")
        here.disable()
        await here.look()
        assert await here.version() == 1
        assert words(one.path) == ["1 startup", "1 cleanup", "1 shutdown", "1 startup"]


async def test_what_was_switched_over_http_is_not_switched_again(tmp_path: Path) -> None:
    async with followed(tmp_path, "mine") as here:
        for word in ("disable", "enable"):
            await here.server.post("/ext/status/mine", {word: True})
            await here.look()
        assert words(here.home.extensions / "mine") == ["1 startup", "1 cleanup", "1 shutdown", "1 startup"]


# -- what is edited, with --dev ----------------------------------------------------------------------------------


async def test_edited_code_is_loaded_and_open_pages_are_told(tmp_path: Path) -> None:
    async with (
        followed(tmp_path, "mine", "other", dev=True) as here,
        aclosing(here.server.app.events.watch()) as events,
    ):
        told = asyncio.ensure_future(anext(events))
        await here.look()
        assert not told.done()
        answering(here.home.extensions / "mine", 2)
        await here.look()
        assert await here.version() == 2
        assert await asyncio.wait_for(told, PATIENCE) == ("reload", {"extension": "mine"})
        assert words(here.home.extensions / "other") == ["1 startup"]


async def test_an_edited_ui_is_told_to_open_pages_alone(tmp_path: Path) -> None:
    async with followed(tmp_path, "mine", dev=True) as here, aclosing(here.server.app.events.watch()) as events:
        told = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        write(here.home.extensions / "mine/ui", index__mjs="export default {}")
        await here.look()
        assert await asyncio.wait_for(told, PATIENCE) == ("reload", {"extension": "mine"})
        assert words(here.home.extensions / "mine") == ["1 startup"]


async def test_a_broken_edit_says_so_and_the_next_good_one_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed(tmp_path, "mine", dev=True) as here:
        write(here.home.extensions / "mine", init="def install(ctx:")
        await here.look()
        assert await here.version() == 404
        assert "Reloaded extension mine: '(' was never closed in __init__.py, line 1. Correct it." in caplog.messages
        answering(here.home.extensions / "mine", 3)
        await here.look()
        assert await here.version() == 3


async def test_without_dev_an_edit_changes_nothing(tmp_path: Path) -> None:
    async with followed(tmp_path, "mine") as here:
        answering(here.home.extensions / "mine", 2)
        await here.look()
        assert await here.version() == 1


async def test_an_edit_of_what_is_disabled_does_not_load_it(tmp_path: Path) -> None:
    async with followed(tmp_path, "mine", dev=True) as here:
        here.disable("mine")
        await here.look()
        answering(here.home.extensions / "mine", 2)
        await here.look()
        assert await here.version() == 404


def test_what_programs_write_beside_the_code_is_no_edit(tmp_path: Path) -> None:
    folder = answering(tmp_path / "mine", 1)
    before = signature(folder)
    write(folder, **{"__pycache___of_a.pyc": "x", "node_modules_of_b.py": "x", ".git_of_c.py": "x", ".words": "x"})
    write(folder / ".requirements/lib", init="x")
    assert signature(folder) == before
    write(folder / "deep/er", init="x")
    assert signature(folder) != before


def test_a_folder_that_is_gone_has_no_files(tmp_path: Path) -> None:
    assert signature(tmp_path / "gone") == ()


# -- over time ---------------------------------------------------------------------------------------------------


async def test_it_looks_by_itself_and_goes_on_after_a_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with followed(tmp_path) as here:
        following = asyncio.create_task(here.follower.run(every=0.01))
        here.home.lock_file.mkdir()
        await asyncio.sleep(0.05)
        here.home.lock_file.rmdir()
        answering(here.home.extensions / "mine", 1)
        here.lock(mine={})
        async with asyncio.timeout(PATIENCE):
            while await here.version() != 1:  # noqa: ASYNC110 - as `curl` would see it
                await asyncio.sleep(0.01)
        following.cancel()
        await asyncio.wait([following])
        assert following.cancelled()
