"""What JSON an annotation allows, as JSON Schema."""

import datetime
import json
import uuid
from collections import abc, deque
from collections.abc import Iterable
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from llms.kernel import foreign
from llms.kernel.errors import LlmsError
from llms.kernel.types import Json
from llms.tools.docstring import described
from llms.tools.fields import NO_DEFAULT, Field, fields_of
from llms.tools.references import inline

Within = tuple[Any, ...]  # what this annotation is part of: a class that contains itself is told once
_ANYTHING = (Any, object, NO_DEFAULT)
_WRAPPERS = frozenset({"Required", "NotRequired", "ReadOnly", "Final", "ClassVar"})
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)
_SETS = (set, frozenset, abc.Set, abc.MutableSet)
_LISTS = (list, tuple, deque, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable, abc.Iterator)
_SIMPLE = MappingProxyType(
    {
        bool: {"type": "boolean"},
        int: {"type": "integer"},
        float: {"type": "number"},
        str: {"type": "string"},
        NoneType: {"type": "null"},
        datetime.datetime: {"type": "string", "format": "date-time"},
        datetime.date: {"type": "string", "format": "date"},
        datetime.time: {"type": "string", "format": "time"},
        datetime.timedelta: {"type": "string", "format": "duration"},
        bytes: {"type": "string", "contentEncoding": "base64"},
        uuid.UUID: {"type": "string", "format": "uuid"},
    }
)
_LIMITS = MappingProxyType(
    {
        "ge": "minimum",
        "gt": "exclusiveMinimum",
        "le": "maximum",
        "lt": "exclusiveMaximum",
        "multiple_of": "multipleOf",
        "pattern": "pattern",
    }
)
_SIZES = MappingProxyType(
    {
        "min_length": {"string": "minLength", "array": "minItems"},
        "max_length": {"string": "maxLength", "array": "maxItems"},
    }
)


def object_schema(fields: Iterable[Field], doc: str | None, within: Within = ()) -> Json:
    """The schema of an object with these fields. What `doc`, a docstring, says of one becomes its description."""
    fields, texts = list(fields), described(doc)
    properties: Json = {}
    for name, annotation, default, _ in fields:
        text = {"description": texts[name]} if name in texts else {}
        properties[name] = text | schema_of(annotation, within) | _default(default)
    return {
        "type": "object",
        "properties": properties,
        "required": [field.name for field in fields if field.is_required],
    }


def schema_of(annotation: Any, within: Within = ()) -> Json:
    """The schema of what `annotation` allows; a string where it names nothing JSON has a word for."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(schema_of(args[0], within), annotation.__metadata__)
    if origin in (Union, UnionType):
        return _union([arg for arg in args if arg is not NoneType], within)
    if origin is Literal:
        return _choice(args)
    if isinstance(kind := origin or annotation, type):
        return _class(kind, args, within)
    meant = args[0] if getattr(origin, "_name", None) in _WRAPPERS else _meant(kind)
    return {"type": "string"} if meant is None or annotation in within else schema_of(meant, (*within, annotation))


def _meant(name: Any) -> Any:
    """What a TypeVar, a NewType or a `type` alias stands for, or None."""
    found = (getattr(name, attribute, None) for attribute in ("__value__", "__supertype__", "__bound__"))
    return next((meant for meant in found if meant is not None), None)


def _class(kind: type, args: tuple[Any, ...], within: Within) -> Json:
    if issubclass(kind, Enum):
        return _choice([member.value for member in kind], [member.name for member in kind])
    if simple := next((_SIMPLE[base] for base in kind.__mro__ if base in _SIMPLE), None):
        return dict(simple)
    return _record(kind, within) or _container(kind, args, within) or {"type": "string"}


def _record(kind: Any, within: Within) -> Json | None:
    """The schema of a class with fields."""
    if kind in within:
        return {"type": "object"}
    if (fields := fields_of(kind)) is not None:
        return object_schema(fields, kind.__doc__, (*within, kind))
    if not callable(getattr(kind, "model_json_schema", None)):
        return None
    try:
        with foreign.border(foreign.RUNNING.get()):
            schema = inline(kind.model_json_schema())
    except LlmsError:
        return {"type": "object"}
    about_itself = ("title", "description")  # it is its use here that a parameter tells of
    return {key: value for key, value in schema.items() if key not in about_itself}


def _container(kind: type, args: tuple[Any, ...], within: Within) -> Json | None:
    """The schema of a mapping, a tuple, a set or a list."""
    if kind in _MAPPINGS or issubclass(kind, dict):
        values = _inner(args[1], within) if len(args) == 2 else {}
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    if issubclass(kind, tuple) and args and args[-1] is not ...:
        return _tuple([_inner(arg, within) for arg in args])
    items = _inner(args[0], within) if args else {}
    if kind in _SETS or issubclass(kind, (set, frozenset)):
        return {"type": "array", "items": items, "uniqueItems": True}
    is_list = kind in _LISTS or issubclass(kind, (list, tuple, deque))
    return {"type": "array", "items": items} if is_list else None


def _tuple(places: list[Json]) -> Json:
    each = _any_of(places)
    differing = {} if each in places else {"prefixItems": places}
    return {"type": "array", **differing, "items": each, "minItems": len(places), "maxItems": len(places)}


def _inner(annotation: Any, within: Within) -> Json:
    """As `schema_of`, for what a container holds: anything, where it does not say."""
    return {} if annotation in _ANYTHING else schema_of(annotation, within)


def _union(kinds: list[Any], within: Within) -> Json:
    """`X | None` is told as X: to say None, a model leaves the argument out."""
    if kinds and all(get_origin(kind) is Literal for kind in kinds):
        return _choice([value for kind in kinds for value in get_args(kind)])
    return _any_of([schema_of(kind, within) for kind in kinds])


def _any_of(schemas: list[Json]) -> Json:
    different = [schema for at, schema in enumerate(schemas) if schema not in schemas[:at]]
    return different[0] if len(different) == 1 else {"anyOf": different}


def _choice(values: Iterable[Any], names: Iterable[str] = ()) -> Json:
    """One of `values`, or of `names` where the values are nothing JSON can say."""
    plain = [value.value if isinstance(value, Enum) else value for value in values]
    known = [value for value in plain if value is not None]
    if not all(isinstance(value, str | int | float) for value in known):
        known = list(names) or [str(value) for value in known]
    return {**schema_of(type(known[0])), "enum": known} if known else {"type": "string"}


def _annotated(schema: Json, notes: Iterable[Any]) -> Json:
    """`schema` with what the notes of an `Annotated` add: a description, limits."""
    for note in notes:
        said = (note, getattr(note, "description", None), getattr(note, "documentation", None))
        if text := next((text for text in said if isinstance(text, str)), None):
            schema["description"] = text
        for name, keyword in _LIMITS.items():
            if isinstance(limit := getattr(note, name, None), str | int | float):
                schema[keyword] = limit
        for name, keywords in _SIZES.items():
            if isinstance(size := getattr(note, name, None), int) and schema.get("type") in keywords:
                schema[keywords[schema["type"]]] = size
        if isinstance(more := getattr(note, "metadata", None), list):  # pydantic keeps the limits there
            _annotated(schema, more)
    return schema


def _default(value: Any) -> Json:
    """`value` as the schema's default, if JSON can say it; None is what leaving the argument out means anyway."""
    if value is NO_DEFAULT or value is None:
        return {}
    try:
        plain = msgspec.to_builtins(value)
        json.dumps(plain, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return {}
    return {"default": plain}
