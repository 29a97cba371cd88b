"""The fields of a class that JSON tells as an object: dataclass, TypedDict or msgspec.Struct."""

import dataclasses
from collections.abc import Iterator
from inspect import Parameter
from typing import Any, NamedTuple, get_origin

import msgspec

from llms.kernel import foreign
from llms.kernel.errors import LlmsError
from llms.tools.signature import field_annotations

NO_DEFAULT = Parameter.empty


class Field(NamedTuple):
    """A parameter, or a field of a class."""

    name: str
    annotation: Any
    default: Any = NO_DEFAULT
    is_required: bool = True


def fields_of(kind: type) -> list[Field] | None:
    """The fields of `kind` in their order; None where it is no such class."""
    try:
        with foreign.border(foreign.RUNNING.get()):
            if issubclass(kind, msgspec.Struct):
                return list(_of_struct(kind))
            if dataclasses.is_dataclass(kind):
                return list(_of_dataclass(kind))
            is_typed_dict = issubclass(kind, dict) and hasattr(kind, "__required_keys__")
            return list(_of_typed_dict(kind)) if is_typed_dict else None
    except LlmsError:
        return []


def _of_struct(kind: type[msgspec.Struct]) -> Iterator[Field]:
    annotations = field_annotations(kind)
    for field in msgspec.structs.fields(kind):
        default = NO_DEFAULT if field.default is msgspec.NODEFAULT else field.default
        yield Field(field.encode_name, annotations.get(field.name, field.type), default, field.required)


def _of_dataclass(kind: Any) -> Iterator[Field]:
    annotations = field_annotations(kind)
    for field in dataclasses.fields(kind):
        if field.init:
            default = NO_DEFAULT if field.default is dataclasses.MISSING else field.default
            is_required = default is NO_DEFAULT and field.default_factory is dataclasses.MISSING
            yield Field(field.name, annotations.get(field.name, field.type), default, is_required)


def _of_typed_dict(kind: Any) -> Iterator[Field]:
    for name, annotation in field_annotations(kind).items():
        said = getattr(get_origin(annotation), "_name", None)  # `__required_keys__` cannot see it in a string
        is_required = said == "Required" or (said != "NotRequired" and name in kind.__required_keys__)
        yield Field(name, annotation, is_required=is_required)
