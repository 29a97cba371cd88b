"""The public names of a class, read from its code: for the reference pages, and for tests that nothing is missing."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

_SECTION = re.compile(r"\s*# -- (.+?) -+\s*$")


@dataclass(frozen=True, slots=True)
class Name:
    """A public method, property or attribute. `section` is the comment that it stands under, `line` where it begins."""

    name: str
    signature: str  # "(path: str) -> None" of a method, ": str" of anything else
    text: str
    line: int
    how: str = ""  # it is called: "", "async " or "async with "
    section: str = ""


def names(kind: type) -> list[Name]:
    """The public names that `kind` itself defines, in the order of its code; what it inherits is its bases' own."""
    lines, first = inspect.getsourcelines(kind)
    found = sorted((*_declared(kind, first), *_defined(kind)), key=lambda name: name.line)
    return [replace(name, section=_section(lines[: name.line - first + 1])) for name in found]


def _section(lines: list[str]) -> str:
    """The last section comment in `lines`."""
    titles = [match[1] for line in lines if (match := _SECTION.match(line))]
    return titles[-1] if titles else ""


# -- methods and properties ----------------------------------------------------------------------------------------


def _defined(kind: type) -> Iterator[Name]:
    for name, member in vars(kind).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property) and member.fget is not None:
            yield _property(name, member.fget)
        elif isinstance(member, classmethod | staticmethod):
            yield _method(name, member.__func__)
        elif inspect.isfunction(member):
            yield _method(name, member)


def _property(name: str, getter: Any) -> Name:
    annotation = _bare(inspect.signature(getter).return_annotation)
    return Name(name, f": {annotation}", inspect.getdoc(getter) or "", getter.__code__.co_firstlineno)


def _method(name: str, function: Any) -> Name:
    inner = inspect.unwrap(function)
    signature = inspect.signature(inner)
    given = [_shown(parameter) for parameter in list(signature.parameters.values())[1:]]
    told = str(signature.replace(parameters=given, return_annotation=_bare(signature.return_annotation)))
    how = "async with " if inner is not function else "async " if inspect.iscoroutinefunction(function) else ""
    return Name(name, told, inspect.getdoc(function) or "", inner.__code__.co_firstlineno, how)


def _shown(parameter: inspect.Parameter) -> inspect.Parameter:
    """`parameter` without quotes around its type; a default that is a function is `...`."""
    if parameter.annotation is not parameter.empty:
        parameter = parameter.replace(annotation=_bare(parameter.annotation))
    return parameter.replace(default=_Bare("...")) if inspect.isfunction(parameter.default) else parameter


class _Bare(str):
    """A text that is shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _bare(annotation: Any) -> _Bare:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return _Bare(text.strip('"'))


# -- attributes ----------------------------------------------------------------------------------------------------


def _declared(kind: type, first: int) -> Iterator[Name]:
    """What the body of the class declares, as in `name: str`, each with the text below it."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef), "it is the source of a class"
    for node, after in pairwise([*tree.body, ast.Pass()]):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id[0] != "_":
            is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            text = inspect.cleandoc(ast.literal_eval(after.value)) if is_text and isinstance(after, ast.Expr) else ""
            yield Name(node.target.id, f": {ast.unparse(node.annotation)}", text, first + node.lineno - 1)
