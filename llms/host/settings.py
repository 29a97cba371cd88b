"""The settings of one extension: what its manifest's schema allows, with the values that llms.json gives."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from llms.host.extension import Extension
from llms.host.settings_schema import Place
from llms.kernel.config import Config
from llms.kernel.errors import RequestError
from llms.kernel.secrets import MASK
from llms.kernel.types import Json

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

KEY = "extension_settings"  # of llms.json: {extension: {setting: value}}

_TELLS_NAMES_ONLY = ("required", "dependentRequired", "additionalProperties")  # errors that quote no value
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LONGEST_INTEGER = 1000  # characters; Python itself refuses to read 4301


class Settings(Mapping[str, Any]):
    """A mapping from setting to value, always as llms.json says now; a default of the schema stands in.

    A text `$NAME` is read from the environment. A value that the schema forbids counts as not given.
    """

    def __init__(self, name: str, schema: Json, config: Config) -> None:
        self.name, self.schema = name, schema
        self._config = config

    @classmethod
    def of(cls, extension: Extension, config: Config) -> "Settings":
        return cls(extension.name, extension.manifest.settings if extension.manifest else {}, config)

    # -- reading -----------------------------------------------------------------------------------------------

    def __getitem__(self, key: str) -> Any:
        return self.values_now()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_now())

    def __len__(self) -> int:
        return len(self.values_now())

    def values_now(self) -> Json:
        """Every setting that has a value, variables filled in."""
        filled: Json = self._filled(self._given())
        return {**self._defaults(), **{key: value for key, value in filled.items() if key not in self._wrong(filled)}}

    def shown(self) -> Json:
        """Every setting, for anybody to see: variables as they are written, of a secret only that there is one."""
        given = self._given()
        wrong = self._wrong(self._filled(given))
        sound = {key: value for key, value in given.items() if key not in wrong}
        masked: Json = _masked({**self._defaults(), **sound}, self._top())
        return masked

    # -- writing -----------------------------------------------------------------------------------------------

    def change(self, values: Json) -> Callable[[Json], None]:
        """The edit of llms.json that makes `values` hold; those not named stay, and so does a secret given masked.

        None takes a setting out. Raises RequestError where the schema does not allow it.
        """
        given = self._given()
        merged = {**given, **_unmasked(values, {**self._defaults(), **given}, self._top())}
        merged = {key: value for key, value in merged.items() if value is not None}
        self.check(merged)

        def edit(raw: Json) -> None:
            raw.setdefault(KEY, {})[self.name] = merged

        return edit

    def check(self, values: Json) -> None:
        """Raises RequestError, naming the setting, where the schema does not allow `values`."""
        properties = self.schema.get("properties", {})
        for key in values:
            if key not in properties and not self.schema.get("additionalProperties", False):
                known = ", ".join(properties) or "none"
                raise RequestError(f"Extension '{self.name}' has no setting '{key}'. It has: {known}.", param=key)
        for error in self._validator().iter_errors(self._filled(values)):
            steps = list(error.absolute_path)
            place = ".".join(str(step) for step in steps)
            tells = error.validator not in _TELLS_NAMES_ONLY and _holds_secret(values, self._top(), steps)
            message = f"{error.validator} does not hold" if tells else error.message
            raise RequestError(f"Setting '{place or self.name}': {message}. Correct it.", param=place or None)

    # -- details -----------------------------------------------------------------------------------------------

    def _given(self) -> Json:
        found: Json = dict((self._config.data.get(KEY) or {}).get(self.name) or {})
        return found

    def _defaults(self) -> Json:
        properties = self.schema.get("properties", {})
        return {key: facts["default"] for key, facts in properties.items() if "default" in facts}

    def _wrong(self, filled: Json) -> set[Any]:
        """The settings whose values the schema forbids."""
        return (
            {error.path[0] for error in self._validator().iter_errors(filled) if error.path} if self.schema else set()
        )

    def _filled(self, values: Json) -> Json:
        filled: Json = _filled(values, self._top(), self._config.environ)
        return filled

    def _top(self) -> Place:
        return Place.top(self.schema)

    def _validator(self) -> "Draft202012Validator":
        from jsonschema import Draft202012Validator
        from referencing import Registry

        return Draft202012Validator(self.schema, registry=Registry())  # an empty one fetches nothing


# -- values beside their schema ----------------------------------------------------------------------------------


def _is_variable(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$") and value[1:].isidentifier()


def _filled(value: Any, place: Place, environ: Mapping[str, str]) -> Any:
    """`value` with every `$NAME` read from the environment, as the type that the schema wants."""
    if isinstance(value, dict):
        return {key: _filled(inner, place.at(key), environ) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, place.entry(index), environ) for index, inner in enumerate(value)]
    return _converted(environ.get(value[1:], ""), place.types()) if _is_variable(value) else value


def _converted(text: str, types: set[str]) -> Any:
    """`text` as a number or a boolean where the schema wants one, and no text, and it is one."""
    word = text.strip()
    if "string" in types:
        return text
    if types & {"integer", "number"} and len(word) <= _LONGEST_INTEGER and _INTEGER.fullmatch(word):
        return int(word)
    if "number" in types and _NUMBER.fullmatch(word):
        return float(word)
    if "boolean" in types and word.lower() in ("true", "false"):
        return word.lower() == "true"
    return text


def _masked(value: Any, place: Place) -> Any:
    if isinstance(value, dict):
        return {key: _masked(inner, place.at(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, place.entry(index)) for index, inner in enumerate(value)]
    empty = value is None or value == ""
    return MASK if place.is_secret and not empty and not _is_variable(value) else value


_NOTHING = object()  # stored where a mask came back to; None may be a value


def _unmasked(value: Any, stored: Any, place: Place) -> Any:
    """`value` with what is `stored` in every place where it holds the mask of a secret, or without that place."""
    if value == MASK and place.is_secret:
        return stored
    if isinstance(value, dict):
        known = stored if isinstance(stored, dict) else {}
        pairs = ((key, _unmasked(inner, known.get(key, _NOTHING), place.at(key))) for key, inner in value.items())
        return {key: inner for key, inner in pairs if inner is not _NOTHING}
    if isinstance(value, list):
        before = _entries_before(value, stored if isinstance(stored, list) else [], place)
        entries = (_unmasked(inner, before[index], place.entry(index)) for index, inner in enumerate(value))
        return [inner for inner in entries if inner is not _NOTHING]
    return value


def _entries_before(value: list[Any], stored: list[Any], place: Place) -> list[Any]:
    """For every entry the stored one that was shown like it, for entries move; else the one in its position."""
    shown = [_masked(old, place.entry(index)) for index, old in enumerate(stored)]
    left = list(range(len(stored)))
    found: dict[int, Any] = {}
    for index, inner in enumerate(value):
        if index in left and shown[index] == inner:
            left.remove(index)
            found[index] = stored[index]
    for index, inner in enumerate(value):
        same = next((old for old in left if shown[old] == inner), None)
        if index not in found and same is not None:
            left.remove(same)
            found[index] = stored[same]
    return [found.get(index, stored[index] if index in left else _NOTHING) for index in range(len(value))]


def _holds_secret(value: Any, place: Place, steps: list[str | int]) -> bool:
    """Whether what `steps` lead to holds a secret, or a variable: nobody shall be told what that is filled with."""
    for step in steps:
        value, place = value[step], place.at(step) if isinstance(step, str) else place.entry(step)
    return any(is_secret or _is_variable(leaf) for leaf, is_secret in _leaves(value, place))


def _leaves(value: Any, place: Place) -> Iterator[tuple[Any, bool]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, place.at(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, place.entry(index))
    else:
        yield value, place.is_secret
