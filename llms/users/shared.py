"""Files that a user may have, else everybody has, else come with an extension."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home
from llms.kernel.reading import json_from_file
from llms.users.paths import user_path

Check = Callable[[Any, Path], Any]


def json_for_user(
    home: Home, path: str, user: str | None, *, bundled: Path | None, check: Check, complain: Callable[[str], object]
) -> Any:
    """What `check` gives for the first of the three files that is there and sound; None where there is none.

    `path` is relative to a user's folder. One that cannot be read, or that `check` refuses with a ConfigError, is
    complained of and passed over.
    """
    for file in _candidates(home, path, user, bundled):
        try:
            if (content := json_from_file(file)) is not None:
                return check(content, file)
        except ConfigError as error:
            complain(f"{file.name} is taken from elsewhere, since {error}")
    return None


def _candidates(home: Home, path: str, user: str | None, bundled: Path | None) -> Iterator[Path]:
    if user:
        yield Path(user_path(home, user), path)
    yield Path(user_path(home), path)
    if bundled is not None:
        yield bundled
