"""The code of an extension, read and not run: what it imports, and what it mentions by which name."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from llms.host.discovery import files_of
from llms.kernel.errors import ConfigError

_TESTS = ("test", "tests")


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in full, as `os.environ.get`, where it is mentioned, and the part of the tree that it stands in."""

    name: str
    place: str
    node: ast.AST
    is_import: bool = False
    is_optional: bool = False  # an import that may fail: in a `try` that catches that


@dataclass(frozen=True, slots=True)
class Module:
    """One file. `path` is relative to the extension's folder."""

    path: str
    tree: ast.Module

    @classmethod
    def read(cls, folder: Path, file: Path) -> "Module":
        """The code in `file`. Raises ConfigError for what this Python does not understand."""
        path = file.relative_to(folder).as_posix()
        try:
            return cls(path, ast.parse(file.read_bytes()))
        except SyntaxError as error:
            raise ConfigError(f"{path}:{error.lineno or 1} is no code for this Python: {error.msg}.") from error
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path} is no code for this Python: {error}.") from error
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error

    def mentions(self) -> Iterator[Mention]:
        """Every name that is imported, and every name it uses, by what it was imported as. Not what types alone need."""
        meant = dict(_meanings(self.tree))
        for node, is_optional in _nodes(self.tree):
            place = f"{self.path}:{getattr(node, 'lineno', 1)}"
            for name in _imported(node):
                yield Mention(name, place, node, is_import=True, is_optional=is_optional)
            if isinstance(node, ast.Name | ast.Attribute) and (name := _full_name(node, meant)):
                yield Mention(name, place, node)
            if isinstance(node, ast.Call):
                called = _full_name(node.func, meant)
                if called in _IMPORTING and (name := text_of(node.args)) and not name.startswith("."):
                    yield Mention(name, place, node, is_import=True, is_optional=is_optional)

    def full_name(self, node: ast.AST) -> str:
        """What `node` is called in full; empty where that is no name."""
        return _full_name(node, dict(_meanings(self.tree)))


_IMPORTING = ("__import__", "importlib.import_module")


def modules(folder: Path) -> Iterator[Path]:
    """The files with code of an extension, without its tests."""
    for file in files_of(folder):
        inside = file.relative_to(folder).parts[:-1]
        is_test = file.name == "conftest.py" or file.name.startswith("test_") or any(part in _TESTS for part in inside)
        if file.suffix == ".py" and not is_test:
            yield file


def text_of(arguments: Sequence[ast.expr]) -> str:
    """The first of `arguments`, if it is a text that stands there."""
    first = arguments[0] if arguments else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def _imported(node: ast.AST) -> Iterator[str]:
    """The full names that an import statement brings; relative ones are the extension's own."""
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
    """Every node that counts when the code runs, and whether it stands in a `try` that bears a failing import."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, is_optional = waiting.pop(0)
        yield node, is_optional
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting += [(child, is_optional) for child in node.orelse]
        elif isinstance(node, ast.Try) and any(map(_catches_missing, node.handlers)):
            rest = [*node.handlers, *node.orelse, *node.finalbody]
            waiting += [*((child, True) for child in node.body), *((child, is_optional) for child in rest)]
        else:
            waiting += [(child, is_optional) for child in ast.iter_child_nodes(node)]


def _catches_missing(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind) in _MISSING for kind in kinds)


_MISSING = ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")


def _full_name(node: ast.AST, meant: dict[str, str]) -> str:
    """`sp.run` after `import subprocess as sp` is `subprocess.run`; of `self.ctx.http` the `ctx.http` counts."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    parts.insert(0, meant.get(node.id, node.id))
    at = next((at for at, part in enumerate(parts) if part in ("ctx", "_ctx")), None)
    return ".".join(parts) if at is None else ".".join(["ctx", *parts[at + 1 :]])
