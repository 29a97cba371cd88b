"""A model's arguments: converted by the schema, checked by name, typed by the annotation."""

import datetime
import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llms.kernel.errors import RequestError
from llms.tools.arguments import arguments, converted
from llms.tools.schema import tool_definition


def _one(value: Any, **schema: Any) -> Any:
    """What `value` becomes for a parameter with this schema; `absent` where it is dropped."""
    return converted({"a": value}, {"properties": {"a": schema}}).get("a", "absent")


def _call(function: Callable[..., Any], args: Any, user: str | None = None) -> Any:
    parameters = tool_definition(function)["function"]["parameters"]
    given = arguments(args, parameters, function, user=user)
    return function(*given.positional, **given.named)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("integer", "3", 3),
        ("integer", " -3 ", -3),
        ("integer", "3.0", 3),
        ("integer", "12345678901234567890123", 12345678901234567890123),
        ("number", "3.5", 3.5),
        ("number", "3", 3),
        ("number", "1e3", 1000.0),
        ("boolean", "true", True),
        ("boolean", "TRUE", True),
        ("boolean", "1", True),
        ("boolean", "yes", True),
        ("boolean", "false", False),
        ("boolean", "0", False),
        ("boolean", "No", False),
        ("object", '{"x": 1}', {"x": 1}),
        ("array", "[1, 2]", [1, 2]),
        ("array", "a, b,,c", ["a", "b", "c"]),
        ("array", "one", ["one"]),
        ("string", "3", "3"),
        ("string", "true", "true"),
    ],
)
def test_text_becomes_what_the_schema_says(type_: str, text: str, value: Any) -> None:
    result = _one(text, type=type_)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        *(("integer", "three"), ("integer", "3.5"), ("integer", "inf"), ("number", "x"), ("number", "nan")),
        *(("number", "1e999"), ("integer", "9" * 5000), ("boolean", "maybe"), ("boolean", "2")),
        *(("object", "x"), ("object", "[1]"), ("object", "{'a': 1}"), ("array", "[1,"[:1] + "x]"), ("nonsense", "x")),
        *(("object", '{"a":' * 2000), ("array", "[" * 100_000 + "]" * 100_000), ("object", "\ud800")),
    ],
)
def test_text_that_cannot_be_read_stays(type_: str, text: str) -> None:
    assert _one(text, type=type_) == text


@pytest.mark.parametrize("value", [3, 2.5, True, None, [1], {"x": 1}])
@pytest.mark.parametrize("type_", ["integer", "string", "boolean", "array", "object"])
def test_what_is_no_text_stays(type_: str, value: Any) -> None:
    assert _one(value, type=type_) == value


@pytest.mark.parametrize("type_", ["integer", "number"])
def test_an_empty_text_is_no_number(type_: str) -> None:
    assert _one("", type=type_) is None


@pytest.mark.parametrize("type_", ["boolean", "object", "array", "string"])
def test_an_empty_text_elsewhere_is_left_out(type_: str) -> None:
    assert _one("", type=type_) == "absent"


def test_a_required_text_may_be_empty() -> None:
    def write(path: str, content: str) -> str:
        return f"{path}:{content}"

    assert _call(write, {"path": "a", "content": ""}) == "a:"


def test_an_empty_text_nothing_is_known_of_stays() -> None:
    assert converted({"a": ""}, {}) == {"a": ""}


def test_items_and_properties_are_converted() -> None:
    integers = {"type": "array", "items": {"type": "integer"}}
    assert _one("1, 2", **integers) == [1, 2]
    assert _one('["1", 2]', **integers) == [1, 2]
    assert _one(["1", "x"], **integers) == [1, "x"]
    assert _one({"n": "1"}, type="object", properties={"n": {"type": "integer"}}) == {"n": 1}
    assert _one('{"n": ["1"]}', type="object", properties={"n": integers}) == {"n": [1]}
    assert _one(["1", "1"], type="array", prefixItems=[{"type": "integer"}, {"type": "string"}]) == ["1", "1"]
    assert _one("1,1", type="array", prefixItems=[{"type": "integer"}, {"type": "string"}], items={}) == [1, "1"]


def test_one_of_several_types_is_enough() -> None:
    assert _one("3", anyOf=[{"type": "integer"}, {"type": "null"}]) == 3
    assert _one("3", type=["integer", "null"]) == 3
    assert _one("yes", anyOf=[{"type": "integer"}, {"type": "boolean"}]) is True
    assert _one("[1]", oneOf=[{"type": "object"}, {"type": "array"}]) == [1]


def test_where_text_will_do_it_stays_text() -> None:
    assert _one("3", anyOf=[{"type": "integer"}, {"type": "string"}]) == "3"


@pytest.mark.parametrize("schema", [None, 5, [], {"properties": 5}, {"properties": {"a": 5}}, {"required": 5}])
def test_a_schema_that_is_none_converts_nothing(schema: Any) -> None:
    assert converted({"a": "1"}, schema if isinstance(schema, dict) else {"properties": {"a": schema}}) == {"a": "1"}


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["", "1", "[1]", "{}", "a,b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.just("a"), inner, max_size=3),
    max_leaves=8,
)
_types = st.sampled_from(["integer", "number", "boolean", "string", "object", "array", "null", "x"])
_schemas = st.recursive(
    st.fixed_dictionaries({"type": _types | st.lists(_types, max_size=2)}) | _json,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": _types,
            "items": inner,
            "properties": st.dictionaries(st.just("a"), inner),
            "anyOf": st.lists(inner, max_size=2),
            "prefixItems": st.lists(inner, max_size=2),
            "required": _json,
        },
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.just("a") | st.text(max_size=2), _json), _schemas)
def test_conversion_never_raises(given_: dict[str, Any], schema: Any) -> None:
    result = converted(given_, {"properties": {"a": schema}, "required": schema})
    assert result.keys() <= given_.keys()


@given(st.text())
def test_conversion_gives_the_type_or_the_text(text: str) -> None:
    for type_, kind in (("integer", int | None), ("number", int | float | None), ("boolean", bool), ("array", list)):
        result = _one(text, type=type_)
        assert isinstance(result, kind) or result in (text, "absent")


# -- names -----------------------------------------------------------------------------------------------------


def add(a: int, b: int = 2) -> int:
    return a + b


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(RequestError, match=r"^Missing required arguments: a$"):
        _call(add, {})


def test_all_missing_arguments_are_named() -> None:
    with pytest.raises(RequestError, match=r"^Missing required arguments: a, b$"):
        _call(lambda a, b, c=1: None, {"c": 2})


def test_an_argument_the_definition_forgot_to_require_is_still_missing() -> None:
    with pytest.raises(RequestError, match="Missing required arguments: a"):
        arguments({}, {"type": "object", "properties": {}}, add, user=None)


def test_an_unknown_argument_is_named_with_those_that_are_known() -> None:
    with pytest.raises(RequestError, match=r"Unknown arguments: c\. Known are: a, b\."):
        _call(add, {"a": 1, "c": 2})


def test_a_function_with_keywords_takes_what_its_definition_says() -> None:
    def proxy(**given: Any) -> dict[str, Any]:
        return given

    parameters = {"properties": {"n": {"type": "integer"}, "user": {"type": "string"}}}
    given = arguments({"n": "1", "user": "ann", "more": 2}, parameters, proxy, user="bob")
    assert given.named == {"n": 1, "user": "ann", "more": 2}


def test_positional_only_parameters_are_filled() -> None:
    def tool(a: int, /, b: int) -> list[int]:
        return [a, b]

    assert _call(tool, {"b": "2", "a": "1"}) == [1, 2]


def test_no_arguments_may_be_none() -> None:
    assert _call(lambda: "done", None) == "done"


@pytest.mark.parametrize("args", [[], "a", 5, True, [("a", 1)]])
def test_arguments_must_be_an_object(args: Any) -> None:
    with pytest.raises(RequestError, match="Arguments must be an object"):
        _call(add, args)


def test_the_signed_in_user_wins_over_the_callers() -> None:
    def tool(path: str, user: str | None = None) -> list[str | None]:
        return [path, user]

    assert _call(tool, {"path": "a", "user": "admin"}, user="ann") == ["a", "ann"]
    assert _call(tool, {"path": "a", "user": "admin"}) == ["a", None]


def test_a_definition_that_still_requires_the_user_misses_nothing() -> None:
    def tool(path: str, user: str) -> None: ...

    given = arguments({"path": "a"}, {"required": ["path", "user"]}, tool, user="ann")
    assert given.named == {"path": "a", "user": "ann"}


@pytest.mark.parametrize("read", [lambda path, root: f"{root}/{path}", lambda **given: f"{given['root']}"])
def test_what_a_partial_has_filled_cannot_be_changed(read: Callable[..., Any]) -> None:
    with pytest.raises(RequestError, match="Unknown arguments: root"):
        _call(partial(read, root="/safe"), {"path": "a", "root": "/"})


# -- types -----------------------------------------------------------------------------------------------------


class Color(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: int = 0


class Corner(msgspec.Struct):
    at: Point


class Model(pydantic.BaseModel):
    n: int


@pytest.mark.parametrize(
    ("annotation", "args", "value"),
    [
        (Color, "red", Color.RED),
        (Color | None, "red", Color.RED),
        (Literal["a", "b"], "a", "a"),
        (Point, {"x": "1"}, Point(1)),
        (Point, '{"x": 1, "y": 2}', Point(1, 2)),
        (list[Point], [{"x": 1}], [Point(1)]),
        (dict[str, Point], {"p": {"x": 1}}, {"p": Point(1)}),
        (Corner, {"at": {"x": 1}}, Corner(Point(1))),
        (Model, {"n": 1}, Model(n=1)),
        (list[Model], [{"n": 1}], [Model(n=1)]),
        (Point | None, None, None),
        (Point, None, None),
        (set[int], "1,2,1", {1, 2}),
        (tuple[int, str], ["1", "2"], (1, "2")),
        (float, 3, 3.0),
        (datetime.date, "2025-01-02", datetime.date(2025, 1, 2)),
        (Path, "/a/b", Path("/a/b")),
        (bytes, "aGk=", b"hi"),
    ],
)
def test_a_parameter_gets_what_it_is_annotated_with(annotation: Any, args: Any, value: Any) -> None:
    def tool(a: Any) -> Any:
        return a

    tool.__annotations__["a"] = annotation
    result = _call(tool, {"a": args})
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(Color, "green"), (int, "many"), (datetime.date, "today"), (list[int], "a,b"), (int | str, [1]), (Callable, 3)],
)
def test_what_does_not_fit_is_left_to_the_function(annotation: Any, value: Any) -> None:
    def tool(a: Any) -> Any:
        return a

    tool.__annotations__["a"] = annotation
    assert _call(tool, {"a": value}) in (value, ["a", "b"])


@pytest.mark.parametrize(
    ("annotation", "value", "says"),
    [
        (Point, {"y": 1}, "x"),
        (list[Point], [{"x": 1}, {"x": "no"}], "int"),
        (Corner, "nonsense", "object"),
        (Model, {"n": "many"}, "valid integer"),
    ],
)
def test_a_class_gets_an_instance_or_the_model_is_told_why_not(annotation: Any, value: Any, says: str) -> None:
    def tool(a: Any) -> None:
        raise AssertionError("called")

    tool.__annotations__["a"] = annotation
    with pytest.raises(RequestError, match=rf"(?s)Argument 'a' does not fit: .*{says}"):
        _call(tool, {"a": value})


def test_a_class_whose_making_fails_is_told_too() -> None:
    @dataclass
    class Picky:
        n: int

        def __post_init__(self) -> None:
            raise KeyError("never")

    def tool(a: Picky) -> None: ...

    tool.__annotations__["a"] = Picky
    with pytest.raises(RequestError, match="'a' does not fit: KeyError"):
        _call(tool, {"a": {"n": 1}})
