"""What each annotation becomes in a schema."""

import collections.abc
import datetime
import enum
import typing
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, NotRequired, Optional, Required, TypedDict, TypeVar, Union

import msgspec
import pydantic
import pytest
import typing_extensions

from llms.tools.annotations import schema_of

STRING, INTEGER, NUMBER, BOOLEAN = ({"type": name} for name in ("string", "integer", "number", "boolean"))


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Shape(enum.Enum):
    ROUND = (0, 1)
    FLAT = (1, 1)


class Empty(enum.Enum): ...


class Text(str): ...


UserId = NewType("UserId", int)
Free, Bound = TypeVar("Free"), TypeVar("Bound", bound=int)


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (Any, STRING),
        (str, STRING),
        (int, INTEGER),
        (float, NUMBER),
        (bool, BOOLEAN),
        (Text, STRING),
        (object, STRING),
        (Path, STRING),
        (type[int], STRING),
        (typing.Callable[[int], str], STRING),
        (datetime.datetime, {"type": "string", "format": "date-time"}),
        (datetime.date, {"type": "string", "format": "date"}),
        (uuid.UUID, {"type": "string", "format": "uuid"}),
        (UserId, INTEGER),
        (Bound, INTEGER),
        (Free, STRING),
        (5, STRING),
    ],
)
def test_simple_types(annotation: Any, schema: dict[str, Any]) -> None:
    assert schema_of(annotation) == schema


@pytest.mark.parametrize("annotation", [dict, typing.Dict, dict[str, Any], collections.abc.Mapping[str, Any]])  # noqa: UP006
def test_mappings_of_anything(annotation: Any) -> None:
    assert schema_of(annotation) == {"type": "object"}


def test_mappings_say_what_they_hold() -> None:
    assert schema_of(dict[str, list[int]]) == {
        "type": "object",
        "additionalProperties": {"type": "array", "items": INTEGER},
    }


@pytest.mark.parametrize("annotation", [list, typing.List, tuple, list[Any], collections.abc.Sequence])  # noqa: UP006
def test_lists_of_anything(annotation: Any) -> None:
    assert schema_of(annotation) == {"type": "array", "items": {}}


@pytest.mark.parametrize(
    "annotation",
    [
        *(list[int], typing.List[int], tuple[int, ...]),  # noqa: UP006
        *(collections.abc.Sequence[int], collections.abc.Iterable[int], typing.Sequence[int]),
    ],
)
def test_lists_say_what_they_hold(annotation: Any) -> None:
    assert schema_of(annotation) == {"type": "array", "items": INTEGER}


@pytest.mark.parametrize("annotation", [set[int], frozenset[int], collections.abc.Set[int]])
def test_sets_hold_nothing_twice(annotation: Any) -> None:
    assert schema_of(annotation) == {"type": "array", "items": INTEGER, "uniqueItems": True}


def test_a_tuple_of_two_is_an_array_of_two() -> None:
    assert schema_of(tuple[int, int]) == {"type": "array", "items": INTEGER, "minItems": 2, "maxItems": 2}


def test_a_tuple_of_different_kinds_tells_each_place() -> None:
    assert schema_of(tuple[int, str]) == {
        "type": "array",
        "prefixItems": [INTEGER, STRING],
        "items": {"anyOf": [INTEGER, STRING]},
        "minItems": 2,
        "maxItems": 2,
    }


def test_generics_nest() -> None:
    assert schema_of(dict[str, list[tuple[float, ...] | None]])["additionalProperties"] == {
        "type": "array",
        "items": {"type": "array", "items": NUMBER},
    }


@pytest.mark.parametrize("annotation", [Optional[int], Union[int, None], int | None, None | int])  # noqa: UP007, UP045
def test_none_beside_a_type_is_not_told(annotation: Any) -> None:
    assert schema_of(annotation) == INTEGER


def test_a_union_tells_each_type_once() -> None:
    assert schema_of(int | str | bytes | None)["anyOf"][:2] == [INTEGER, STRING]
    assert schema_of(str | Text) == STRING


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal[1, 2], {"type": "integer", "enum": [1, 2]}),
        (Literal[True], {"type": "boolean", "enum": [True]}),
        (Literal["a", 1], {"type": "string", "enum": ["a", 1]}),
        (Literal["a", None], {"type": "string", "enum": ["a"]}),
        (Literal[Color.RED], {"type": "string", "enum": ["red"]}),
        (Literal["a"] | None, {"type": "string", "enum": ["a"]}),
        (Literal["a"] | Literal["b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a"] | int, {"anyOf": [{"type": "string", "enum": ["a"]}, INTEGER]}),
        (Color, {"type": "string", "enum": ["red", "blue"]}),
        (Color | None, {"type": "string", "enum": ["red", "blue"]}),
        (Level, {"type": "integer", "enum": [1, 2]}),
        (Shape, {"type": "string", "enum": ["ROUND", "FLAT"]}),
        (Empty, STRING),
    ],
)
def test_choices(annotation: Any, schema: dict[str, Any]) -> None:
    assert schema_of(annotation) == schema


@pytest.mark.parametrize(
    "note",
    [
        "how many",
        typing_extensions.Doc("how many"),
        msgspec.Meta(description="how many"),
        pydantic.Field(description="how many"),
    ],
)
def test_a_note_is_the_description(note: Any) -> None:
    assert schema_of(Annotated[int, note]) == {**INTEGER, "description": "how many"}


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (Annotated[int, msgspec.Meta(ge=1, lt=9)], {**INTEGER, "minimum": 1, "exclusiveMaximum": 9}),
        (Annotated[int, pydantic.Field(ge=1)], {**INTEGER, "minimum": 1}),
        (Annotated[str, msgspec.Meta(max_length=3, pattern="a")], {**STRING, "maxLength": 3, "pattern": "a"}),
        (Annotated[list, msgspec.Meta(min_length=2)], {"type": "array", "items": {}, "minItems": 2}),
        (Annotated[int, object(), 5, None], INTEGER),
        (Annotated[int | None, "n"], {**INTEGER, "description": "n"}),
        (list[Annotated[int, "n"]], {"type": "array", "items": {**INTEGER, "description": "n"}}),
    ],
)
def test_limits_are_told(annotation: Any, schema: dict[str, Any]) -> None:
    assert schema_of(annotation) == schema


@dataclass
class Point:
    """A point.

    Attributes:
        x: Across.
    """

    x: int
    y: "float" = 0.5
    tags: list[str] = field(default_factory=list)
    norm: float = field(default=0.0, init=False)


class Corner(msgspec.Struct, rename="camel"):
    top_left: Point
    color: Color = Color.RED


class Movie(TypedDict, total=False):
    title: Required[str]
    year: "NotRequired[int]"
    rating: Annotated[float, "stars"]


class Strict(typing_extensions.TypedDict):
    a: int
    b: typing_extensions.NotRequired[int]


class Model(pydantic.BaseModel):
    """Of pydantic."""

    corner: "Inner"
    names: list[str] = []


class Inner(pydantic.BaseModel):
    x: int = pydantic.Field(description="Across.")


POINT = {
    "type": "object",
    "properties": {
        "x": {**INTEGER, "description": "Across."},
        "y": {**NUMBER, "default": 0.5},
        "tags": {"type": "array", "items": STRING},
    },
    "required": ["x"],
}


def test_a_dataclass_is_an_object() -> None:
    assert schema_of(Point) == POINT


def test_a_struct_is_an_object_with_its_names_on_the_wire() -> None:
    assert schema_of(Corner) == {
        "type": "object",
        "properties": {"topLeft": POINT, "color": {"type": "string", "enum": ["red", "blue"], "default": "red"}},
        "required": ["topLeft"],
    }


def test_a_typed_dict_tells_what_is_required() -> None:
    assert schema_of(Movie) == {
        "type": "object",
        "properties": {"title": STRING, "year": INTEGER, "rating": {**NUMBER, "description": "stars"}},
        "required": ["title"],
    }
    assert schema_of(Strict)["required"] == ["a"]


def test_a_pydantic_model_says_itself_what_it_is() -> None:
    schema = schema_of(Model)
    assert schema["required"] == ["corner"]
    assert schema["properties"]["corner"]["properties"]["x"]["description"] == "Across."
    assert not schema.keys() & {"$defs", "title", "description"}


@pytest.mark.parametrize("says", [lambda: 1 / 0, lambda: None, lambda needed: needed])
def test_a_model_that_cannot_say_what_it_is_is_some_object(says: Any) -> None:
    broken: Any = type("Broken", (), {"model_json_schema": staticmethod(says)})

    assert schema_of(broken) == {"type": "object"}
    assert schema_of(list[broken]) == {"type": "array", "items": {"type": "object"}}


@dataclass
class Node:
    name: str
    children: "list[Node]" = field(default_factory=list)
    parent: "Node | None" = None


def test_a_class_that_contains_itself_is_told_once() -> None:
    properties = schema_of(Node)["properties"]
    assert properties["children"] == {"type": "array", "items": {"type": "object"}}
    assert properties["parent"] == {"type": "object"}


def test_a_class_of_a_function_that_contains_itself_is_told_once() -> None:
    @dataclass
    class Local:
        inner: "Local | None" = None

    assert schema_of(Local)["properties"] == {"inner": {"type": "object"}}


def test_a_field_of_a_type_nobody_can_find_is_a_string() -> None:
    @dataclass
    class Lost:
        a: "Nowhere"  # type: ignore[name-defined]  # noqa: F821
        b: "list[Nowhere]"  # type: ignore[name-defined]  # noqa: F821
        c: int

    assert schema_of(Lost)["properties"] == {"a": STRING, "b": {"type": "array", "items": {}}, "c": INTEGER}


def test_fields_of_a_base_come_first() -> None:
    @dataclass
    class Point3(Point):
        z: int = 0

    assert list(schema_of(Point3)["properties"]) == ["x", "y", "tags", "z"]
