"""The pictures of users and of agent profiles."""

import os
from collections.abc import Sequence
from pathlib import Path

from llms.kernel.errors import RequestError
from llms.kernel.files import cannot_write
from llms.kernel.paths import Home, is_plain_name
from llms.users.paths import user_path

KINDS = ("webp", "png", "jpg", "jpeg", "svg")
THEMES = ("light", "dark")


def avatar_names(stem: str = "avatar", theme: str | None = None) -> tuple[str, ...]:
    """The file names a picture may have, best first: made for `theme`, for any theme, for another one."""
    modes = [*(mode for mode in THEMES if mode == theme), None, *(mode for mode in THEMES if mode != theme)]
    return tuple(f"{stem}.{mode}.{kind}" if mode else f"{stem}.{kind}" for mode in modes for kind in KINDS)


def get_user_avatar_path(home: Home, user: str | None, filenames: Sequence[str] | None = None) -> str | None:
    """The first of `filenames` in the user's folder, else in the one all share; None if there is none.

    Raises RequestError for a user name that is no plain file name.
    """
    return _first(_folders(home, user), filenames)


def get_profile_avatar_path(
    home: Home, user: str | None, profile: str, filenames: Sequence[str] | None = None
) -> str | None:
    """As `get_user_avatar_path`, for an agent profile. Raises RequestError for a profile of no plain name."""
    if not is_plain_name(profile):
        raise RequestError(f"Profile {profile!r} cannot be used. Choose a plain name.", param="profile")
    return _first([folder / "profiles" / profile for folder in _folders(home, user)], filenames)


def remove_avatar_files(directory: str | os.PathLike[str], prefixes: Sequence[str] | None = None) -> None:
    """Removes every variant of the pictures called `prefixes` ("avatar" alone if not given) from `directory`.

    Nothing else there is touched. Raises ConfigError if one cannot be removed.
    """
    for prefix in prefixes if prefixes is not None else ("avatar",):
        for name in avatar_names(prefix.removesuffix(".")):
            if not is_plain_name(name):
                continue
            path = Path(directory) / name
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise cannot_write(path, error) from error


def _folders(home: Home, user: str | None) -> list[Path]:
    """Where to look, in this order: the user's own folder, then the one all share."""
    return [Path(folder) for folder in dict.fromkeys((user_path(home, user), user_path(home)))]


def _first(folders: Sequence[Path], filenames: Sequence[str] | None) -> str | None:
    names = avatar_names() if filenames is None else filenames
    return next((str(folder / name) for folder in folders for name in names if _is_file_in(folder, name)), None)


def _is_file_in(folder: Path, name: str) -> bool:
    """Whether `folder` has a file called `name`. A link that leads out of the folder is none."""
    if not is_plain_name(name):
        return False
    real = os.path.realpath(folder / name)  # unlike Path.resolve, it does not raise for links that lead in a circle
    return os.path.isfile(real) and Path(real).parent == Path(os.path.realpath(folder))  # noqa: PTH113
