"""Imports the code of one extension, once, and forgets it again."""

import importlib
import inspect
import sys
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from llms.host import surroundings
from llms.host.namespace import Namespace
from llms.kernel.errors import LlmsError
from llms.kernel.foreign import RUNNING, ExtensionError


@dataclass(frozen=True, slots=True)
class Imported:
    """An extension's code. `namespace` is None where it is an installed package, under its real name."""

    module: ModuleType
    namespace: Namespace | None = None

    def unload(self) -> None:
        """Forgets its modules, so that the next import runs them anew. May be called twice.

        Modules of llms itself stay: others have imported from them.
        """
        if self.namespace is not None:
            self.namespace.close()
        elif not self.module.__name__.startswith("llms."):
            _forget(self.module.__name__)


def import_folder(name: str, folder: Path) -> Imported:
    """Runs the `__init__.py` in `folder`, if there is one, as a module under a name that nobody else uses.

    Raises ExtensionError if that fails, with a message for the user; then nothing of it remains.
    """
    folder = folder.absolute()
    if not (folder / "__init__.py").is_file() and not (folder / "ui").is_dir():
        message = f"{folder} has neither an __init__.py nor a folder ui: it is no extension. Add one, or remove it."
        raise ExtensionError(message, extension=name)
    namespace = Namespace(name, folder)
    namespace.open()
    with _importing(name, folder, namespace.close), _contained_in(namespace):
        return Imported(importlib.import_module(namespace.package), namespace)


def import_package(package: str, *, name: str = "") -> Imported:
    """Imports the installed `package`, the code of the extension called `name`, under its real name.

    Raises ExtensionError as `import_folder` does.
    """
    known = package in sys.modules
    with (
        _importing(name or package.rpartition(".")[2], None, lambda: None if known else _forget(package)),
        surroundings.contained(),
    ):
        return Imported(importlib.import_module(package))


@contextmanager
def contained(imported: Imported | None = None) -> Iterator[None]:
    """Takes back what the block, calling a hook of `imported`, does to the process; see `surroundings.contained`.

    Folders it puts on `sys.path` are searched for its own imports from then on. Nothing should be awaited in the block,
    as it is the whole process that is put back: see `contained_calls`.
    """
    namespace = imported.namespace if imported else None
    with surroundings.contained() if namespace is None else _contained_in(namespace):
        yield


def contained_calls(function: Callable[..., Any], imported: Imported | None = None) -> Callable[..., Any]:
    """`function`, sync or async, contained whenever its own code runs. While it awaits, the process is as before."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with contained(imported):
            result = function(*args, **kwargs)
        return _Steps(result, imported) if inspect.iscoroutine(result) else result

    return call


class _Steps:
    """A coroutine, contained from each of its awaits to the next."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], imported: Imported | None) -> None:
        self._coroutine, self._imported = coroutine, imported

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[], Any] = partial(self._coroutine.send, None)
        while True:
            try:
                with contained(self._imported):
                    awaited = step()
            except StopIteration as end:
                return end.value
            try:
                step = partial(self._coroutine.send, (yield awaited))
            except BaseException as exc:  # such as CancelledError: it is the coroutine's to deal with
                step = partial(self._coroutine.throw, exc)


@contextmanager
def _contained_in(namespace: Namespace) -> Iterator[None]:
    with surroundings.contained(lambda added: namespace.adopt(added.paths, added.modules)):
        yield


@contextmanager
def _importing(name: str, folder: Path | None, forget: Callable[[], None]) -> Iterator[None]:
    """Raises ExtensionError for whatever the block raises, after `forget`."""
    token = RUNNING.set(name)
    try:
        yield
    except BaseException as exc:  # the border to extensions: SystemExit or CancelledError is one more way to fail
        forget()
        if isinstance(exc, KeyboardInterrupt | LlmsError):
            raise
        raise ExtensionError(_told(exc, folder), extension=name) from exc
    finally:
        RUNNING.reset(token)


def _forget(package: str) -> None:
    for name in sys.modules.copy():
        if name == package or name.startswith(f"{package}."):
            del sys.modules[name]


# -- what went wrong, in one sentence ------------------------------------------------------------------------------


def _told(exc: BaseException, folder: Path | None) -> str:
    """What `exc` says, and where it does not say it, what to do."""
    if isinstance(exc, SyntaxError):
        return f"{exc.msg} in {_place(exc.filename, folder)}, line {exc.lineno}. Correct it."
    if isinstance(exc, SystemExit):
        return f"It ended with `sys.exit({exc.code!r})` when it was imported. Raise an error that says why instead."
    if isinstance(exc, ModuleNotFoundError) and exc.name:
        return _missing(exc.name, folder)
    if isinstance(exc, ImportError) and _is_shadowed(exc.name, folder):
        return f"{exc}. '{exc.name}' is Python's own: import yours with `from .{exc.name} import ...`."
    if isinstance(exc, KeyError):
        return repr(exc)
    return str(exc) or type(exc).__name__


def _place(file: str | None, folder: Path | None) -> str:
    path = Path(file or "?")
    return str(path.relative_to(folder)) if folder and path.is_relative_to(folder) else str(path)


def _missing(module: str, folder: Path | None) -> str:
    top, _, below = module.partition(".")
    if top.startswith(surroundings.PRIVATE):
        return f"It has no module '{below}'. Correct the import, or add the file."
    if top == "llms":
        return f"It needs '{module}', which this version of llms does not have. Update llms, or the extension."
    requirements = folder / "requirements.txt" if folder else None
    if requirements and requirements.is_file():
        fix = f"Run `pip install -r {requirements}`, or install the extension with `llms ext add`."
    else:
        fix = "Install the package that has it."
    return f"It needs the Python module '{module}', which is not installed. {fix}"


def _is_shadowed(module: str | None, folder: Path | None) -> bool:
    """Whether the extension has a file that Python's own module of this name stands before."""
    if not module or not folder or module not in sys.stdlib_module_names:
        return False
    return (folder / f"{module}.py").is_file() or (folder / module).is_dir()
