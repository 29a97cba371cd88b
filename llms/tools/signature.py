"""What a function can be given: its parameters with their annotations, as far as these can be understood."""

import builtins
import inspect
import sys
from collections import ChainMap, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, get_type_hints

from llms.kernel import foreign
from llms.kernel.errors import LlmsError

USER = "user"  # a parameter of this name is given the signed-in user, and nobody else may fill it
Scope = dict[str, Any]
_REST = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters that callers may fill, by name; neither `user` nor what a partial has filled is among them."""

    parameters: Mapping[str, inspect.Parameter]
    filled: frozenset[str]  # what a partial has given by keyword
    takes_user: bool
    takes_any: bool  # also arguments of names that are not known: `**kwargs`, or a function that cannot be looked into

    def takes(self, name: str) -> bool:
        """Whether a caller may fill `name`."""
        return name in self.parameters or (self.takes_any and name not in self.filled)

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Signature":
        filled = _filled(function)
        try:
            known = foreign.call_now(_parameters, function, extension=foreign.RUNNING.get())
        except LlmsError:
            return cls({}, filled, takes_user=False, takes_any=True)
        open_ = {name: known[name] for name in known if name not in filled}
        named = {name: parameter for name, parameter in open_.items() if parameter.kind not in _REST}
        return cls(
            {name: parameter for name, parameter in named.items() if name != USER},
            filled,
            takes_user=USER in named,
            takes_any=any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in open_.values()),
        )


def field_annotations(kind: type) -> dict[str, Any]:
    """The annotation of every field of the class `kind`, those of its bases first."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        module = sys.modules.get(base.__module__)
        scopes: tuple[Scope, ...] = ({kind.__name__: kind}, vars(module) if module else {})
        found |= {name: _resolved(annotation, *scopes) for name, annotation in _own_annotations(base).items()}
    return found


def bare(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function inside partials."""
    while isinstance(function, partial):
        function = function.func
    return function


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    scopes = _scopes(function)
    return {
        name: parameter.replace(annotation=_resolved(parameter.annotation, *scopes))
        for name, parameter in inspect.signature(function).parameters.items()
    }


def _filled(function: Callable[..., Any]) -> frozenset[str]:
    names: set[str] = set()
    while isinstance(function, partial):
        names |= function.keywords.keys()
        function = function.func
    return frozenset(names)


def _scopes(function: Callable[..., Any]) -> tuple[Scope, ...]:
    """Where the names in the function's annotations may be found."""
    inner: Any = inspect.unwrap(bare(function))
    if not hasattr(inner, "__globals__"):
        inner = getattr(inner, "__init__" if isinstance(inner, type) else "__call__")
    try:
        nonlocals = dict(inspect.getclosurevars(inner).nonlocals)
    except (TypeError, ValueError):  # no Python function, or a closure over a name that has no value yet
        nonlocals = {}
    return nonlocals, getattr(inner, "__globals__", {})


def _own_annotations(kind: type) -> dict[str, Any]:
    try:
        return foreign.call_now(inspect.get_annotations, kind, extension=foreign.RUNNING.get()) or {}
    except LlmsError:
        return {}


def _resolved(annotation: Any, *scopes: Scope) -> Any:
    """`annotation` with its strings evaluated. A name that is nowhere, as one imported for type checkers only, is Any;
    so is an annotation that cannot be evaluated."""
    module = sys.modules.get(getattr(annotation, "__forward_module__", None) or "")
    unknown: dict[str, Any] = defaultdict(lambda: Any)
    names = ChainMap(*scopes, vars(module) if module else {}, vars(builtins), unknown)
    holder = SimpleNamespace(__annotations__={"it": annotation})
    try:
        hints = foreign.call_now(
            get_type_hints, holder, {}, names, include_extras=True, extension=foreign.RUNNING.get()
        )
    except LlmsError:
        return Any
    return hints["it"]
