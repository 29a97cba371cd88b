"""Which extensions there are. Nothing of them runs here."""

import importlib.util
import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from llms import __version__
from llms.host.extension import Extension, Origin, State
from llms.host.manifest import Manifest
from llms.kernel.errors import LlmsError
from llms.kernel.paths import PACKAGE, is_plain_name
from llms.kernel.types import Json

BUILT_INS = ("providers", "local", "system_prompts", "tools", "katex")  # in the order they load
GROUP = "llms.extensions"
_NOT_ITS_OWN = ("__pycache__", "node_modules")
TAKEN = ("status", "events")  # /ext/status and /ext/events are the server's own
logger = logging.getLogger("llms.host")


def discover(
    folder: Path,
    *,
    development: Sequence[Path] = (),
    disabled: Collection[str] = (),
    safe_mode: bool = False,
    crashed: Callable[[str], str | None] = lambda _: None,
) -> list[Extension]:
    """Every extension in load order: built-ins, the user's folders by name, packages by name, those in development.

    One name is loaded once: development wins over the user's folder, that over a package, that over a built-in.
    Those that shall not be loaded are listed too, with the reason. `crashed` tells why one is not trusted any more.
    """
    found: dict[str, Extension] = {}
    third_parties = [*_packages(), *user_folders(folder), *map(_in_development, development)]
    replaced = {extension.name: extension for extension in third_parties}
    for extension in [*_built_ins(), *third_parties]:
        if safe_mode or replaced.get(extension.name, extension) is extension:
            found.setdefault(extension.name, extension)
    ordered = sorted(found.values(), key=lambda extension: _ORDER.index(extension.origin))  # sorting is stable
    for extension in ordered:
        judge(extension, disabled=disabled, safe_mode=safe_mode, crashed=crashed)
    return ordered


_ORDER = (Origin.BUILT_IN, Origin.USER, Origin.PACKAGE, Origin.DEVELOPMENT)


def user_folders(folder: Path) -> list[Extension]:
    """What lies in the user's extensions folder, by name."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    return [Extension(entry.name, entry, Origin.USER) for entry in entries if is_extension(entry)]


def is_extension(path: Path) -> bool:
    """Whether `path` is a folder with code or a UI in it. Hidden ones are somebody's own business."""
    if path.name.startswith((".", "_")) or not path.is_dir():
        return False
    return (path / "__init__.py").is_file() or (path / "ui").is_dir()


def disabled_names(config: Json, environ: Mapping[str, str]) -> set[str]:
    """The names that llms.json or LLMS_DISABLE switch off."""
    in_environ = {name.strip() for name in environ.get("LLMS_DISABLE", "").split(",")}
    return (in_environ | set(config.get("disable_extensions") or ())) - {""}


def concerns_providers(extension: Extension) -> bool:
    """Whether its code may have to do with providers: it says the word. What says nothing of them adds none."""
    code = (file for file in files_of(extension.path) if file.suffix == ".py")
    return any(b"rovider" in _content(file) for file in code)


def files_of(folder: Path) -> Iterator[Path]:
    """The files below `folder` in order, but for those that are hidden or that programs have put there."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _NOT_ITS_OWN and not name.startswith("."))
        files = (Path(place, name) for name in sorted(names) if not name.startswith("."))
        yield from (file for file in files if file.is_file())


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # to import it will fail, and say why
        return b""


def _built_ins() -> Iterator[Extension]:
    for name in BUILT_INS:
        yield Extension(name, PACKAGE / "extensions" / name, Origin.BUILT_IN, package=f"llms.extensions.{name}")


def _packages() -> Iterator[Extension]:
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        place = _place(entry)
        extension = Extension(entry.name, place or Path(), Origin.PACKAGE, package=entry.module)
        if place is None:
            extension.resign(State.FAILED, f"Its module {entry.module} is missing. Install its package again.")
        elif not is_extension(place):
            why = f"Its module {entry.module} is no folder with an __init__.py. Make it one: an extension is a folder."
            extension.resign(State.FAILED, why)
        yield extension


def _place(entry: EntryPoint) -> Path | None:
    """The folder of an entry point's module."""
    try:
        spec = importlib.util.find_spec(entry.module.partition(".")[0])  # of a whole name it would import the parents
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    place = Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)
    return place.joinpath(*entry.module.split(".")[1:])


def _in_development(path: Path) -> Extension:
    path = path.expanduser().absolute()
    extension = Extension(path.name.removesuffix(".py"), path, Origin.DEVELOPMENT)
    if not is_extension(path):
        extension.resign(State.FAILED, f"{path} is no folder with an __init__.py or a ui folder. Check --extension.")
    return extension


def judge(
    extension: Extension,
    *,
    disabled: Collection[str] = (),
    safe_mode: bool = False,
    crashed: Callable[[str], str | None] = lambda _: None,
) -> None:
    """Decides whether `extension` may be loaded."""
    name = extension.name
    if extension.state is not State.FOUND:
        return
    if name in disabled:
        extension.resign(State.DISABLED, extension.switched_off())
    elif safe_mode and extension.is_third_party:
        extension.resign(State.DISABLED, "--safe-mode loads built-in extensions only.")
    elif name in TAKEN or not is_plain_name(name):
        extension.resign(State.FAILED, f"An extension cannot be called '{name}'. Rename its folder.")
    elif extension.is_third_party and (why := crashed(name)):
        extension.resign(State.DISABLED, why)
    else:
        _read_manifest(extension)


def _read_manifest(extension: Extension) -> None:
    try:
        extension.manifest = Manifest.read(extension.path)
    except LlmsError as error:
        extension.resign(State.FAILED, str(error))
        return
    if why := extension.manifest.why_not(__version__):
        extension.resign(State.INCOMPATIBLE, why)
