"""Which extensions there are, in which order, and why one of them is not loaded."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from llms.host.discovery import BUILT_INS, concerns_providers, disabled_names, discover, user_folders
from llms.host.extension import Extension, Origin, State
from llms.kernel.paths import PACKAGE

from .folders import write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The user's extensions folder."""
    made = tmp_path / "extensions"
    made.mkdir()
    return made


def extension(folder: Path, name: str, **files: str) -> Path:
    return write(folder / name, **(files or {"init": ""}))


def package(
    place: Path, monkeypatch: pytest.MonkeyPatch, entries: dict[str, str], *, distribution: str = "dist"
) -> None:
    """An installed distribution with these entry points."""
    info = place / f"{distribution}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = "\n".join(f"{name} = {value}" for name, value in entries.items())
    (info / "entry_points.txt").write_text(f"[llms.extensions]\n{lines}\n")
    if str(place) not in sys.path:
        monkeypatch.syspath_prepend(str(place))


def found(folder: Path, **options: Any) -> dict[str, Extension]:
    return {each.name: each for each in discover(folder, **options)}


def third_parties(folder: Path, **options: Any) -> list[str]:
    return [each.name for each in discover(folder, **options) if each.origin is not Origin.BUILT_IN]


# -- the order ---------------------------------------------------------------------------------------------------


def test_built_ins_come_first_in_their_order_then_the_users_by_name(folder: Path) -> None:
    for name in ("zebra", "Ant", "ant", "_hidden", "apple"):
        extension(folder, name)
    assert [each.name for each in discover(folder)] == [*BUILT_INS, "Ant", "ant", "apple", "zebra"]


def test_packages_come_after_folders_and_those_in_development_last(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extension(folder, "zebra")
    write(tmp_path / "site/first_pkg", init="")
    write(tmp_path / "site/second_pkg", init="")
    package(tmp_path / "site", monkeypatch, {"second": "second_pkg", "first": "first_pkg"})
    late = [extension(tmp_path, "bee"), extension(tmp_path, "ape")]
    assert third_parties(folder, development=late) == ["zebra", "first", "second", "bee", "ape"]


def test_without_a_folder_there_are_the_built_ins(tmp_path: Path) -> None:
    assert [each.name for each in discover(tmp_path / "none")] == list(BUILT_INS)
    (tmp_path / "file").write_text("")
    assert user_folders(tmp_path / "file") == []


# -- what counts as one ------------------------------------------------------------------------------------------


def test_code_or_a_ui_makes_a_folder_an_extension(folder: Path) -> None:
    extension(folder, "code")
    (folder / "ui_only/ui").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "notes.txt").write_text("")
    (folder / "module.py").write_text("")
    write(folder / "manifest_only", extension__toml="")
    assert [each.name for each in user_folders(folder)] == ["code", "ui_only"]


@pytest.mark.parametrize("name", [".git", ".hidden", "_old", "__pycache__"])
def test_hidden_folders_are_somebodys_own_business(folder: Path, name: str) -> None:
    extension(folder, name)
    assert user_folders(folder) == []


def test_a_link_to_a_folder_is_one_and_a_broken_one_is_not(folder: Path, tmp_path: Path) -> None:
    (folder / "linked").symlink_to(extension(tmp_path, "elsewhere"))
    (folder / "broken").symlink_to(tmp_path / "gone")
    (folder / "circle").symlink_to(folder / "circle")
    assert [each.name for each in user_folders(folder)] == ["linked"]


# -- whose is it -------------------------------------------------------------------------------------------------


def test_the_users_folder_replaces_a_built_in(folder: Path) -> None:
    extension(folder, "katex")
    assert found(folder)["katex"].path == folder / "katex"
    assert [each.name for each in discover(folder)].count("katex") == 1


def test_development_wins_over_the_users_folder_and_that_over_a_package(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "site/thing_pkg", init="")
    package(tmp_path / "site", monkeypatch, {"thing": "thing_pkg", "katex": "thing_pkg"})
    assert found(folder)["thing"].origin is Origin.PACKAGE
    assert found(folder)["katex"].origin is Origin.PACKAGE
    extension(folder, "thing")
    assert found(folder)["thing"].origin is Origin.USER
    developed = extension(tmp_path, "thing")
    assert found(folder, development=[developed])["thing"].path == developed


def test_in_safe_mode_a_built_in_that_was_replaced_is_itself_again(folder: Path) -> None:
    extension(folder, "katex")
    extension(folder, "mine")
    safe = found(folder, safe_mode=True)
    assert (safe["katex"].origin, safe["katex"].state) == (Origin.BUILT_IN, State.FOUND)
    assert (safe["mine"].state, safe["mine"].reason) == (
        State.DISABLED,
        "--safe-mode loads built-in extensions only.",
    )


# -- installed packages ------------------------------------------------------------------------------------------


def test_an_entry_point_names_a_module_that_is_not_imported_yet(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "site/parent_pkg", init="raise RuntimeError('imported too early')")
    write(tmp_path / "site/parent_pkg/child", init="")
    package(tmp_path / "site", monkeypatch, {"inner": "parent_pkg.child", "outer": "parent_pkg"})
    inner = found(folder)["inner"]
    assert (inner.path, inner.package, inner.state) == (
        tmp_path / "site/parent_pkg/child",
        "parent_pkg.child",
        State.FOUND,
    )
    assert found(folder)["outer"].path == tmp_path / "site/parent_pkg"
    assert "parent_pkg" not in sys.modules


def test_an_entry_point_whose_module_is_gone_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path / "site", monkeypatch, {"ghost": "nowhere_to_be_found"})
    ghost = found(folder)["ghost"]
    assert (ghost.state, ghost.reason) == (
        State.FAILED,
        "Its module nowhere_to_be_found is missing. Install its package again.",
    )


@pytest.mark.parametrize("module", ["single_file", "site_pkg.single"])
def test_an_entry_point_to_a_single_file_says_what_it_must_be(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    write(tmp_path / "site", single_file__py="")
    write(tmp_path / "site/site_pkg", init="", single__py="")
    package(tmp_path / "site", monkeypatch, {"thing": module})
    thing = found(folder)["thing"]
    assert thing.state is State.FAILED
    assert thing.reason.startswith(f"Its module {module} is no folder with an __init__.py.")


def test_two_distributions_with_one_name_give_one_extension(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "site/one_pkg", init="")
    write(tmp_path / "site/two_pkg", init="")
    package(tmp_path / "site", monkeypatch, {"same": "one_pkg"}, distribution="one")
    package(tmp_path / "site", monkeypatch, {"same": "two_pkg"}, distribution="two")
    assert third_parties(folder) == ["same"]


# -- what speaks against one -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["status", "events", "trailing.", " lead", "a:b", "back\\slash", "tab\there"])
def test_some_names_cannot_be(folder: Path, name: str) -> None:
    extension(folder, name)
    one = found(folder)[name]
    assert (one.state, one.reason) == (State.FAILED, f"An extension cannot be called '{name}'. Rename its folder.")


@pytest.mark.parametrize("name", ["json", "my-ext", "my ext", "überall", "a.b", "llms", "test"])
def test_most_names_can(folder: Path, name: str) -> None:
    extension(folder, name)
    assert found(folder)[name].state is State.FOUND


def test_a_disabled_one_says_how_to_enable_it(folder: Path) -> None:
    extension(folder, "off")
    disabled = found(folder, disabled=["off", "katex"])
    assert disabled["katex"].state is State.DISABLED
    assert disabled["off"].reason == "It is disabled. `llms ext enable off` enables it."


def test_names_are_disabled_by_the_configuration_and_by_the_environment() -> None:
    environ = {"LLMS_DISABLE": "a, b,,  "}
    assert disabled_names({"disable_extensions": ["c", "a"]}, environ) == {"a", "b", "c"}
    assert disabled_names({}, {}) == set()


def test_one_that_has_crashed_is_not_trusted_but_a_built_in_is(folder: Path) -> None:
    extension(folder, "deadly")
    judged = found(folder, crashed=lambda name: f"{name} crashed. Mend it.")
    assert (judged["deadly"].state, judged["deadly"].reason) == (State.DISABLED, "deadly crashed. Mend it.")
    assert judged["local"].state is State.FOUND


def test_a_manifest_that_cannot_be_read_or_fits_no_version_says_why(folder: Path) -> None:
    extension(folder, "bad", init="", extension__toml='id = "')
    extension(folder, "new", init="", extension__toml='llms = ">=999"')
    extension(folder, "fine", init="", extension__toml='version = "1.2"\nllms = ">=0"')
    judged = found(folder)
    assert judged["bad"].state is State.FAILED and "extension.toml" in judged["bad"].reason
    assert judged["new"].state is State.INCOMPATIBLE and ">=999" in judged["new"].reason
    assert (judged["fine"].state, judged["fine"].version) == (State.FOUND, "1.2")


def test_what_is_developed_must_be_there(folder: Path, tmp_path: Path) -> None:
    missing = found(folder, development=[tmp_path / "gone"])["gone"]
    assert missing.state is State.FAILED
    assert missing.reason == f"{tmp_path / 'gone'} is no folder with an __init__.py or a ui folder. Check --extension."


def test_a_developed_folder_may_be_named_from_where_one_is(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extension(tmp_path, "here.py")
    monkeypatch.chdir(tmp_path)
    (here,) = [each for each in discover(folder, development=[Path("here.py")]) if each.name == "here"]
    assert (here.path, here.state) == (tmp_path / "here.py", State.FOUND)


# -- what need not be imported -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "concerns"),
    [
        ("def __install__(ctx): ctx.add_get('a', a)", False),
        ("def __load__(ctx): ctx.get_providers()['a'] = A()", True),
        ("from .my_providers import register", True),
    ],
)
def test_code_that_does_not_speak_of_providers_adds_none(folder: Path, code: str, concerns: bool) -> None:
    path = extension(folder, "one", init=code)
    assert concerns_providers(Extension("one", path, Origin.USER)) is concerns


def test_code_that_cannot_be_read_is_passed_over(folder: Path) -> None:
    path = extension(folder, "odd")
    (path / "folder.py").mkdir()
    (path / "gone.py").symlink_to(path / "nowhere.py")
    os.mkfifo(path / "pipe.py")
    write(path / ".requirements/library", provider__py="provider")
    assert concerns_providers(Extension("odd", path, Origin.USER)) is False


def test_every_built_in_is_there() -> None:
    assert [name for name in BUILT_INS if not (PACKAGE / "extensions" / name).is_dir()] == []
