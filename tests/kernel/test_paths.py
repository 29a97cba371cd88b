"""The home: where things are, which user names are safe, and what happens when it cannot be written."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.kernel.errors import ConfigError, RequestError
from llms.kernel.paths import Home


def test_home_is_below_the_users_folder_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert Home.from_env({}).root == Path("/somewhere/.llms")
    assert Home.from_env({"LLMS_HOME": ""}).root == Path("/somewhere/.llms")
    assert Home.from_env({"LLMS_HOME": "~/other"}).root == Path("/somewhere/other")


def test_everything_is_below_the_home(tmp_path: Path) -> None:
    home = Home.from_env({"LLMS_HOME": str(tmp_path)})
    assert home.config_file == tmp_path / "llms.json"
    assert home.providers_file == tmp_path / "providers.json"
    assert home.extras_file == tmp_path / "providers-extra.json"
    assert home.extensions == tmp_path / "extensions"
    assert home.models == tmp_path / "models"
    assert home.cache == tmp_path / "cache"
    assert home.user("ada") == tmp_path / "user" / "ada"


def test_extensions_may_live_elsewhere(tmp_path: Path) -> None:
    home = Home.from_env({"LLMS_HOME": str(tmp_path), "LLMS_EXTENSIONS_DIR": str(tmp_path / "mine")})
    assert home.extensions == tmp_path / "mine"


def test_a_relative_home_does_not_move_with_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    home = Home.from_env({"LLMS_HOME": "here"})
    monkeypatch.chdir("/")
    assert home.root == tmp_path / "here"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "a\\b", "/etc", "c:x", "a\0b", "a\nb", " a", "a ", "a.", "x" * 256, "\ud800", "a*"],
)
def test_a_user_name_that_is_not_a_plain_file_name_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match="cannot be used"):
        Home(Path("/home")).user(name)


@pytest.mark.parametrize("name", ["ada", "ada@example.com", "a.b-c_d", "名前", "default"])
def test_an_ordinary_user_name_is_one_folder(name: str) -> None:
    assert Home(Path("/home")).user(name).name == name


@given(st.text())
def test_no_user_name_leads_out_of_the_home(name: str) -> None:
    try:
        folder = Home(Path("/home")).user(name)
    except RequestError:
        return
    assert folder.resolve().parent == Path("/home/user")


def test_prepare_makes_a_folder_for_its_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "home")
    home.prepare()
    assert home.root.stat().st_mode & 0o777 == 0o700
    assert list(home.root.iterdir()) == []


def test_prepare_leaves_an_existing_home_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "llms.json").write_text("{}")
    Home(tmp_path).prepare()
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "llms.json").read_text() == "{}"


def test_a_home_below_a_file_is_one_sentence_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"Not a directory.*set LLMS_HOME to a folder you can write to\.$"):
        Home(tmp_path / "file" / "home").prepare()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system nobody can write to")
def test_a_home_that_exists_but_takes_no_files_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"/proc/self cannot be written.*LLMS_HOME"):
        Home(Path("/proc/self")).prepare()
