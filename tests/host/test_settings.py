"""Settings are checked against their schema, kept in llms.json, and their secrets are never shown."""

import json
from pathlib import Path
from typing import Any

import pytest

from llms.host.settings import Settings
from llms.host.settings_schema import check_schema
from llms.kernel.config import Config
from llms.kernel.errors import ConfigError, RequestError
from llms.kernel.first_run import ensure_home
from llms.kernel.paths import Home
from llms.kernel.secrets import MASK

SCHEMA = {
    "type": "object",
    "properties": {
        "greeting": {"type": "string", "default": "Hi", "maxLength": 20},
        "times": {"type": "integer", "minimum": 1},
        "api_key": {"type": "string"},
        "pin": {"type": "string", "writeOnly": True, "minLength": 4},
    },
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    home = Home(tmp_path)
    ensure_home(home)
    return Config.load(home, environ={"XMAS_KEY": "from-the-environment"})


@pytest.fixture
def settings(config: Config) -> Settings:
    return Settings("xmas", SCHEMA, config)


def change(settings: Settings, config: Config, values: dict[str, Any]) -> None:
    config.update(settings.change(values))


def test_a_default_stands_in(settings: Settings) -> None:
    assert dict(settings) == {"greeting": "Hi"}


def test_values_are_kept_in_llms_json_beside_those_of_others(settings: Settings, config: Config) -> None:
    change(settings, config, {"greeting": "Ho", "times": 3})
    change(Settings("other", SCHEMA, config), config, {"times": 1})
    change(settings, config, {"times": 4})
    written = json.loads(config.file.read_text())["extension_settings"]
    assert written == {"xmas": {"greeting": "Ho", "times": 4}, "other": {"times": 1}}
    assert settings["times"] == 4


def test_none_takes_a_setting_out(settings: Settings, config: Config) -> None:
    change(settings, config, {"greeting": "Ho"})
    change(settings, config, {"greeting": None})
    assert settings["greeting"] == "Hi"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"times": "often"}, "Setting 'times': 'often' is not of type 'integer'"),
        ({"times": 0}, "minimum of 1"),
        ({"colour": "red"}, "has no setting 'colour'. It has: greeting, times, api_key, pin"),
    ],
)
def test_what_the_schema_forbids_is_refused(settings: Settings, values: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        settings.change(values)


def test_a_refused_secret_is_not_told(settings: Settings) -> None:
    with pytest.raises(RequestError) as raised:
        settings.change({"pin": "123"})
    assert "123" not in str(raised.value)


def test_secrets_are_never_shown(settings: Settings, config: Config) -> None:
    change(settings, config, {"api_key": "very-secret", "pin": "9876"})
    assert settings.shown() == {"greeting": "Hi", "api_key": MASK, "pin": MASK}
    assert settings["api_key"] == "very-secret"


def test_a_secret_sent_back_as_it_is_shown_stays(settings: Settings, config: Config) -> None:
    change(settings, config, {"api_key": "very-secret"})
    change(settings, config, settings.shown())
    assert settings["api_key"] == "very-secret"


def test_a_variable_is_read_from_the_environment(settings: Settings, config: Config) -> None:
    change(settings, config, {"api_key": "$XMAS_KEY"})
    assert settings["api_key"] == "from-the-environment"
    assert json.loads(config.file.read_text())["extension_settings"]["xmas"]["api_key"] == "$XMAS_KEY"


def test_a_value_edited_by_hand_that_is_wrong_counts_as_not_given(settings: Settings, config: Config) -> None:
    config.update(lambda raw: raw.update(extension_settings={"xmas": {"times": "often", "greeting": "Ho"}}))
    assert dict(settings) == {"greeting": "Ho"}


def test_without_a_schema_there_are_no_settings(config: Config) -> None:
    assert dict(Settings("xmas", {}, config)) == {}


DEEP = {
    "type": "object",
    "properties": {
        "server": {
            "type": "object",
            "properties": {"host": {"type": "string"}, "password": {"type": "string", "minLength": 8}},
        },
        "tokens": {"type": "array", "items": {"type": "string"}},
        "hidden": {"type": "array", "items": {"type": "string", "writeOnly": True}},
        "port": {"type": "integer"},
        "greeting": {"type": "string", "maxLength": 30},
    },
}


@pytest.fixture
def deep(config: Config) -> Settings:
    return Settings("deep", DEEP, config)


def test_a_secret_is_hidden_at_any_depth(deep: Settings, config: Config) -> None:
    values = {"server": {"host": "a", "password": "hunter2hunter2"}, "tokens": ["one-token"], "hidden": ["two"]}
    change(deep, config, values)
    assert deep.shown() == {"server": {"host": "a", "password": MASK}, "tokens": [MASK], "hidden": [MASK]}
    change(deep, config, deep.shown())
    assert dict(deep) == values


def test_a_refused_secret_is_told_at_no_depth(deep: Settings) -> None:
    with pytest.raises(RequestError) as raised:
        deep.change({"server": {"password": "short"}})
    assert "short" not in str(raised.value)


def test_a_variable_is_shown_as_it_is_written(deep: Settings, config: Config) -> None:
    """Else anybody who may change settings could read the environment."""
    change(deep, config, {"greeting": "$XMAS_KEY", "server": {"password": "$XMAS_KEY"}})
    assert deep.shown() == {"greeting": "$XMAS_KEY", "server": {"password": "$XMAS_KEY"}}
    assert deep["greeting"] == "from-the-environment"
    change(deep, config, deep.shown())
    assert deep["server"] == {"password": "from-the-environment"}


def test_a_variable_becomes_what_the_schema_wants(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ensure_home(home)
    config = Config.load(home, environ={"PORT": "8080", "WORD": "x"})
    settings = Settings("deep", DEEP, config)
    change(settings, config, {"port": "$PORT"})
    assert settings["port"] == 8080
    with pytest.raises(RequestError, match="port"):
        settings.change({"port": "$WORD"})


SPREAD = {
    "type": "object",
    "$defs": {"account": {"type": "object", "properties": {"pin": {"type": "string", "format": "password"}}}},
    "properties": {
        "account": {"$ref": "#/$defs/account"},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string", "writeOnly": True}]},
        "users": {"type": "object", "additionalProperties": {"$ref": "#/$defs/account"}},
        "vault": {"type": "object", "writeOnly": True, "properties": {"a": {"type": "string", "maxLength": 9}}},
        "tokens": {"type": "array", "items": {"type": "string"}},
        "hosts": {"type": "array", "items": {"type": "object"}},
        "on": {"type": ["boolean", "null"]},
        "ratio": {"type": "number"},
        "ports": {"type": "array", "items": {"type": "integer"}},
    },
}


@pytest.fixture
def spread(config: Config) -> Settings:
    check_schema(SPREAD)
    return Settings("spread", SPREAD, config)


def test_a_secret_is_hidden_however_the_schema_is_written(spread: Settings, config: Config) -> None:
    values = {
        "account": {"pin": "s3cret"},
        "either": "s3cret",
        "users": {"ann": {"pin": "s3cret", "age": 3}},
        "vault": {"a": "s3cret", "b": ["s3cret", 4]},
        "tokens": ["s3cret", "$XMAS_KEY"],
        "hosts": [{"name": "a", "password": "s3cret"}],
    }
    change(spread, config, values)
    assert "s3cret" not in str(spread.shown())
    assert spread.shown()["users"] == {"ann": {"pin": MASK, "age": 3}}
    assert spread.shown()["vault"] == {"a": MASK, "b": [MASK, MASK]}
    assert spread.shown()["tokens"] == [MASK, "$XMAS_KEY"]
    change(spread, config, spread.shown())
    assert config.data["extension_settings"]["spread"] == values


def test_a_secret_stays_with_its_entry(spread: Settings, config: Config) -> None:
    """Else the password of one host would be sent to another."""
    change(spread, config, {"hosts": [{"name": "a", "password": "of-a"}, {"name": "b", "password": "of-b"}]})
    change(spread, config, {"hosts": [{"name": "b", "password": MASK}, {"name": "c", "password": MASK}]})
    assert spread["hosts"] == [{"name": "b", "password": "of-b"}, {"name": "c"}]


def test_a_mask_where_nothing_is_stored_is_no_value(spread: Settings, config: Config) -> None:
    change(spread, config, {"account": {"pin": MASK}, "tokens": MASK})
    assert dict(spread) == {"account": {}}


@pytest.mark.parametrize("values", [{"vault": {"a": "it's \\ long"}}, {"tokens": {"a": "s3cret"}}])
def test_a_refused_secret_is_not_told_in_any_spelling(spread: Settings, values: dict[str, Any]) -> None:
    with pytest.raises(RequestError) as raised:
        spread.change(values)
    assert "long" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("values", [{"times": "$XMAS_KEY"}, {"greeting": "$LONG"}, {"greeting": ["$XMAS_KEY"]}])
def test_what_a_variable_holds_is_not_told_by_a_refusal(tmp_path: Path, values: dict[str, Any]) -> None:
    ensure_home(Home(tmp_path))
    environ = {"XMAS_KEY": "from-the-environment", "LONG": "from-the-environment" * 2}
    settings = Settings("xmas", SCHEMA, Config.load(Home(tmp_path), environ=environ))
    with pytest.raises(RequestError) as raised:
        settings.change(values)
    assert "from-the" not in str(raised.value)


def test_variables_are_converted_at_any_depth_where_they_fit(tmp_path: Path) -> None:
    ensure_home(Home(tmp_path))
    environ = {"ON": "true", "RATIO": "0.5", "PORT": "80", "PIN": "1234"}
    config = Config.load(Home(tmp_path), environ=environ)
    spread = Settings("spread", SPREAD, config)
    values = {"on": "$ON", "ratio": "$RATIO", "ports": ["$PORT"], "account": {"pin": "$PIN"}}
    change(spread, config, values)
    assert dict(spread) == {"on": True, "ratio": 0.5, "ports": [80], "account": {"pin": "1234"}}
    assert spread.shown() == values
    for wrong in ({"ports": ["$ON"]}, {"on": "$PORT"}, {"ratio": "$UNKNOWN"}):
        with pytest.raises(RequestError):
            spread.change(wrong)


REFUSED = [
    "https://example.com/a.json",
    "file:///etc/passwd",
    "other.json#/a",
    "#/$defs/none",
    "#none",
    "#/type",
    "#/$defs/list/x",
]


@pytest.mark.parametrize("reference", REFUSED)
def test_a_reference_out_of_the_schema_is_refused(reference: str) -> None:
    schema = {"type": "object", "$defs": {"list": {"enum": [1]}}, "properties": {"a": {"items": {"$ref": reference}}}}
    with pytest.raises(ConfigError, match="which is not in it"):
        check_schema(schema)


def test_a_reference_is_found_behind_another_and_none_in_data() -> None:
    behind = {"$ref": "#/extra/a"}
    schema = {"type": "object", "extra": {"a": {"$ref": "https://example.com"}}, "properties": {"a": behind}}
    with pytest.raises(ConfigError, match="which is not in it"):
        check_schema(schema)
    check_schema({"type": "object", "properties": {"$ref": {"type": "string"}, "a": {"default": {"$ref": "b"}}}})
    check_schema({"type": "object", "$defs": {"b": {"$anchor": "b"}}, "properties": {"a": {"$ref": "#b"}}})
    check_schema({"type": "object", "properties": {"a": {"items": {"$ref": "#"}}}})


def test_a_reference_to_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match="leads back to itself"):
        check_schema({"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}})
