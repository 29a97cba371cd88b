"""A new home, an old home, and the way back to the packaged files."""

import json
import socket
from pathlib import Path

import pytest

from llms.kernel import first_run
from llms.kernel.config import Config
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def old_config(home: Home, **keys: object) -> None:
    home.prepare()
    home.config_file.write_text(json.dumps(keys))


def backups(home: Home) -> list[Path]:
    return sorted(home.root.glob("*.bak"))


def test_a_first_run_creates_three_files_and_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "socket")  # it works offline
    said = first_run.ensure_home(home)
    assert said == [f"Created {path}" for path in (home.config_file, home.providers_file, home.extras_file)]
    for path in (home.config_file, home.extras_file):
        assert path.read_bytes() == (home.package / path.name).read_bytes()
    for path in (home.config_file, home.providers_file, home.extras_file):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_second_run_changes_and_says_nothing(home: Home) -> None:
    first_run.ensure_home(home)
    home.config_file.write_text('{"version": 3}')
    assert first_run.ensure_home(home) == []
    assert home.config_file.read_text() == '{"version": 3}'


def test_only_what_is_absent_is_created(home: Home) -> None:
    first_run.ensure_home(home)
    home.extras_file.unlink()
    assert first_run.create_home_files(home, mention_all=True) == [
        f"{home.config_file} already exists",
        f"{home.providers_file} already exists",
        f"Created {home.extras_file}",
    ]


def test_packaged_files_may_come_from_another_folder(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    for name in ("llms.json", "providers.json", "providers-extra.json"):
        (tmp_path / "root" / name).write_text('{"version": 3}')
    home = Home.from_env({"LLMS_HOME": str(tmp_path / "home"), "LLMS_ROOT": str(tmp_path / "root")})
    first_run.ensure_home(home)
    assert home.config_file.read_text() == '{"version": 3}'


def test_a_root_without_packaged_files_is_told(tmp_path: Path) -> None:
    home = Home.from_env({"LLMS_HOME": str(tmp_path / "home"), "LLMS_ROOT": str(tmp_path)})
    with pytest.raises(ConfigError, match=r"llms\.json is missing: .*unset LLMS_ROOT"):
        first_run.ensure_home(home)


def test_an_unwritable_home_is_one_sentence_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="set LLMS_HOME to a folder you can write to"):
        first_run.ensure_home(Home(tmp_path / "file" / "home"))


@pytest.mark.parametrize("version", [{}, {"version": 2}])
def test_an_old_config_is_migrated_with_its_settings(home: Home, version: dict[str, int]) -> None:
    old_config(
        home,
        **version,
        auth={"api_key": "x"},
        defaults={"text": {"model": "mine", "messages": []}},
        limits={"retries": 9},
        convert={"image": {"max_size": "10x10"}},
        providers={"old": {}},
    )
    before = home.config_file.read_bytes()
    said = first_run.ensure_home(home)
    config = Config.load(home, environ={})
    assert config.data["version"] == 3
    assert config.data["auth"] == {"api_key": "x"}
    assert config.data["defaults"]["text"]["model"] == "mine"
    assert config.data["defaults"]["compact"]["messages"]
    assert config.limits.retries == 9
    assert config.limits.client_timeout == 240
    assert config.data["convert"] == {"image": {"max_size": "10x10"}}
    assert "groq" in config.data["providers"]
    assert "old" not in config.data["providers"]
    [backup] = backups(home)
    assert backup.read_bytes() == before
    assert any("Migrated" in line and backup.name in line for line in said)


def test_a_second_migration_on_the_same_day_keeps_the_first_backup(home: Home) -> None:
    for number in (1, 2, 3):
        old_config(home, number=number)
        first_run.ensure_home(home)
    assert sorted(json.loads(path.read_text())["number"] for path in backups(home)) == [1, 2, 3]


def test_an_old_config_that_is_not_json_is_left_alone(home: Home) -> None:
    home.prepare()
    home.config_file.write_text("{version: 2}")
    with pytest.raises(ConfigError, match=r"llms\.json: line 1, column 2: .* run `llms --reset config`"):
        first_run.ensure_home(home)
    assert home.config_file.read_text() == "{version: 2}"


def test_a_reset_brings_the_packaged_config_back_and_keeps_the_old_one(home: Home) -> None:
    first_run.ensure_home(home)
    home.config_file.write_text("broken {")
    home.extras_file.write_text("{}")
    said = first_run.reset(home, "config")
    assert home.config_file.read_bytes() == (home.package / "llms.json").read_bytes()
    assert home.extras_file.read_text() == "{}"
    [backup] = backups(home)
    assert backup.read_text() == "broken {"
    assert said == [f"Reset {home.config_file}, the old file is {backup.name}"]


def test_a_reset_of_all_brings_three_files_back(home: Home) -> None:
    home.prepare()
    said = first_run.reset(home, "all")
    assert said == [f"Reset {path}" for path in (home.config_file, home.providers_file, home.extras_file)]
    assert Config.load(home, environ={}).catalog["codestral"]["models"]


def test_a_reset_of_providers_leaves_the_config_alone(home: Home) -> None:
    first_run.ensure_home(home)
    home.config_file.write_text('{"version": 3}')
    first_run.reset(home, "providers")
    assert home.config_file.read_text() == '{"version": 3}'
