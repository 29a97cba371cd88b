"""A model's arguments, made into what a function can be called with."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

import msgspec

from llms.kernel import foreign
from llms.kernel.errors import LlmsError, RequestError
from llms.kernel.types import Json
from llms.tools.signature import USER, Signature


class Arguments(NamedTuple):
    """What a function is called with."""

    positional: list[Any]
    named: Json


def arguments(given: Any, parameters: Json, function: Callable[..., Any], *, user: str | None) -> Arguments:
    """What to call `function` with, whose parameters the JSON schema `parameters` tells.

    Raises RequestError, in words a model can act on, where an argument is missing or not known.
    """
    signature = Signature.of(function)
    if not isinstance(given, dict | None):
        raise RequestError(f"Arguments must be an object with a key for each, not {type(given).__name__}.")
    named = {name: value for name, value in (given or {}).items() if not (signature.takes_user and name == USER)}
    named = converted(named, parameters)
    _check_names(named, parameters, signature)
    named = {name: _typed(name, value, signature) for name, value in named.items()}
    if signature.takes_user:
        named[USER] = user
    first = [name for name, it in signature.parameters.items() if it.kind is Parameter.POSITIONAL_ONLY]
    return Arguments([named.pop(name) for name in first if name in named], named)


def converted(given: Mapping[str, Any], schema: Json) -> Json:
    """`given` with each text made into the type that the object `schema` wants for it; others stay as they are.

    An empty text is None where a number is wanted. Elsewhere it means that the argument was left out, except for a
    text that is required.
    """
    properties, required = _dict(schema.get("properties")), schema.get("required")
    result: Json = {}
    for name, value in given.items():
        wanted = _dict(properties.get(name))
        is_needed = isinstance(required, list) and name in required
        if value != "" or not _means_nothing(wanted, is_needed=is_needed):
            result[name] = _converted(value, wanted)
    return result


def _check_names(named: Json, parameters: Json, signature: Signature) -> None:
    required = parameters.get("required")
    needed = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    needed += [name for name, it in signature.parameters.items() if it.default is Parameter.empty]
    given = {*named, USER} if signature.takes_user else named
    if missing := [name for name in dict.fromkeys(needed) if name not in given]:
        raise RequestError(f"Missing required arguments: {', '.join(missing)}")
    if unknown := [str(name) for name in named if not signature.takes(name)]:
        known = ", ".join(signature.parameters) or "none"
        raise RequestError(f"Unknown arguments: {', '.join(unknown)}. Known are: {known}.")


# -- by the schema ---------------------------------------------------------------------------------------------


def _means_nothing(schema: Json, *, is_needed: bool) -> bool:
    """Whether an empty text says that the argument was left out."""
    types = {type_ for option in _options(schema) for type_ in _types(option)}
    return bool(types) and not types & {"integer", "number"} and not (is_needed and "string" in types)


def _converted(value: Any, schema: Json) -> Any:
    if isinstance(value, str):
        return _from_text(value, schema)
    for option in _options(schema):
        if isinstance(value, dict) and "properties" in option:
            return converted(value, option)
        if isinstance(value, list) and "items" in option:
            return _items(value, option)
    return value


def _from_text(text: str, schema: Json) -> Any:
    """The first type that the schema allows and `text` can be read as. Where text itself will do, it stays text."""
    options = list(_options(schema))
    if not any("string" in _types(option) for option in options):
        for option in options:
            for type_ in _types(option):
                value = _READ[type_](text, option) if type_ in _READ else text
                if value is not text:
                    return value
    return text


def _number(text: str, schema: Json) -> Any:
    if text == "":
        return None
    try:
        number = float(text)
        exact = int(text) if text.strip().lstrip("+-").isdecimal() else number
    except ValueError:
        return text
    return exact if math.isfinite(number) else text


def _integer(text: str, schema: Json) -> Any:
    number = _number(text, schema)
    if isinstance(number, float):
        return int(number) if number.is_integer() else text
    return number


def _boolean(text: str, schema: Json) -> Any:
    return _BOOLEANS.get(text.strip().lower(), text)


def _object(text: str, schema: Json) -> Any:
    value = _json(text)
    return converted(value, schema) if isinstance(value, dict) else text


def _array(text: str, schema: Json) -> Any:
    bracketed = text.strip().startswith("[") and text.strip().endswith("]")
    value = _json(text) if bracketed else [item.strip() for item in text.split(",") if item.strip()]
    return _items(value, schema) if isinstance(value, list) else text


def _items(values: list[Any], schema: Json) -> list[Any]:
    places = schema.get("prefixItems")
    kinds = places if isinstance(places, list) and len(places) == len(values) else [schema.get("items")] * len(values)
    return [_converted(value, _dict(kind)) for value, kind in zip(values, kinds, strict=True)]


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def _options(schema: Json) -> Iterator[Json]:
    """The schema, then those it allows instead."""
    yield schema
    for key in ("anyOf", "oneOf"):
        if isinstance(several := schema.get(key), list):
            yield from (option for option in several if isinstance(option, dict))


def _types(schema: Json) -> list[str]:
    type_ = schema.get("type")
    return [name for name in (type_ if isinstance(type_, list) else [type_]) if isinstance(name, str)]


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


_BOOLEANS = MappingProxyType({"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False})
_READ = MappingProxyType(
    {"integer": _integer, "number": _number, "boolean": _boolean, "object": _object, "array": _array}
)


# -- by the annotation -----------------------------------------------------------------------------------------


def _typed(name: str, value: Any, signature: Signature) -> Any:
    """`value` as the parameter's annotation wants it: a set, an Enum's member, an instance of a class.

    What cannot be made into it stays as it is, for the function to judge; except that a class of the author's gets
    an instance or nothing.
    """
    parameter = signature.parameters.get(name)
    if parameter is None or parameter.annotation is Parameter.empty:
        return value
    try:
        return foreign.call_now(
            msgspec.convert, value, parameter.annotation, dec_hook=_made, str_keys=True, extension=foreign.RUNNING.get()
        )
    except LlmsError as error:
        if value is not None and _wants_instance(parameter.annotation):
            raise RequestError(f"Argument '{name}' does not fit: {error}") from error
        return value


def _made(kind: Any, value: Any) -> Any:
    """An instance of a class that msgspec does not know."""
    if callable(validate := getattr(kind, "model_validate", None)):
        return validate(value)
    return Path(value) if kind is Path else value


def _wants_instance(annotation: Any) -> bool:
    if isinstance(annotation, type) and not get_args(annotation):
        is_ours = dataclasses.is_dataclass(annotation) or issubclass(annotation, msgspec.Struct)
        return is_ours or hasattr(annotation, "model_validate")
    return any(_wants_instance(part) for part in get_args(annotation))
