"""JSON files: whole or untouched, whoever edits them at once, and readable errors when they are broken."""

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llms.kernel import files
from llms.kernel.errors import ConfigError

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None, exclude_categories=()))
    | st.just("$OPENAI_API_KEY"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    files.write_atomic(tmp_path / "a.json", b"{}")
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a.json").read_bytes() == b"{}"


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    path.chmod(0o640)
    files.write_atomic(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_text() == "new"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real = tmp_path / "dotfiles" / "llms.json"
    real.write_text("{}")
    link = tmp_path / "llms.json"
    link.symlink_to(real)
    files.write_atomic(link, b'{"a": 1}')
    assert link.is_symlink()
    assert real.read_text() == '{"a": 1}'


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match=r"No space left on device\. Free some disk space, or"):
        files.write_atomic(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_below_a_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be written: Not a directory\. .*LLMS_HOME"):
        files.write_atomic(tmp_path / "file" / "a.json", b"")


def test_writing_over_a_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        files.write_atomic(tmp_path / "a.json", b"")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.json"]


def test_a_loop_of_links_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(ConfigError, match=r"cannot be written.*LLMS_HOME"):
        files.write_atomic(tmp_path / "a", b"")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.text(), JSON_VALUES, max_size=5), st.text(), JSON_VALUES)
def test_an_edit_changes_what_it_edits_and_nothing_else(
    tmp_path: Path, data: dict[str, Any], key: str, value: Any
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data))

    def edit(found: dict[str, Any]) -> None:
        found[key] = value

    files.update_json(path, edit)
    after = files.read_json(path)
    assert after == {**data, key: value}
    assert list(after) == list({**data, key: value})


def test_an_edit_keeps_order_unknown_keys_and_dollar_names(tmp_path: Path) -> None:
    path = tmp_path / "llms.json"
    path.write_text('{"z": 1, "mine": {"q": null}, "providers": {"b": {"api_key": "$B_KEY"}, "a": {}}, "é": "ü"}')

    def edit(data: dict[str, Any]) -> None:
        data["providers"]["a"]["enabled"] = False

    files.update_json(path, edit)
    text = path.read_text(encoding="utf-8")
    assert '"$B_KEY"' in text
    assert '"é": "ü"' in text
    assert list(json.loads(text)) == ["z", "mine", "providers", "é"]
    assert list(json.loads(text)["providers"]) == ["b", "a"]


def test_an_edit_that_only_reorders_is_written(tmp_path: Path) -> None:
    path = tmp_path / "llms.json"
    path.write_text('{"providers": {"a": {}, "b": {}}}')

    def edit(data: dict[str, Any]) -> None:
        data["providers"] = dict(reversed(data["providers"].items()))

    files.update_json(path, edit)
    assert list(json.loads(path.read_text())["providers"]) == ["b", "a"]


def test_an_edit_that_changes_nothing_does_not_touch_the_file(tmp_path: Path) -> None:
    path = tmp_path / "llms.json"
    path.write_text('{ "a":1 }')
    files.update_json(path, lambda data: None)
    assert path.read_text() == '{ "a":1 }'


def test_an_edit_that_raises_does_not_touch_the_file(tmp_path: Path) -> None:
    path = tmp_path / "llms.json"
    path.write_text('{"a": 1}')

    def edit(data: dict[str, Any]) -> None:
        data.clear()
        raise LookupError

    with pytest.raises(LookupError):
        files.update_json(path, edit)
    assert path.read_text() == '{"a": 1}'


EDITOR = """
import sys
from pathlib import Path
from llms.kernel.files import update_json
path, name = Path(sys.argv[1]), sys.argv[2]
for number in range(50):
    update_json(path, lambda data: data.update({f"{name}{number}": True}))
"""


def test_two_processes_editing_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "llms.json"
    path.write_text("{}")
    editors = [subprocess.Popen([sys.executable, "-c", EDITOR, str(path), name]) for name in ("a", "b")]
    assert [editor.wait(60) for editor in editors] == [0, 0]
    assert set(json.loads(path.read_text())) == {f"{name}{number}" for name in "ab" for number in range(50)}
    assert not [found for found in tmp_path.iterdir() if found.suffix == ".tmp"]


def test_threads_editing_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "llms.json"
    path.write_text('{"n": 0}')

    def add() -> None:
        for _ in range(20):
            files.update_json(path, lambda data: data.update(n=data["n"] + 1))

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert json.loads(path.read_text()) == {"n": 60}


def test_a_lock_that_is_never_released_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LOCK_TIMEOUT", 0.05)
    path = tmp_path / "llms.json"
    path.write_text("{}")
    with (
        files.lock(path),
        pytest.raises(ConfigError, match=r"Another process has held .*llms\.json .* then retry"),
    ):
        files.update_json(path, lambda data: None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,\n  "b" 2}', "llms.json: line 2, column 7: expecting ':' delimiter, met 2. Fix it."),
        ('{"a": True}', "llms.json: line 1, column 7: expecting value, met True. Fix it."),
        ('{"a": 1', "llms.json: line 1, column 8: expecting ',' delimiter, met the end of the file. Fix it."),
        ("", "llms.json: line 1, column 1: expecting value, met the end of the file. Fix it."),
        ('{"a": NaN}', "llms.json: cannot be read as JSON: NaN is not JSON. Fix it."),
        ("[1]", "llms.json: expected an object, got list. Fix it."),
    ],
)
def test_a_file_that_is_not_json_is_told_by_line_and_column(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "llms.json").write_text(text)
    with pytest.raises(ConfigError) as raised:
        files.read_json(tmp_path / "llms.json", fix="Fix it.")
    assert str(raised.value) == said


def test_a_broken_line_does_not_show_the_key_on_it(tmp_path: Path) -> None:
    (tmp_path / "llms.json").write_text('{"api_key" "topsecret1"}')
    with pytest.raises(ConfigError) as raised:
        files.read_json(tmp_path / "llms.json")
    assert "topsecret" not in str(raised.value)


def test_endless_nesting_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "llms.json").write_text("[" * 200_000)
    with pytest.raises(ConfigError, match="cannot be read as JSON"):
        files.read_json(tmp_path / "llms.json")


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "llms.json").write_bytes('{"a": "é"}'.encode("latin-1"))
    with pytest.raises(ConfigError, match="byte 7 is not UTF-8"):
        files.read_json(tmp_path / "llms.json")


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    (tmp_path / "llms.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert files.read_json(tmp_path / "llms.json") == {"a": 1}


def test_a_missing_file_is_told_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not exist\. Run `llms --init`"):
        files.read_json(tmp_path / "llms.json")


def test_a_folder_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        files.read_json(tmp_path)
