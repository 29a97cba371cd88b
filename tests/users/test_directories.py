"""Which folders agents may touch, and the ways around that which must not work."""

import asyncio
from pathlib import Path

import pytest

from llms.users.directories import Directories


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    """As at start, with folders of the test's own."""
    for name in ("work", "temp", "agent", "outside"):
        (tmp_path / name).mkdir()
    aliases = {"$WORKSPACE": str(tmp_path / "work"), "$TEMP": str(tmp_path / "temp")}
    return Directories(aliases, start=["$TEMP", "$WORKSPACE", str(tmp_path / "agent")])


def names(paths: list[str]) -> list[str]:
    return [Path(path).name for path in paths]


def test_at_start_everybody_has_the_same_folders(directories: Directories) -> None:
    assert names(directories.resolve_allowed()) == ["temp", "work", "agent"]
    assert directories.resolve_allowed("ann") == directories.resolve_allowed()
    assert directories.get("ann")[:2] == ["$TEMP", "$WORKSPACE"]


def test_what_one_user_is_given_nobody_else_has(directories: Directories, tmp_path: Path) -> None:
    directories.set([str(tmp_path / "outside")], "ann")
    assert names(directories.resolve_allowed("ann")) == ["outside"]
    assert names(directories.resolve_allowed("bob")) == ["temp", "work", "agent"]


def test_a_folder_is_added_to_what_the_user_has(directories: Directories, tmp_path: Path) -> None:
    directories.add(str(tmp_path / "outside"), "ann")
    directories.add(str(tmp_path / "outside"), "ann")
    assert names(directories.resolve_allowed("ann")) == ["temp", "work", "agent", "outside"]
    assert names(directories.resolve_allowed()) == ["temp", "work", "agent"]


def test_an_empty_list_allows_nothing_and_none_what_was_allowed_at_start(directories: Directories) -> None:
    for user in ("ann", None):
        directories.set([], user)
        assert directories.resolve_allowed(user) == []
        directories.set(None, user)
        assert names(directories.resolve_allowed(user)) == ["temp", "work", "agent"]


def test_a_single_folder_is_not_taken_for_its_letters(directories: Directories) -> None:
    directories.set("$TEMP", "ann")
    assert directories.get("ann") == ["$TEMP"]


@pytest.mark.parametrize("entry", ["$HOME", "$", "TEMP", "relative/path", ".", "", "~", "a\0b", "/a\0b"])
def test_an_entry_that_is_neither_alias_nor_absolute_means_nothing(directories: Directories, entry: str) -> None:
    assert directories.resolve(entry) is None
    directories.set([entry, "$TEMP"], "ann")
    assert names(directories.resolve_allowed("ann")) == ["temp"]


def test_folders_are_known_by_their_real_path(directories: Directories, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "work")
    assert directories.resolve(str(tmp_path / "link")) == directories.resolve("$WORKSPACE")
    directories.set([str(tmp_path / "link"), "$WORKSPACE", f"{tmp_path}/temp/../work"], "ann")
    assert len(directories.resolve_allowed("ann")) == 1


def test_an_alias_may_be_pointed_elsewhere(directories: Directories, tmp_path: Path) -> None:
    directories.aliases["$WORKSPACE"] = str(tmp_path / "outside")
    assert names(directories.resolve_allowed())[1] == "outside"


# -- what lies inside --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["work", "work/new/file.txt", "temp/a", "work/../work/a", "agent/./x"])
def test_what_lies_in_an_allowed_folder_is_found(directories: Directories, tmp_path: Path, path: str) -> None:
    found = directories.find(f"{tmp_path}/{path}")
    assert found is not None
    assert found == str((tmp_path / path).resolve())


@pytest.mark.parametrize(
    "path", ["outside/a", "work/../outside/a", "workshop/a", "work-of-another", "work/../../etc/passwd", ".", ""]
)
def test_what_lies_elsewhere_is_not(directories: Directories, tmp_path: Path, path: str) -> None:
    assert directories.find(f"{tmp_path}/{path}") is None


def test_a_link_inside_that_leads_out_is_outside(directories: Directories, tmp_path: Path) -> None:
    (tmp_path / "work" / "link").symlink_to(tmp_path / "outside")
    assert directories.find(f"{tmp_path}/work/link") is None
    assert directories.find(f"{tmp_path}/work/link/new.txt") is None
    assert directories.find(f"{tmp_path}/work/link/../secret") is None, "is beside `outside`, not in `work`"


@pytest.mark.parametrize("path", ["a", "../work/a", "/etc/passwd", "/", "\0"])
def test_other_paths_are_not_found(directories: Directories, path: str) -> None:
    assert directories.find(path) is None


def test_the_root_folder_allows_everything(directories: Directories) -> None:
    directories.set(["/"], "ann")
    assert directories.find("/etc/passwd", "ann") is not None


# -- one task's own folders --------------------------------------------------------------------------------------


async def test_a_task_at_work_in_one_project_sees_nothing_else(directories: Directories, tmp_path: Path) -> None:
    async def work(name: str) -> list[str]:
        with directories.within(str(tmp_path / name)):
            await asyncio.sleep(0)
            return names(directories.resolve_allowed("ann"))

    assert list(await asyncio.gather(work("outside"), work("agent"))) == [["outside"], ["agent"]]
    assert names(directories.resolve_allowed("ann")) == ["temp", "work", "agent"]


# -- taking back -------------------------------------------------------------------------------------------------


def test_what_was_set_can_be_taken_back_twice(directories: Directories, tmp_path: Path) -> None:
    before = {user: list(dirs) for user, dirs in directories.allowed.items()}
    undos = [directories.set(["$TEMP"], "ann"), directories.add(str(tmp_path), None)]
    for undo in (*undos, *undos):
        undo()
    assert directories.allowed == before


def test_taking_back_leaves_what_was_set_since(directories: Directories) -> None:
    undo = directories.set(["$TEMP"], "ann")
    directories.set(["$WORKSPACE"], "ann")
    undo()
    assert directories.get("ann") == ["$WORKSPACE"]


def test_two_that_allow_a_folder_each_take_back_their_own_in_any_order() -> None:
    directories = Directories({}, start=["/srv/start"])
    first, second = directories.add("/srv/a"), directories.add("/srv/b")
    first()
    assert directories.get() == ["/srv/start", "/srv/b"]
    second()
    first()
    assert directories.get() == ["/srv/start"]
