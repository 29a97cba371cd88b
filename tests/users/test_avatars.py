"""Pictures: which file is shown, and which are removed."""

from pathlib import Path

import pytest

from llms.kernel.errors import ConfigError, RequestError
from llms.kernel.paths import Home
from llms.users import avatars


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def put(home: Home, *parts: str) -> str:
    file = home.root.joinpath("user", *parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"picture")
    return str(file)


def test_without_a_picture_there_is_none(home: Home) -> None:
    assert avatars.get_user_avatar_path(home, "ann") is None
    assert avatars.get_user_avatar_path(home, None) is None


def test_a_users_own_picture_comes_before_that_of_all(home: Home) -> None:
    everybodys = put(home, "default", "avatar.webp")
    assert avatars.get_user_avatar_path(home, "ann") == everybodys
    own = put(home, "ann", "avatar.svg")
    assert avatars.get_user_avatar_path(home, "ann") == own
    assert avatars.get_user_avatar_path(home, None) == everybodys


def test_the_first_of_the_names_wins(home: Home) -> None:
    put(home, "default", "agent.png")
    dark = put(home, "default", "agent.dark.png")
    names = avatars.avatar_names("agent", "dark")
    assert avatars.get_user_avatar_path(home, None, names) == dark
    assert avatars.get_user_avatar_path(home, None, []) is None


def test_a_picture_of_the_other_theme_is_better_than_none(home: Home) -> None:
    light = put(home, "default", "avatar.light.jpeg")
    assert avatars.get_user_avatar_path(home, None, avatars.avatar_names(theme="dark")) == light


def test_names_are_themed_first_then_for_any_theme() -> None:
    names = avatars.avatar_names(theme="light")
    assert names[:5] == tuple(f"avatar.light.{kind}" for kind in ("webp", "png", "jpg", "jpeg", "svg"))
    assert names[5] == "avatar.webp"
    assert avatars.avatar_names()[0] == "avatar.webp"


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a/../../secret.png", "..", "", "a\0.png"])
def test_a_name_that_leads_out_of_the_folder_finds_nothing(home: Home, name: str) -> None:
    put(home, "secret.png")
    put(home, "default", "a", "b.png")
    assert avatars.get_user_avatar_path(home, None, [name]) is None


def test_a_link_that_leads_out_of_the_folder_is_no_picture(home: Home, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_text("secret")
    folder = Path(put(home, "default", "other.txt")).parent
    (folder / "avatar.png").symlink_to(secret)
    (folder / "avatar.jpg").symlink_to(folder / "avatar.jpg")
    assert avatars.get_user_avatar_path(home, None) is None


def test_a_folder_is_no_picture(home: Home) -> None:
    put(home, "default", "avatar.png", "inside")
    assert avatars.get_user_avatar_path(home, None) is None


def test_a_profiles_picture_is_looked_for_in_the_users_folder_first(home: Home) -> None:
    everybodys = put(home, "default", "profiles", "coder", "avatar.png")
    assert avatars.get_profile_avatar_path(home, "ann", "coder") == everybodys
    own = put(home, "ann", "profiles", "coder", "avatar.png")
    assert avatars.get_profile_avatar_path(home, "ann", "coder") == own
    assert avatars.get_profile_avatar_path(home, "ann", "planner") is None


@pytest.mark.parametrize("name", ["..", "../..", "a/b", ""])
def test_a_profile_is_one_segment_of_a_path(home: Home, name: str) -> None:
    with pytest.raises(RequestError, match="cannot be used"):
        avatars.get_profile_avatar_path(home, "ann", name)


def test_a_user_name_that_leads_elsewhere_is_refused(home: Home) -> None:
    with pytest.raises(RequestError, match="cannot be used"):
        avatars.get_user_avatar_path(home, "../ann")


def test_every_variant_is_removed_and_nothing_else(home: Home) -> None:
    removed = [put(home, "ann", name) for name in ("avatar.png", "avatar.dark.svg", "avatar.light.webp")]
    kept = [put(home, "ann", name) for name in ("agent.png", "avatar.txt", "avatar", "avatars.png", "prefs.json")]
    avatars.remove_avatar_files(home.root / "user" / "ann")
    assert [Path(path).exists() for path in removed] == [False] * 3
    assert [Path(path).exists() for path in kept] == [True] * 5


def test_other_pictures_are_removed_by_their_name(home: Home) -> None:
    agent, avatar = put(home, "default", "agent.dark.png"), put(home, "default", "avatar.png")
    avatars.remove_avatar_files(str(home.root / "user" / "default"), ["agent."])
    assert not Path(agent).exists()
    assert Path(avatar).exists()


@pytest.mark.parametrize("prefix", ["../secret", "", ".", "*", "a/b"])
def test_a_prefix_that_leads_elsewhere_removes_nothing(home: Home, prefix: str) -> None:
    secret, avatar = put(home, "secret.png"), put(home, "ann", "avatar.png")
    avatars.remove_avatar_files(home.root / "user" / "ann", [prefix])
    assert Path(secret).exists()
    assert Path(avatar).exists()


def test_removing_where_there_is_nothing_is_fine(tmp_path: Path) -> None:
    avatars.remove_avatar_files(tmp_path / "nowhere")


def test_a_picture_that_cannot_be_removed_is_told(home: Home) -> None:
    put(home, "ann", "avatar.png", "inside")
    with pytest.raises(ConfigError, match="cannot be written"):
        avatars.remove_avatar_files(home.root / "user" / "ann")
