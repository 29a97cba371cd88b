"""A user's own file wins over everybody's, and that over the one that comes with an extension."""

import json
from pathlib import Path
from typing import Any

import pytest

from llms.kernel.errors import ConfigError, RequestError
from llms.kernel.paths import Home
from llms.users.shared import json_for_user


def no_strings(content: Any, file: Path) -> Any:
    if isinstance(content, str):
        raise ConfigError(f"{file.name} holds a text. Write a list.")
    return content


class Files:
    """The three places, and what was complained of."""

    def __init__(self, root: Path) -> None:
        self.home, self.bundled = Home(root), root / "bundled.json"
        self.complaints: list[str] = []

    def put(self, user: str, content: Any) -> None:
        file = self.home.user(user) / "a" / "b.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))

    def read(self, user: str | None) -> Any:
        return json_for_user(
            self.home, "a/b.json", user, bundled=self.bundled, check=no_strings, complain=self.complaints.append
        )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    files = Files(tmp_path)
    files.bundled.write_text("[3]")
    return files


def test_the_first_that_is_there_is_taken(files: Files) -> None:
    assert files.read("ann") == [3]
    files.put("default", [2])
    assert files.read("ann") == [2]
    files.put("ann", [1])
    assert files.read("ann") == [1]
    assert files.read(None) == [2]
    assert files.complaints == []


@pytest.mark.parametrize("broken", ['"a text"', "{"])
def test_one_that_is_not_sound_is_complained_of_and_passed_over(files: Files, broken: str) -> None:
    files.put("ann", broken)
    assert files.read("ann") == [3]
    assert "b.json is taken from elsewhere" in files.complaints[0]


def test_without_any_there_is_nothing(files: Files) -> None:
    files.bundled.unlink()
    assert files.read("ann") is None


def test_a_user_name_leads_nowhere_else(files: Files) -> None:
    with pytest.raises(RequestError):
        files.read("../ann")
