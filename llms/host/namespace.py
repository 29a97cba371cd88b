"""How the imports of one extension are answered.

Its own modules have private names, `llms_ext_<name>.db`, so that two extensions may both have a `db.py` and nobody else
can import either. For `import db` to find its own all the same, each of its modules has its own `__import__`, which
Python looks up in the `__builtins__` of the module that imports. The standard library and `llms` are never shadowed.

The packages in its `.requirements` keep their real names, as much in them depends on those, and it alone finds them.
"""

import builtins
import importlib
import importlib.util
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from llms.host.install.tree import OVERLAY
from llms.host.surroundings import PRIVATE, added_paths

_SETTLED = 2.0  # seconds
_Import = Callable[..., ModuleType]


class Namespace:
    """The modules of one extension. `package` is the private name its folder is imported under."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.package = _free_name(name)
        self.own = Shelf([str(folder)], self._import)
        others = partial(self._import, own=False)
        self.overlay = Shelf([str(folder / OVERLAY)] if (folder / OVERLAY).is_dir() else [], others)
        self.elsewhere = Shelf([], others)  # what it has put on `sys.path` outside of its folder
        self._siblings = False  # the folder's parent is on its path, so that it may call itself by its folder's name
        self._kept: dict[str, ModuleType] | None = None  # its modules, once it is closed
        self._importlib = self._importlib_seen()

    def open(self) -> None:
        """From now on its modules can be imported."""
        finder = next((found for found in sys.meta_path if isinstance(found, _Finder)), None)
        if finder is None:
            finder = _Finder()
            sys.meta_path.insert(0, finder)
        finder.namespaces[self.package] = self

    def close(self) -> None:
        """Forgets its modules. Code of it that still runs keeps those it has, and gets no new ones."""
        if self._kept is not None:
            return
        names = [name for name in sys.modules.copy() if _is_in(name, self.package)]
        self._kept = {name: sys.modules.pop(name) for name in names}
        for name in (*self.overlay.releasable(), *self.elsewhere.releasable()):
            del sys.modules[name]
        for finder in [found for found in sys.meta_path if isinstance(found, _Finder)]:
            finder.namespaces.pop(self.package, None)
            if not finder.namespaces:
                sys.meta_path.remove(finder)

    def adopt(self, paths: Iterable[object], modules: Iterable[str] = ()) -> None:
        """Searches `paths`, which it has put on `sys.path`, for its imports alone.

        Those of the new `modules` that lie in its folder become private.
        """
        for place in (Path(path).absolute() for path in paths if isinstance(path, str)):
            if place == self.folder.parent:
                self._siblings = True
            elif str(place) not in (shelf := self.own if _lies_in(str(place), self.folder) else self.elsewhere).folders:
                shelf.folders.append(str(place))
        for name in modules:
            file = _file(sys.modules.get(name))
            if (
                not name.startswith(PRIVATE)
                and _lies_in(file, self.folder)
                and not _lies_in(file, self.folder / OVERLAY)
            ):
                sys.modules[f"{self.package}.{name}"] = sys.modules.pop(name)

    # -- what its import statements call -----------------------------------------------------------------------

    def _import(
        self,
        name: str,
        globals: Any = None,
        locals: Any = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
        *,
        own: bool = True,
    ) -> ModuleType:
        """As `__import__`; without `own`, that of the packages that came with it."""
        if own and (private := self._private(name, globals, level)):
            return self._import_own(private, fromlist or (), depth=0 if level else name.count("."))
        if level:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        with self._lending(_top(name)):
            module = builtins.__import__(name, globals, locals, fromlist or (), 0)
        return self._importlib if own and module is importlib else module

    def _import_own(self, private: str, fromlist: Sequence[str], *, depth: int) -> ModuleType:
        """Imports the module; without a `fromlist`, gives the package so many levels above it."""
        module = self._module(private)
        if not fromlist:
            return self._module(private.rsplit(".", depth)[0])
        if self._kept is None:
            return builtins.__import__(private, None, None, fromlist, 0)  # a name may be that of a submodule
        return module

    def _import_module(self, name: str, package: str | None = None) -> ModuleType:
        """As `importlib.import_module`."""
        if name.startswith("."):
            name = importlib.util.resolve_name(name, package)
        if private := name if _is_in(name, self.package) else self._private(name):
            return self._module(private)
        with self._lending(_top(name)):
            return importlib.import_module(name)

    def _importlib_seen(self) -> ModuleType:
        """`importlib` as its modules see it."""
        seen = ModuleType("importlib", importlib.__doc__)
        vars(seen).update({**vars(importlib), "import_module": self._import_module})
        vars(seen)["__getattr__"] = partial(getattr, importlib)  # submodules that are imported later
        return seen

    def _module(self, private: str) -> ModuleType:
        if self._kept is None:
            return importlib.import_module(private)
        if private in self._kept:
            return self._kept[private]
        raise ImportError(f"Extension '{self.name}' has been unloaded. Start again what you were doing with it.")

    def _private(self, name: str, globals: Any = None, level: int = 0) -> str | None:
        """The full name of what an import statement of its calls `name`, if that is its own."""
        if level:
            absolute = importlib.util.resolve_name("." * level + name, (globals or {}).get("__package__"))
            return absolute if _is_in(absolute, self.package) else None
        top, dot, rest = name.partition(".")
        if _is_everybodys(top):
            return None
        self.adopt(added_paths())
        if self._siblings and top == self.folder.name:
            return self.package + dot + rest
        private = f"{self.package}.{top}"
        if private not in (sys.modules if self._kept is None else self._kept):
            spec = self.own.find(private)
            if spec is None or (spec.loader is None and _exists(top)):  # a mere folder gives way to any module
                return None
        return private + dot + rest

    @contextmanager
    def _lending(self, top: str) -> Iterator[None]:
        """Inside the block, the module called `top` is found in what came with the extension."""
        shelf = None if _is_everybodys(top) else self._shelf_of(top)
        if shelf is None:
            yield
            return
        token = _ASKING.set((shelf, top))
        try:
            yield
        finally:
            _ASKING.reset(token)

    def _shelf_of(self, top: str) -> "Shelf | None":
        """Where the module called `top` is found, if it came with the extension.

        Raises ImportError where another version of it is loaded: in one process, a name stands for one module.
        """
        loaded = sys.modules.get(top)
        brought_by = getattr(getattr(getattr(loaded, "__spec__", None), "loader", None), "shelf", None)
        spec = self.overlay.find(top)
        if brought_by not in (None, self.overlay, self.elsewhere) and spec is None and not PathFinder.find_spec(top):
            raise ModuleNotFoundError(f"No module named '{top}'", name=top)
        if (
            loaded
            and (brought_by or (spec and spec.loader))
            and not (self.overlay if spec else self.elsewhere).holds(loaded)
        ):
            raise ImportError(
                f"'{top}' is loaded already, from {_file(loaded)}, and cannot be loaded in another version beside it. "
                "Disable the extension that needs the other version.",
                name=top,
            )
        if spec is not None:
            return self.overlay
        return self.elsewhere if self.elsewhere.folders and not _exists(top) else None


class Shelf:
    """Folders with modules. Each module found there imports with `import_`."""

    def __init__(self, folders: list[str], import_: _Import) -> None:
        self.folders = folders
        self.builtins = {**vars(builtins), "__import__": import_}
        self._finders: dict[str, FileFinder] = {}

    def find(self, name: str, folders: Sequence[str] | None = None) -> ModuleSpec | None:
        """The module with this full name, in `folders` if given. Several folders may be one package together."""
        portions: list[str] = []
        for folder in self.folders if folders is None else folders:
            spec = self._finder(folder).find_spec(name)
            if spec is not None and spec.loader is not None:
                return spec
            portions += (spec and spec.submodule_search_locations) or ()
        if not portions:
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = portions
        return spec

    def holds(self, module: ModuleType) -> bool:
        """Whether `module` comes from here."""
        return any(_lies_in(_file(module), folder) for folder in self.folders)

    def releasable(self) -> list[str]:
        """The names of the modules loaded from here. What is compiled can be loaded once only, and stays."""
        modules = sys.modules.copy().items() if self.folders else ()
        loaders = {name: getattr(getattr(module, "__spec__", None), "loader", None) for name, module in modules}
        compiled = {_top(name) for name, loader in loaders.items() if isinstance(loader, ExtensionFileLoader)}
        ours = [name for name, loader in loaders.items() if isinstance(loader, _OnShelf) and loader.shelf is self]
        return [name for name in ours if _top(name) not in compiled]

    def forget(self) -> None:
        """Looks at the folders anew."""
        self._finders.clear()

    def _finder(self, folder: str) -> FileFinder:
        if folder not in self._finders:
            self._finders[folder] = FileFinder(
                folder,
                (ExtensionFileLoader, EXTENSION_SUFFIXES),
                (cast(Any, partial(_Source, self)), SOURCE_SUFFIXES),
                (cast(Any, partial(_Bytecode, self)), BYTECODE_SUFFIXES),
            )
        return self._finders[folder]


class _OnShelf:
    """A loader of modules that import as their shelf says."""

    def __init__(self, shelf: Shelf, fullname: str, path: str) -> None:
        super().__init__(fullname, path)  # type: ignore[call-arg]
        self.shelf = shelf

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self.shelf.builtins
        super().exec_module(module)  # type: ignore[misc]


class _Source(_OnShelf, SourceFileLoader):  # type: ignore[misc]  # the stubs of its own bases disagree
    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Caches no bytecode of a file that has just changed: changed again in the same second, it would look old."""
        if time.time() - self.path_stats(self.path)["mtime"] > _SETTLED:
            super().set_data(path, data, _mode=_mode)


class _Bytecode(_OnShelf, SourcelessFileLoader): ...


class _Finder(DistributionFinder):
    """On `sys.meta_path` as long as any namespace is open."""

    def __init__(self) -> None:
        self.namespaces: dict[str, Namespace] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top, _, below = fullname.partition(".")
        if (namespace := self.namespaces.get(top)) is not None:
            return namespace.own.find(fullname, path) if below else _root(namespace)
        if below:
            parent = sys.modules.get(fullname.rpartition(".")[0])
            loader = getattr(getattr(parent, "__spec__", None), "loader", None)
            return loader.shelf.find(fullname, path) if isinstance(loader, _OnShelf) else None
        asking = _ASKING.get()
        return asking[0].find(fullname) if asking and asking[1] == fullname else None

    def find_distributions(
        self,
        context: DistributionFinder.Context = DistributionFinder.Context(),  # noqa: B008
    ) -> Iterable[Distribution]:
        """What a package that came with an extension asks about itself while it is imported."""
        asking = _ASKING.get()
        if asking is None:
            return []
        inside = DistributionFinder.Context(name=context.name, path=asking[0].folders)
        return MetadataPathFinder.find_distributions(inside)

    def invalidate_caches(self) -> None:
        for namespace in self.namespaces.values():
            for shelf in (namespace.own, namespace.overlay, namespace.elsewhere):
                shelf.forget()


_ASKING: ContextVar[tuple[Shelf, str] | None] = ContextVar("asking", default=None)  # what is imported from where


def _root(namespace: Namespace) -> ModuleSpec | None:
    """The extension's folder itself, as a package; without an `__init__.py` it is an empty one."""
    file, folders = namespace.folder / "__init__.py", namespace.own.folders
    if not file.is_file():
        spec = ModuleSpec(namespace.package, None, is_package=True)
        spec.submodule_search_locations = folders
        return spec
    loader = _Source(namespace.own, namespace.package, str(file))
    return spec_from_file_location(namespace.package, file, loader=loader, submodule_search_locations=folders)


def _free_name(name: str) -> str:
    """A name no loaded extension has: always the same for the first of this name, so that what it pickled is found."""
    wanted = taken = PRIVATE + re.sub(r"\W", "_", name)
    number = 1
    while taken in sys.modules:
        number += 1
        taken = f"{wanted}_{number}"
    return taken


def _is_everybodys(top: str) -> bool:
    return top in sys.stdlib_module_names or top in ("llms", "__main__") or top.startswith(PRIVATE)


def _exists(top: str) -> bool:
    """Whether somebody's module is called `top`."""
    return top in sys.modules or PathFinder.find_spec(top) is not None


def _top(name: str) -> str:
    return name.partition(".")[0]


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _file(module: ModuleType | None) -> str:
    return str(getattr(module, "__file__", None) or "")


def _lies_in(path: str, folder: Path | str) -> bool:
    return path.startswith(f"{folder}{os.sep}")
