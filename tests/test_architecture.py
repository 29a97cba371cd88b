"""What imports cannot show, read from the source: state, borders, and how extensions behave."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for path in (ROOT / "llms").rglob("*.py") if "tests" not in path.parts)
BORDERS = {"llms/web/middleware.py", "llms/host/loader.py", "llms/kernel/foreign.py"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _is_broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in _BROAD) for kind in kinds)


_BROAD = ("Exception", "BaseException")


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_broad_excepts_stand_only_at_the_borders(path: Path) -> None:
    broad = [node.lineno for node in ast.walk(_tree(path)) if isinstance(node, ast.ExceptHandler) and _is_broad(node)]
    assert _name(path) in BORDERS or not broad, f"broad except in {_name(path)} at {broad}"


def test_every_border_still_needs_to_be_one() -> None:
    for border in BORDERS:
        handlers = [node for node in ast.walk(_tree(ROOT / border)) if isinstance(node, ast.ExceptHandler)]
        assert any(map(_is_broad, handlers)), f"{border} catches nothing broad any more: take it off the list"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_module_holds_state(path: Path) -> None:
    tree = _tree(path)
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Global)], "state has an owner: no global"
    for name, value in _module_values(tree):
        is_constant = name.lstrip("_").isupper() or name == "__all__"
        assert is_constant or not isinstance(value, _MUTABLE), f"{name} in {_name(path)} is mutable module state"


_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


def _module_values(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_module_constants_are_never_changed(path: Path) -> None:
    tree = _tree(path)
    constants = {name for name, value in _module_values(tree) if isinstance(value, _MUTABLE)}
    changed = {name for node in ast.walk(tree) for name in _changed_by(node)}
    assert not constants & changed, f"{constants & changed} in {_name(path)} are changed after they were made"


def _changed_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        if node.func.attr in _CHANGING:
            yield node.func.value.id
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.value.id


_CHANGING = {"append", "add", "update", "pop", "clear", "extend", "insert", "remove", "setdefault", "discard"}


@pytest.mark.parametrize("path", [p for p in FILES if "extensions" in p.parts], ids=_name)
def test_extensions_use_only_the_public_ctx(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ctx":
            assert not node.attr.startswith("_"), f"{_name(path)}:{node.lineno} reaches into ctx.{node.attr}"
            assert node.attr != "app", f"{_name(path)}:{node.lineno} goes through ctx.app"
