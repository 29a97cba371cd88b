"""Preferences of users, in real files."""

import json
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from llms.kernel.errors import ConfigError, RequestError
from llms.kernel.paths import Home
from llms.kernel.types import Json
from llms.users.prefs import Prefs


@pytest.fixture
def prefs(tmp_path: Path) -> Prefs:
    return Prefs(Home(tmp_path))


def write(tmp_path: Path, text: str, user: str = "default") -> Path:
    file = tmp_path / "user" / user / "prefs.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".fresh")
    fresh.write_text(text, "utf-8")
    fresh.rename(file)
    return file


def test_who_never_preferred_anything_has_no_preferences(prefs: Prefs) -> None:
    assert prefs.get_all() == {}
    assert prefs.get("theme") is None
    assert prefs.get_all("ann") == {}


def test_a_preference_is_kept_on_disk(prefs: Prefs, tmp_path: Path) -> None:
    prefs.set("theme", "dark", "ann")
    assert json.loads((tmp_path / "user" / "ann" / "prefs.json").read_text("utf-8")) == {"theme": "dark"}
    assert Prefs(Home(tmp_path)).get("theme", "ann") == "dark"


def test_setting_one_leaves_the_others(prefs: Prefs) -> None:
    prefs.set("theme", "dark")
    prefs.set("project", {"id": 1})
    prefs.set("theme", None)
    assert prefs.get_all() == {"theme": None, "project": {"id": 1}}


def test_nobody_sees_the_preferences_of_another(prefs: Prefs) -> None:
    prefs.set("theme", "dark", "ann")
    assert prefs.get_all("bob") == {}
    assert prefs.get_all() == {}


def test_a_file_edited_by_hand_counts_at_once(prefs: Prefs, tmp_path: Path) -> None:
    prefs.set("theme", "dark")
    write(tmp_path, '{"theme": "light"}')
    assert prefs.get("theme") == "light"
    write(tmp_path, "{}").unlink()
    assert prefs.get_all() == {}


def test_who_changes_what_it_got_changes_nothing(prefs: Prefs) -> None:
    prefs.set("list", [1])
    prefs.get_all()["list"].append(2)
    prefs.get("list").append(3)
    assert prefs.get("list") == [1]


def test_who_changes_what_it_gave_changes_nothing(prefs: Prefs) -> None:
    given: list[Any] = [1]
    prefs.set("list", given)
    given.append(2)
    assert prefs.get("list") == [1]


@pytest.mark.parametrize("name", ["..", "../ann", "a/b", "/etc", "a\\b", "a\0b", " "])
def test_a_name_that_is_no_plain_file_name_is_refused(prefs: Prefs, tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="cannot be used"):
        prefs.get_all(name)
    with pytest.raises(RequestError, match="cannot be used"):
        prefs.set("theme", "dark", name)
    assert list(tmp_path.iterdir()) == []


def nested() -> Any:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), float("inf"), b"bytes", nested()], ids=lambda v: "")
def test_a_value_that_json_cannot_hold_is_refused_and_nothing_is_lost(prefs: Prefs, value: Any) -> None:
    prefs.set("theme", "dark")
    with pytest.raises(RequestError, match="cannot be kept"):
        prefs.set("bad", value)
    assert prefs.get_all() == {"theme": "dark"}


@pytest.mark.parametrize("key", ["", None, 5])
def test_a_preference_needs_a_name(prefs: Prefs, key: Any) -> None:
    with pytest.raises(RequestError, match="must be a text"):
        prefs.set(key, 1)


@pytest.mark.parametrize("text", ["{", "[]", "", "\0"], ids=repr)
def test_a_broken_file_is_told_and_never_written_over(prefs: Prefs, tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError, match=r"prefs\.json"):
        prefs.get_all()
    with pytest.raises(ConfigError, match=r"prefs\.json"):
        prefs.set("theme", "dark")
    assert file.read_text("utf-8") == text


def test_a_place_that_cannot_be_written_is_told(prefs: Prefs, tmp_path: Path) -> None:
    (tmp_path / "user").write_text("a file where a folder should be")
    with pytest.raises(ConfigError, match="cannot be written"):
        prefs.set("theme", "dark")


def test_preferences_set_at_the_same_time_all_stay(tmp_path: Path) -> None:
    stores = [Prefs(Home(tmp_path)) for _ in range(2)]
    threads = [Thread(target=stores[i % 2].set, args=(f"key{i}", i)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected: Json = {f"key{i}": i for i in range(20)}
    assert stores[0].get_all() == expected
