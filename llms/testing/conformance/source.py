"""The code of an extension, read and not run: what it imports, and which names it uses."""

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llms.host.discovery import files_of
from llms.kernel.errors import ConfigError

_TESTS = ("test", "tests")
_TYPES_ONLY = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
_CATCH_MISSING = ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")
_IMPORTING = ("__import__", "importlib.import_module")


@dataclass(frozen=True, slots=True)
class Import:
    """Something imported, by its full name. An optional one may be missing: it is in a `try` that allows for that."""

    name: str
    place: str
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Module:
    """One file. `path` is relative to the extension's folder, `meant` tells what the names it imports stand for."""

    path: str
    tree: ast.Module
    meant: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path, file: Path) -> "Module":
        """The code in `file`. Raises ConfigError for what this Python does not understand."""
        path = file.relative_to(folder).as_posix()
        try:
            tree = ast.parse(file.read_bytes())
        except SyntaxError as error:
            raise ConfigError(f"{path}:{error.lineno or 1} is no code for this Python: {error.msg}.") from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise ConfigError(f"{path} is no code for this Python: {str(error) or 'too much of it'}.") from error
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
        return cls(path, tree, dict(_meanings(tree)))

    def nodes(self) -> Iterator[ast.AST]:
        """Every part of it that is there when it runs, in the order of the text."""
        return (node for node, _ in _nodes(self.tree))

    def imports(self) -> Iterator[Import]:
        """What it imports from outside its package, by statements and by calls that name it."""
        for node, is_optional in _nodes(self.tree):
            for name in _imported(node):
                yield Import(name, self.place(node), is_optional)
            if isinstance(node, ast.Call) and self.name(node.func) in _IMPORTING:
                name = text_of(node.args)
                if name and not name.startswith("."):
                    yield Import(name, self.place(node), is_optional)

    def place(self, node: ast.AST) -> str:
        """`lib/db.py:12`"""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    def name(self, node: ast.AST) -> str:
        """What `node` is called in full: `sp.run` after `import subprocess as sp` is `subprocess.run`.

        Of `self.ctx.http` only `ctx.http` counts. Empty for what is no name, and for names of the module's own.
        """
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        at = next((at for at, part in enumerate([node.id, *parts]) if part in ("ctx", "_ctx")), None)
        if at is not None:
            return ".".join(["ctx", *parts[at:]])
        top = self.meant.get(node.id) or (node.id if hasattr(builtins, node.id) else "")
        return ".".join([top, *parts]) if top else ""


def code_of(folder: Path) -> Iterator[Path]:
    """The files with code of an extension, but for its tests."""
    for file in files_of(folder):
        folders = file.relative_to(folder).parts[:-1]
        is_test = file.name == "conftest.py" or file.name.startswith("test_") or any(name in _TESTS for name in folders)
        if file.suffix == ".py" and not is_test:
            yield file


def text_of(arguments: Sequence[ast.expr]) -> str:
    """The first of `arguments`, where it is a text; else an empty one."""
    first = arguments[0] if arguments else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def _imported(node: ast.AST) -> Iterator[str]:
    """The full names that an import statement brings; relative ones are of the extension's own package."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _meanings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What each name that an import binds stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _nodes(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """Every node but those for type checkers only, and whether it is in a `try` that allows for missing modules."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, is_optional = waiting.pop()
        yield node, is_optional
        is_optional = is_optional or (isinstance(node, ast.Try) and any(map(_catches_missing, node.handlers)))
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and ast.unparse(node.test) in _TYPES_ONLY:
            children = list(node.orelse)
        waiting += [(child, is_optional) for child in reversed(children)]


def _catches_missing(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind) in _CATCH_MISSING for kind in kinds)
