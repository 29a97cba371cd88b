"""`llms ext new NAME [--dir FOLDER]`"""

import re
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from llms import __version__
from llms.cli.exit_code import ExitCode
from llms.cli.output import note, say
from llms.host.discovery import BUILT_INS, TAKEN, files_of
from llms.kernel.errors import ConfigError
from llms.kernel.files import cannot_write
from llms.kernel.paths import Home

TEMPLATE = Path(__file__).parents[1] / "template"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")  # fit for a folder, an address, and with _ for - an identifier


def new(home: Home, name: str, *, into: str | None = None) -> int:
    """Writes an extension called `name` into the folder `into`, or else the user's extensions folder.

    It is there whole or not at all. Raises ConfigError for a name that cannot be used, or is.
    """
    _check(name)
    parent = Path(into).expanduser().absolute() if into else home.extensions
    folder = parent / name
    if folder.exists() or folder.is_symlink():
        raise ConfigError(f"{folder} is there already. Choose another name.")
    try:
        _write(name, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    say(f"Wrote {folder}.")
    note(_next_steps(name, folder, is_loaded=parent == home.extensions))
    return ExitCode.SUCCESS


def _check(name: str) -> None:
    if not name:
        raise ConfigError("Name the extension: `llms ext new NAME`.")
    if not _NAME.fullmatch(name):
        raise ConfigError(f"'{name}' cannot be its name. Use letters, digits, _ and -, a letter first, 64 at most.")
    if name in BUILT_INS:
        raise ConfigError(f"'{name}' is a built-in extension, whose place it would take. Choose another name.")
    if name in TAKEN:
        raise ConfigError(f"'{name}' is a name that the server uses itself. Choose another.")
    if name == "llms" or name in sys.stdlib_module_names:  # loading it would work; its tests would not
        raise ConfigError(f"'{name}' is a module of Python's or llms' own. Choose another name.")


def _write(name: str, folder: Path) -> None:
    """Writes beside the place, where nobody looks, and moves it there."""
    words = _words(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder.parent) as temporary:
        fresh = Path(temporary, name)
        for file in files_of(TEMPLATE):
            place = fresh / _with(words, file.relative_to(TEMPLATE).as_posix())
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(_with(words, file.read_text("utf-8")), "utf-8")
        fresh.rename(folder)


def _words(name: str) -> Mapping[str, str]:
    """What is written for what stands in the template: the name in all its forms, and the present version."""
    parts = [part for part in re.split("[_-]", name) if part]
    return {
        "my-extension": name,
        "my_extension": name.replace("-", "_"),
        "MyExtension": "".join(part[0].upper() + part[1:] for part in parts),
        "My extension": " ".join(parts)[0].upper() + " ".join(parts)[1:],
        '">=0"': f'">={".".join(__version__.split(".")[:2])}"',
    }


def _with(words: Mapping[str, str], text: str) -> str:
    """`text` with all of `words` replaced at once, so that a name may be a word of the template too."""
    return re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], text)


def _next_steps(name: str, folder: Path, *, is_loaded: bool) -> str:
    path = shlex.quote(str(folder))
    load = "" if is_loaded else f" --extension {path}"
    return (
        f"  llms --serve --dev{load}   serves it at /ext/{name}/hello, and loads it anew when it changes\n"
        f"  pytest {path}   runs its tests\n"
        f"  llms ext test {path}   checks that it keeps to the rules"
    )
