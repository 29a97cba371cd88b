"""Where a user's files are."""

from pathlib import Path

import pytest

from llms.kernel.errors import RequestError
from llms.kernel.paths import Home
from llms.users.paths import user_path


def test_each_user_has_a_folder_and_who_has_no_name_that_of_all(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert user_path(home, "john") == str(tmp_path / "user" / "john")
    assert user_path(home) == user_path(home, "") == str(tmp_path / "user" / "default")


@pytest.mark.parametrize("name", ["..", ".", "../john", "a/b", "a\\b", "a\0", "\ud800"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="cannot be used"):
        user_path(Home(tmp_path), name)
