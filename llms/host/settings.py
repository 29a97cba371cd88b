"""The settings of one extension: what its manifest's schema allows, with the values that llms.json gives."""

from collections.abc import Callable, Iterator, Mapping
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
        given = self._given()
        wrong = {error.path[0] for error in self._validator().iter_errors(given) if error.path} if self.schema else ()
        sound = {key: self._filled(value) for key, value in given.items() if key not in wrong}
        return {**self._defaults(), **sound}

    def shown(self) -> Json:
        """As `values_now`, for anybody to see: of a secret it tells only that there is one."""
        return {key: MASK if value and self._is_secret(key) else value for key, value in self.values_now().items()}

    # -- writing -----------------------------------------------------------------------------------------------

    def change(self, values: Json) -> Callable[[Json], None]:
        """The edit of llms.json that makes `values` hold; those not named stay, and so does a secret given masked.

        None takes a setting out. Raises RequestError where the schema does not allow it.
        """
        merged = {**self._given(), **self._unmasked(values)}
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
        for error in self._validator().iter_errors({key: self._filled(value) for key, value in values.items()}):
            place = ".".join(str(step) for step in error.path)
            message = f"{error.validator} does not hold" if place and self._is_secret(place) else error.message
            raise RequestError(f"Setting '{place or self.name}': {message}. Correct it.", param=place or None)

    # -- details -----------------------------------------------------------------------------------------------

    def _given(self) -> Json:
        found: Json = dict((self._config.data.get(KEY) or {}).get(self.name) or {})
        return found

    def _defaults(self) -> Json:
        properties = self.schema.get("properties", {})
        return {key: facts["default"] for key, facts in properties.items() if "default" in facts}

    def _unmasked(self, values: Json) -> Json:
        return {key: value for key, value in values.items() if not (value == MASK and self._is_secret(key))}

    def _is_secret(self, key: str) -> bool:
        facts = self.schema.get("properties", {}).get(key) or {}
        return bool(facts.get("writeOnly")) or facts.get("format") == "password" or is_secret_name(key)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("$") and value[1:].isidentifier():
            return self._config.environ.get(value[1:], "")
        return value

    def _validator(self) -> "Draft202012Validator":
        from jsonschema import Draft202012Validator

        return Draft202012Validator(self.schema)
