"""The settings of one extension: what its manifest's schema allows, with the values that llms.json gives."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from llms.host.extension import Extension
from llms.kernel.config import Config
from llms.kernel.errors import RequestError
from llms.kernel.secrets import MASK, is_secret_name
from llms.kernel.types import Json

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

KEY = "extension_settings"  # of llms.json: {extension: {setting: value}}


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
        filled: Json = self._filled(self._given(), self.schema)
        return {**self._defaults(), **{key: value for key, value in filled.items() if key not in self._wrong(filled)}}

    def shown(self) -> Json:
        """Every setting, for anybody to see: variables as they are written, of a secret only that there is one."""
        given = self._given()
        wrong = self._wrong(self._filled(given, self.schema))
        sound = {key: value for key, value in given.items() if key not in wrong}
        masked: Json = _masked({**self._defaults(), **sound}, self.schema)
        return masked

    # -- writing -----------------------------------------------------------------------------------------------

    def change(self, values: Json) -> Callable[[Json], None]:
        """The edit of llms.json that makes `values` hold; those not named stay, and so does a secret given masked.

        None takes a setting out. Raises RequestError where the schema does not allow it.
        """
        merged = {**self._given(), **_unmasked(values, self._given(), self.schema)}
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
        filled = self._filled(values, self.schema)
        secrets = list(_secrets(filled, self.schema))
        for error in self._validator().iter_errors(filled):
            place = ".".join(str(step) for step in error.path)
            tells = any(secret in error.message for secret in secrets)
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

    def _filled(self, value: Any, schema: Json) -> Any:
        """`value` with every `$NAME` read from the environment, as the type that the schema wants."""
        if isinstance(value, dict):
            return {key: self._filled(inner, _below(schema, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner, _below(schema)) for inner in value]
        if not _is_variable(value):
            return value
        return _converted(self._config.environ.get(value[1:], ""), schema.get("type"))

    def _validator(self) -> "Draft202012Validator":
        from jsonschema import Draft202012Validator

        return Draft202012Validator(self.schema)


# -- values beside their schema ----------------------------------------------------------------------------------


def _below(schema: Json, key: str | None = None) -> Json:
    """The schema of the entry `key` of an object, or of a list's entries."""
    found = schema.get("items") if key is None else (schema.get("properties") or {}).get(key)
    found = schema.get("additionalProperties") if found is None and key is not None else found
    return found if isinstance(found, dict) else {}


def _is_secret(schema: Json, name: str) -> bool:
    named = is_secret_name(name) or is_secret_name(name.removesuffix("s"))
    return bool(schema.get("writeOnly")) or schema.get("format") == "password" or named


def _is_variable(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$") and value[1:].isidentifier()


def _converted(text: str, kind: Any) -> Any:
    """`text` as a number or a boolean where the schema wants one and it is one."""
    if kind in ("integer", "number", "boolean"):
        with suppress(ValueError):
            value = json.loads(text)
            return value if isinstance(value, int | float) else text
    return text


def _masked(value: Any, schema: Json, name: str = "") -> Any:
    if _is_secret(schema, name):
        return MASK if value and not _is_variable(value) else value
    if isinstance(value, dict):
        return {key: _masked(inner, _below(schema, key), key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, _below(schema)) for inner in value]
    return value


def _unmasked(value: Any, stored: Any, schema: Json, name: str = "") -> Any:
    """`value` with what is `stored` in every place where it holds the mask of a secret."""
    if value == MASK and _is_secret(schema, name):
        return stored
    if isinstance(value, dict):
        known = stored if isinstance(stored, dict) else {}
        return {key: _unmasked(inner, known.get(key), _below(schema, key), key) for key, inner in value.items()}
    if isinstance(value, list):
        entries = stored if isinstance(stored, list) else []
        padded = [*entries, *[None] * len(value)]
        return [_unmasked(inner, old, _below(schema)) for inner, old in zip(value, padded, strict=False)]
    return value


def _secrets(value: Any, schema: Json, name: str = "") -> Iterator[str]:
    """The texts in `value` that nobody shall be told."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets(inner, _below(schema, key), key if not _is_secret(schema, name) else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner, _below(schema), name if _is_secret(schema, name) else "")
    elif _is_secret(schema, name) and value:
        yield str(value)
