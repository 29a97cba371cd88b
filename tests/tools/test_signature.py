"""Looking into functions, with annotations that cannot be evaluated where they stand."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from llms.tools.signature import Signature

if TYPE_CHECKING:
    from somewhere import Nothing  # type: ignore[import-not-found]

Number = int


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    return {name: it.annotation for name, it in Signature.of(function).parameters.items()}


def test_annotations_in_strings_are_evaluated() -> None:
    def tool(a: int, b: list[Number], c: Number | None) -> None: ...

    assert _annotations(tool) == {"a": int, "b": list[int], "c": int | None}


def test_a_name_that_only_type_checkers_know_is_any() -> None:
    def tool(a: Nothing, b: list[Nothing] | None, c: int) -> None: ...

    assert _annotations(tool) == {"a": Any, "b": list[Any] | None, "c": int}


def test_one_that_cannot_be_evaluated_spoils_no_other() -> None:
    def tool(a: Nothing.inner, b: 1 / 0, c: "][", d: int) -> None: ...  # type: ignore[valid-type]  # noqa: F722

    assert _annotations(tool) == {"a": Any, "b": Any, "c": Any, "d": int}


def test_a_name_defined_later_is_found() -> None:
    def tool(a: _Later) -> None: ...

    assert _annotations(tool) == {"a": _Later}


def test_a_name_of_the_function_around_it_is_found_where_it_is_used() -> None:
    class Local: ...

    def tool(a: Local) -> None:
        assert isinstance(a, Local)

    assert _annotations(tool) == {"a": Local}


def test_names_are_looked_up_where_the_wrapped_function_stands() -> None:
    def inner(a: Number) -> None: ...

    outer = functools.wraps(inner)(eval("lambda *args: None", {}))
    assert _annotations(outer) == {"a": int}
    assert _annotations(functools.partial(inner)) == {"a": int}


def test_objects_and_classes_are_looked_into() -> None:
    class Callable_:  # noqa: N801
        def __init__(self, a: Number) -> None: ...

        def __call__(self, b: Number) -> None: ...

    assert _annotations(Callable_) == {"a": int}
    assert _annotations(Callable_(1)) == {"b": int}


def test_the_user_is_no_parameter_for_callers() -> None:
    def tool(path: str, user: str) -> None: ...

    signature = Signature.of(tool)
    assert list(signature.parameters) == ["path"]
    assert signature.takes_user


def test_a_user_that_a_partial_has_filled_is_nobodys_to_fill() -> None:
    def tool(path: str, user: str) -> None: ...

    signature = Signature.of(functools.partial(tool, user="ann"))
    assert list(signature.parameters) == ["path"]
    assert not signature.takes_user


@pytest.mark.parametrize("function", [lambda *user: user, lambda **user: user])
def test_rest_parameters_called_user_take_no_user(function: Callable[..., Any]) -> None:
    assert not Signature.of(function).takes_user


def test_a_function_with_keywords_takes_any_name() -> None:
    assert Signature.of(lambda **given: given).takes_any
    assert not Signature.of(lambda *given: given).takes_any
    assert Signature.of(max).takes_any


class _Later: ...
