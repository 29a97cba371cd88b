"""Adding, updating, going back and removing, with real git repositories and folders."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from llms.host.install.installer import opened
from llms.kernel.errors import ConfigError, LlmsError, NotFound
from llms.kernel.files import lock
from llms.kernel.paths import Home

from .conftest import Open
from .repository import EXTENSION, Repository, git, write


def add(installer: Open, text: str) -> None:
    with installer() as open:
        open.apply(open.plan_add(text))


def update(installer: Open, name: str, *, force: bool = False, ref: str = "") -> bool:
    with installer() as open:
        plan = open.plan_update(name, force=force, ref=ref)
        if plan is not None:
            open.apply(plan)
        return plan is not None


def hidden(home: Home) -> list[str]:
    return [path.name for path in home.extensions.iterdir() if path.name.startswith(".staging")]


# -- adding --------------------------------------------------------------------------------------------------------


def test_a_repository_is_installed_at_its_commit_and_locked(home: Home, xmas: Repository, installer: Open) -> None:
    add(installer, "xmas")
    entry = json.loads(home.lock_file.read_text())["extensions"]["xmas"]
    assert (home.extensions / "xmas/__init__.py").read_text() == EXTENSION["__init__.py"]
    assert (entry["kind"], entry["source"]) == ("git", str(xmas.place))
    assert entry["commit"] == git(xmas.work, "rev-parse", "HEAD")
    assert entry["tree"].startswith("sha256:")
    assert hidden(home) == []


@pytest.mark.parametrize("ref", ["v1", "main", "side"])
def test_a_tag_or_branch_is_what_is_installed(home: Home, xmas: Repository, installer: Open, ref: str) -> None:
    git(xmas.work, "tag", "v1")
    git(xmas.work, "push", "--quiet", "origin", "main:side", "--tags")
    first = git(xmas.work, "rev-parse", "HEAD")
    second = xmas.commit("Second")
    with installer() as open:
        assert open.plan_add(f"xmas@{ref}").commit == (second if ref == "main" else first)
        assert open.plan_add(f"xmas@{first}").commit == first


def test_an_unknown_ref_is_said_to_be_unknown(xmas: Repository, installer: Open) -> None:
    with installer() as open, pytest.raises(ConfigError, match="no branch, tag or commit 'v9'"):
        open.plan_add("xmas@v9")


def test_a_plan_alone_changes_nothing(home: Home, xmas: Repository, installer: Open) -> None:
    with installer() as open:
        plan = open.plan_add("xmas")
        assert (list(plan.tree.files), plan.refusals) == (["__init__.py"], [])
    assert not home.lock_file.exists()
    assert list(home.extensions.iterdir()) == []


def test_a_folder_is_copied_without_what_was_made_in_it(home: Home, tmp_path: Path, installer: Open) -> None:
    write(tmp_path / "mine", {**EXTENSION, "__pycache__/evil.pyc": "", "ui/index.mjs": ""})
    add(installer, f"{tmp_path}/mine")
    assert sorted(path.name for path in (home.extensions / "mine").iterdir()) == ["__init__.py", "ui"]


def test_a_work_tree_on_this_machine_is_cloned(home: Home, xmas: Repository, installer: Open) -> None:
    write(xmas.work, {"uncommitted.py": ""})
    with installer() as open:
        plan = open.plan_add(str(xmas.work))
        assert any("not committed" in note for note in plan.notes)
    assert "uncommitted.py" not in plan.tree.files


def test_an_archive_is_unpacked(home: Home, tmp_path: Path, installer: Open) -> None:
    write(tmp_path / "packed-1.0", EXTENSION)
    with tarfile.open(tmp_path / "packed.tar.gz", "w:gz") as file:
        file.add(tmp_path / "packed-1.0", "packed-1.0")
    add(installer, f"{tmp_path}/packed.tar.gz")
    assert [path.name for path in (home.extensions / "packed").iterdir()] == ["__init__.py"]


def test_what_is_no_extension_is_refused(tmp_path: Path, installer: Open) -> None:
    write(tmp_path / "notes", {"README.md": "hello"})
    with installer() as open, pytest.raises(ConfigError, match="no extension"):
        open.plan_add(f"{tmp_path}/notes")


def test_a_version_for_another_llms_is_refused_before_it_is_installed(
    home: Home, xmas: Repository, installer: Open
) -> None:
    xmas.commit("For the future", {"extension.toml": 'llms = ">=99"\npermissions = ["net"]'})
    with installer() as open:
        plan = open.plan_add("xmas")
        assert plan.manifest.permissions == ("net",)
        with pytest.raises(ConfigError, match="llms >=99"):
            open.apply(plan)
    assert not (home.extensions / "xmas").exists()


def test_names_of_the_server_are_refused(tmp_path: Path, installer: Open) -> None:
    write(tmp_path / "status", EXTENSION)
    with installer() as open:
        assert open.plan_add(f"{tmp_path}/status").refusals


def test_taking_the_place_of_a_built_in_is_said(tmp_path: Path, installer: Open) -> None:
    write(tmp_path / "tools", EXTENSION)
    with installer() as open:
        assert any("built-in" in note for note in open.plan_add(f"{tmp_path}/tools").notes)


def test_two_installers_do_not_meet(home: Home, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llms.kernel.files.LOCK_TIMEOUT", 0.05)
    home.prepare()
    with lock(home.lock_file), pytest.raises(ConfigError, match="Another process"), opened(home, environ):
        pass


# -- attacks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../secret"])
def test_a_repository_with_a_link_that_leads_out_is_refused(
    home: Home, xmas: Repository, installer: Open, target: str
) -> None:
    (xmas.work / "ui").mkdir()
    (xmas.work / "ui/leak.txt").symlink_to(target)
    xmas.commit("Leak")
    with installer() as open, pytest.raises(ConfigError, match="leads out"):
        open.plan_add("xmas")
    assert list(home.extensions.iterdir()) == []


def test_no_hook_of_a_repository_or_of_git_runs(
    tmp_path: Path, xmas: Repository, environ: dict[str, str], home: Home
) -> None:
    ran, hooks = tmp_path / "ran", tmp_path / "template/hooks"
    hooks.mkdir(parents=True)
    for folder in (hooks, xmas.work / ".git/hooks", xmas.place / "hooks"):
        (folder / "post-checkout").write_text(f"#!/bin/sh\ntouch {ran}\n")
        (folder / "post-checkout").chmod(0o755)
    (tmp_path / "gitconfig").write_text(f"[init]\ntemplateDir={hooks.parent}\n[core]\nhooksPath={hooks}\n")
    with opened(home, {**environ, "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")}) as open:
        open.apply(open.plan_add("xmas"))
        open.plan_add(str(xmas.work))
    assert not ran.exists()


def test_submodules_are_not_fetched_and_that_is_said(xmas: Repository, installer: Open, home: Home) -> None:
    modules = '[submodule "evil"]\n\tpath = evil\n\turl = ext::sh -c "touch pwned"\n'
    commit = git(xmas.work, "rev-parse", "HEAD")
    git(xmas.work, "update-index", "--add", "--cacheinfo", f"160000,{commit},evil")
    xmas.commit("Submodule", {".gitmodules": modules})
    with installer() as open:
        plan = open.plan_add("xmas")
        open.apply(plan)
    assert any("submodules" in note for note in plan.notes)
    assert not list((home.extensions / "xmas").glob("evil/*"))


def test_compiled_code_that_nobody_can_read_is_left_out(home: Home, xmas: Repository, installer: Open) -> None:
    xmas.commit("Hidden", {"__pycache__/a.pyc": "", "sub/__pycache__/b.pyc": "", ".requirements/c.py": "", "a.py": ""})
    add(installer, "xmas")
    assert sorted(path.name for path in (home.extensions / "xmas").rglob("*.py*")) == ["__init__.py", "a.py"]


def test_no_folder_can_pose_as_a_repository(home: Home, tmp_path: Path, installer: Open) -> None:
    write(tmp_path / "posing", {**EXTENSION, "sub/.git/config": "[core]\nfsmonitor = id", "ui/.git": "gitdir: /evil"})
    with tarfile.open(tmp_path / "posing.tgz", "w:gz") as file:
        file.add(tmp_path / "posing", "posing")
    add(installer, f"{tmp_path}/posing.tgz")
    assert list((home.extensions / "posing").rglob(".git")) == []


def test_what_is_there_is_never_replaced_by_adding(home: Home, tmp_path: Path, installer: Open) -> None:
    write(tmp_path / "mine", EXTENSION)
    write(home.extensions / "mine", {"__init__.py": "mine = 1\n"})
    with pytest.raises(ConfigError, match="there already"):
        add(installer, f"{tmp_path}/mine")
    assert (home.extensions / "mine/__init__.py").read_text() == "mine = 1\n"


def test_a_git_that_runs_in_another_repository_is_not_led_astray(
    tmp_path: Path, xmas: Repository, environ: dict[str, str], home: Home
) -> None:
    other = Repository(tmp_path / "other")
    other.commit("Other")
    astray = {"GIT_DIR": str(other.place), "GIT_WORK_TREE": str(tmp_path), "GIT_INDEX_FILE": str(tmp_path / "index")}
    with opened(home, {**environ, **astray}) as open:
        assert open.plan_add("xmas").commit == git(xmas.work, "rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["../other", "a/b", "..", ".", "", ".previous", "/etc", "a\\b"])
def test_only_plain_names_are_removed(home: Home, installer: Open, name: str) -> None:
    write(home.root / "other", EXTENSION)
    write(home.extensions / ".previous", EXTENSION)
    with installer() as open, pytest.raises(LlmsError):
        open.remove(name)
    assert (home.root / "other").exists() and (home.extensions / ".previous").exists()


# -- updating ------------------------------------------------------------------------------------------------------


def test_an_update_shows_what_changed_and_keeps_what_was(home: Home, xmas: Repository, installer: Open) -> None:
    add(installer, "xmas")
    first = git(xmas.work, "rev-parse", "HEAD")
    second = xmas.commit(
        "Second", {"__init__.py": "v = 2\n", "more.py": "", "extension.toml": 'permissions = ["net", "exec"]'}
    )
    with installer() as open:
        plan = open.plan_update("xmas")
        assert plan is not None and plan.difference is not None
        open.apply(plan)
    assert (plan.difference.commit, plan.commit) == (first, second)
    assert [subject.partition(" ")[2] for subject in plan.difference.subjects or ()] == ["Second"]
    assert plan.difference.files == ["~ __init__.py", "+ extension.toml", "+ more.py"]
    assert plan.difference.permissions == ["+ exec", "+ net"]
    assert (home.extensions / "xmas/__init__.py").read_text() == "v = 2\n"
    assert (home.extensions / ".previous/xmas/__init__.py").read_text() == EXTENSION["__init__.py"]
    assert json.loads(home.lock_file.read_text())["extensions"]["xmas"]["previous"]["commit"] == first


def test_nothing_new_is_up_to_date(xmas: Repository, installer: Open, home: Home) -> None:
    add(installer, "xmas")
    before = home.lock_file.read_bytes()
    assert not update(installer, "xmas")
    assert home.lock_file.read_bytes() == before


def test_a_rewritten_history_is_said(xmas: Repository, installer: Open) -> None:
    add(installer, "xmas")
    git(xmas.work, "commit", "--quiet", "--amend", "-m", "Rewritten", "--date=2020-01-01T00:00:00")
    xmas.publish()
    with installer() as open:
        plan = open.plan_update("xmas")
    assert plan is not None and plan.difference is not None and plan.difference.subjects is None


def test_edits_by_hand_are_not_lost_without_force(home: Home, xmas: Repository, installer: Open) -> None:
    add(installer, "xmas")
    xmas.commit("Second", {"__init__.py": "v = 2\n"})
    write(home.extensions / "xmas", {"__init__.py": "mine = 1\n"})
    with pytest.raises(ConfigError, match=r"edited by hand.*--force"):
        update(installer, "xmas")
    assert (home.extensions / "xmas/__init__.py").read_text() == "mine = 1\n"
    assert update(installer, "xmas", force=True)
    assert (home.extensions / "xmas/__init__.py").read_text() == "v = 2\n"
    assert (home.extensions / ".previous/xmas/__init__.py").read_text() == "mine = 1\n"


def test_force_puts_the_published_version_back(home: Home, xmas: Repository, installer: Open) -> None:
    add(installer, "xmas")
    write(home.extensions / "xmas", {"__init__.py": "mine = 1\n"})
    assert update(installer, "xmas", force=True)
    assert (home.extensions / "xmas/__init__.py").read_text() == EXTENSION["__init__.py"]


def test_what_python_compiles_is_no_edit(home: Home, xmas: Repository, installer: Open) -> None:
    add(installer, "xmas")
    write(home.extensions / "xmas", {"__pycache__/a.pyc": "x"})
    assert not update(installer, "xmas")


def test_another_ref_can_be_chosen_and_is_kept(home: Home, xmas: Repository, installer: Open) -> None:
    git(xmas.work, "tag", "v1")
    xmas.commit("Second", {"__init__.py": "v = 2\n"})
    add(installer, "xmas")
    assert update(installer, "xmas", ref="v1")
    assert (home.extensions / "xmas/__init__.py").read_text() == EXTENSION["__init__.py"]
    assert not update(installer, "xmas")
    with installer() as open, pytest.raises(ConfigError, match="cannot be a branch"):
        open.plan_update("xmas", ref="--output=x")


def test_a_copied_folder_is_copied_again(home: Home, tmp_path: Path, installer: Open) -> None:
    write(tmp_path / "mine", EXTENSION)
    add(installer, f"{tmp_path}/mine")
    assert not update(installer, "mine")
    write(tmp_path / "mine", {"__init__.py": "v = 2\n"})
    assert update(installer, "mine")
    assert (home.extensions / "mine/__init__.py").read_text() == "v = 2\n"


def test_a_folder_that_is_gone_is_fetched_again(home: Home, xmas: Repository, installer: Open) -> None:
    add(installer, "xmas")
    shutil.rmtree(home.extensions / "xmas")
    assert update(installer, "xmas")
    assert (home.extensions / "xmas/__init__.py").exists()


# -- cloned by hand ------------------------------------------------------------------------------------------------


@pytest.fixture
def clone(home: Home, xmas: Repository) -> Path:
    """The user's own clone, under a name of their own."""
    home.extensions.mkdir(parents=True)
    git(home.extensions, "clone", "--quiet", str(xmas.place), "advent")
    return home.extensions / "advent"


def test_a_clone_made_by_hand_is_updated_and_from_then_on_known(
    home: Home, xmas: Repository, installer: Open, clone: Path
) -> None:
    second = xmas.commit("Second", {"__init__.py": "v = 2\n"})
    assert update(installer, "advent")
    with installer() as open:
        entry = open.entries["advent"]
    assert (entry.commit, entry.ref, entry.source) == (second, "main", str(xmas.place))
    assert (clone / "__init__.py").read_text() == "v = 2\n"
    assert not update(installer, "advent")


def test_uncommitted_work_in_a_clone_is_not_lost(installer: Open, clone: Path) -> None:
    write(clone, {"mine.py": "", "__pycache__/a.pyc": ""})
    with pytest.raises(ConfigError, match=r"uncommitted changes \(mine.py\)"):
        update(installer, "advent")


def test_unpublished_commits_of_a_clone_are_not_lost(installer: Open, clone: Path) -> None:
    git(clone, "checkout", "--quiet", "-b", "idea")
    write(clone, {"mine.py": ""})
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "-m", "Mine")
    git(clone, "checkout", "--quiet", "main")
    with pytest.raises(ConfigError, match="commits or stashes"):
        update(installer, "advent")


def test_a_clone_with_a_dangerous_origin_is_refused(installer: Open, clone: Path, tmp_path: Path) -> None:
    git(clone, "config", "remote.origin.url", f"ext::touch {tmp_path}/pwned")
    with pytest.raises(ConfigError, match="cannot be installed from"):
        update(installer, "advent")
    assert not (tmp_path / "pwned").exists()


def test_a_folder_made_by_hand_has_nothing_to_update_from(home: Home, installer: Open) -> None:
    write(home.extensions / "mine", EXTENSION)
    with pytest.raises(ConfigError, match="made by hand"):
        update(installer, "mine")


def test_a_link_is_not_followed_by_an_update(home: Home, tmp_path: Path, installer: Open) -> None:
    write(tmp_path / "elsewhere", EXTENSION)
    home.extensions.mkdir(parents=True)
    (home.extensions / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is a link"):
        update(installer, "linked")


def test_what_can_be_updated_is_what_came_from_somewhere(home: Home, installer: Open, clone: Path) -> None:
    write(home.extensions / "mine", EXTENSION)
    write(home.extensions / "_hidden", EXTENSION)
    with installer() as open:
        assert (open.names, open.updatable) == (["advent", "mine"], ["advent"])


# -- going back and removing ---------------------------------------------------------------------------------------


def test_a_rollback_puts_the_former_version_back_and_can_be_taken_back(
    home: Home, xmas: Repository, installer: Open
) -> None:
    add(installer, "xmas")
    xmas.commit("Second", {"__init__.py": "v = 2\n"})
    update(installer, "xmas")
    shutil.rmtree(xmas.place)  # nothing is fetched
    _roll_back(installer)
    assert (home.extensions / "xmas/__init__.py").read_text() == EXTENSION["__init__.py"]
    _roll_back(installer)
    assert (home.extensions / "xmas/__init__.py").read_text() == "v = 2\n"


def _roll_back(installer: Open) -> None:
    with installer() as open:
        open.apply(open.plan_rollback("xmas"))


def test_without_a_former_version_there_is_no_rollback(xmas: Repository, installer: Open) -> None:
    add(installer, "xmas")
    with installer() as open, pytest.raises(ConfigError, match="No former version"):
        open.plan_rollback("xmas")


def test_removing_deletes_the_folder_its_former_version_and_its_entry(
    home: Home, xmas: Repository, installer: Open
) -> None:
    add(installer, "xmas")
    xmas.commit("Second", {"__init__.py": "v = 2\n"})
    update(installer, "xmas")
    with installer() as open:
        open.remove("xmas")
        assert open.entries == {}
    assert not (home.extensions / "xmas").exists()
    assert not (home.extensions / ".previous/xmas").exists()
    assert hidden(home) == []


def test_of_a_link_only_the_link_is_removed(home: Home, tmp_path: Path, installer: Open) -> None:
    write(tmp_path / "elsewhere", EXTENSION)
    home.extensions.mkdir(parents=True)
    (home.extensions / "linked").symlink_to(tmp_path / "elsewhere")
    with installer() as open:
        open.remove("linked")
    assert not (home.extensions / "linked").is_symlink()
    assert (tmp_path / "elsewhere/__init__.py").exists()


def test_removing_what_is_not_there_says_what_is(xmas: Repository, installer: Open) -> None:
    add(installer, "xmas")
    with installer() as open, pytest.raises(NotFound, match="Choose from: xmas"):
        open.remove("nope")
    with installer() as open, pytest.raises(NotFound, match="built in"):
        open.remove("tools")
