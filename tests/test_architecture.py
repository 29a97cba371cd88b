"""What imports cannot show, read from the source: state, borders, and how extensions behave."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for path in (ROOT / "llms").rglob("*.py") if "tests" not in path.parts)
BORDERS = {"llms/web/middleware.py", "llms/host/loader.py", "llms/host/importing.py", "llms/kernel/foreign.py"}


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
    assert not list(_state(_tree(path))), f"{_name(path)} holds state: give it to an object that is passed in"


@pytest.mark.parametrize(
    "source",
    [
        *("seen = set()", "_SEEN = set()", "cache = dict()", "names: list[str] = list()", "queue = deque(maxlen=3)"),
        *("by_id = defaultdict(list)", "_LOCK = threading.Lock()", "app = App()", "names = []", "_cache = {}"),
        *(
            "def f():\n    global n\n    n = 1",
            "if DEBUG:\n    seen = set()",
            "try:\n    import a\nexcept ImportError:\n    a = []",
        ),
    ],
)
def test_state_is_seen_in_every_form(source: str) -> None:
    assert list(_state(ast.parse(source)))


@pytest.mark.parametrize(
    "source", ["NAMES = ['a']", "__all__ = ['a']", "log = logging.getLogger('a')", "n = 1", "def f():\n    a = set()"]
)
def test_constants_are_no_state(source: str) -> None:
    assert not list(_state(ast.parse(source)))


def _state(tree: ast.Module) -> Iterator[str]:
    """What the module keeps and could change: globals, mutable values not named as constants, objects of any class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield f"line {node.lineno}: global"
    for name, value in _module_values(tree.body):
        is_constant = name.lstrip("_").isupper() or name == "__all__"
        if isinstance(value, _MUTABLE) and not is_constant:
            yield f"line {value.lineno}: {name}"
        for node in ast.walk(value):
            if isinstance(node, ast.Call) and _called(node) not in _FROZEN:
                yield f"line {node.lineno}: {name} calls {ast.unparse(node.func)}, not known to make constants"


_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_FROZEN = {
    *("frozenset", "MappingProxyType", "Path", "resolve", "with_name", "IPv4Network", "IPv6Network", "compile"),
    *("getLogger", "TypeVar", "AppKey", "RequestKey", "Meta", "Encoder", "Decoder", "join", "vars", "startswith"),
    "ContextVar",  # a place in each task, not one that tasks share
    "object",  # a sentinel
    "EmbeddingDialect",
    *("replace", "_knows"),  # of dataclasses: another frozen one; makes a mapping that stays as it is
    *("Flag", "Section", "Pin", "_Kind", "Declarations", "Allowance", "Verdict", "Vendor", "vendor_classes"),  # ours
}


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)


def _module_values(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Every name a module gives a value as it is imported, also under `if`, `try` and `with`."""
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield ast.unparse(target), node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield ast.unparse(node.target), node.value
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.For):
            for block in ("body", "orelse", "finalbody"):
                yield from _module_values(getattr(node, block, []))
            for handler in getattr(node, "handlers", []):
                yield from _module_values(handler.body)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_module_constants_are_never_changed(path: Path) -> None:
    tree = _tree(path)
    constants = {name for name, value in _module_values(tree.body) if isinstance(value, _MUTABLE)}
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
    assert not list(_reaching_into_ctx(_tree(path))), f"{_name(path)} uses of ctx what is not public"


@pytest.mark.parametrize("source", ["ctx._app", "ctx.app.http", "self.ctx.app", "self._ctx._x()", "a.b.ctx.app = 1"])
def test_reaching_into_ctx_is_seen_in_every_form(source: str) -> None:
    assert list(_reaching_into_ctx(ast.parse(source)))


@pytest.mark.parametrize("source", ["ctx.log('a')", "self.ctx.home", "self._ctx.limits", "self._app", "app.ctx"])
def test_the_public_ctx_is_free_to_use(source: str) -> None:
    assert not list(_reaching_into_ctx(ast.parse(source)))


def _reaching_into_ctx(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (node.attr == "app" or node.attr.startswith("_")):
            owner = ast.unparse(node.value).rpartition(".")[2]
            if owner in ("ctx", "_ctx"):
                yield f"line {node.lineno}: {ast.unparse(node)}"
