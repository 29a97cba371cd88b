"""The configuration: what it reads, what it refuses and in which words, and how it follows the files."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from llms.kernel import schema
from llms.kernel.config import Config
from llms.kernel.errors import ConfigError
from llms.kernel.first_run import ensure_home
from llms.kernel.paths import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    ensure_home(home)
    return home


@pytest.fixture
def write(home: Home) -> Callable[..., None]:
    """Puts a llms.json with these keys, in version 3, into the home."""

    def write(**keys: Any) -> None:
        home.config_file.write_text(json.dumps({"version": 3, **keys}))

    return write


def load(home: Home, **environ: str) -> Config:
    return Config.load(home, environ=environ)


def refusal(home: Home) -> str:
    with pytest.raises(ConfigError) as raised:
        load(home)
    return str(raised.value)


def test_the_packaged_files_load_without_a_warning(home: Home) -> None:
    config = load(home)
    assert config.warnings == []
    assert config.limits.client_timeout == 240
    assert config.file == home.config_file


def test_every_packaged_provider_has_what_it_takes_to_be_built(home: Home) -> None:
    config = load(home)
    local, signed = {"ollama", "lmstudio", "llama.cpp", "vllm"}, {"google-vertex-anthropic"}
    assert local < set(config.data["providers"])
    for id, entry in config.data["providers"].items():
        facts = {**config.catalog.get(id, {}), **entry}
        assert facts["npm"], id
        assert facts["api"].startswith("http") if "api" in facts else facts["npm"].startswith("@"), id
        assert bool(facts.get("models")) is (id not in local), id
        assert facts.get("env") or id in local | signed, id
        assert entry["enabled"] is (id not in local), id


def test_every_packaged_model_is_well_formed_and_tells_when_its_prices_held(home: Home) -> None:
    config = load(home)
    assert config.origin.date
    assert date.fromisoformat(config.origin.date) >= date(2026, 9, 28)
    for id, provider in config.catalog.items():
        assert schema.problem(provider["models"], dict[str, schema.CatalogModel]) is None, id
        for key, model in provider["models"].items():
            assert model["id"] == key
            assert "description" not in model  # facts are taken over, what somebody has worded is not
            if id != "codestral" and "cost" in model:
                assert model["priced_at"] == config.origin.date


def test_the_first_model_of_a_packaged_vendor_can_chat(home: Home) -> None:
    for id, provider in load(home).catalog.items():
        first = next(iter(provider["models"].values()))
        assert first["tool_call"] or id == "perplexity", id
        assert "text" in first["modalities"]["output"], id


def test_the_packaged_templates_name_no_model(home: Home) -> None:
    defaults = load(home).data["defaults"]
    templates = ("text", "image", "audio", "file", "out:image", "out:audio", "check", "compact")
    assert [name for name in templates if "model" in defaults[name]] == []
    for placeholder in ("{message_count}", "{token_count}", "{target_tokens}", "{messages_json}"):
        assert placeholder in defaults["compact"]["messages"][1]["content"]


def test_a_dollar_name_at_the_top_is_replaced_and_in_a_provider_is_not(home: Home, write: Callable[..., None]) -> None:
    write(my_key="$MY_KEY", price="$5", providers={"groq": {"api_key": "$MY_KEY"}})
    config = load(home, MY_KEY="value")
    assert config.data["my_key"] == "value"
    assert config.data["price"] == "$5"
    assert config.data["providers"]["groq"]["api_key"] == "$MY_KEY"


def test_a_variable_that_is_not_set_is_empty_and_told(home: Home, write: Callable[..., None]) -> None:
    write(my_key="$MY_KEY")
    config = load(home)
    assert config.data["my_key"] == ""
    assert "llms.json: my_key is empty because MY_KEY is not set. Set it." in config.warnings


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"limits": {"retries": "3"}}, "limits.retries: expected int, got str"),
        ({"limits": {"client_timeout": 0}}, "limits.client_timeout: expected float > 0.0"),
        ({"limits": []}, "limits: expected object, got array"),
        ({"providers": {"groq": {"enabled": "no"}}}, "providers.groq.enabled: expected bool, got str"),
        ({"providers": {"groq": None}}, "providers.groq: expected object, got null"),
        ({"providers": {"a": {"models": {"m": 1}}}}, "providers.a.models.m: expected object, got int"),
        ({"providers": {"a": {"env": ["A", 1]}}}, "providers.a.env[1]: expected str, got int"),
        ({"providers": {"a": {"exclude_models": 1}}}, "providers.a.exclude_models: expected str, got int"),
        ({"defaults": {"text": {"messages": ["hi"]}}}, "defaults.text.messages[0]: expected object, got str"),
        ({"defaults": {"headers": {"X": 1}}}, "defaults.headers.X: expected str, got int"),
        ({"version": "3"}, "version: expected int, got str"),
    ],
)
def test_a_wrong_value_is_told_by_file_key_and_what_was_expected(
    home: Home, write: Callable[..., None], keys: dict[str, Any], said: str
) -> None:
    write(**keys)
    assert refusal(home) == f"llms.json: {said}. Correct it or run `llms --reset config`."


def test_a_broken_regular_expression_is_told_before_it_is_used(home: Home, write: Callable[..., None]) -> None:
    write(providers={"groq": {"include_models": "("}})
    assert "providers.groq.include_models: expected a regular expression, but missing )" in refusal(home)


def test_malformed_json_is_told_by_line_and_column(home: Home) -> None:
    home.config_file.write_text('{"version": 3,\n "limits" {}}')
    assert refusal(home) == (
        "llms.json: line 2, column 11: expecting ':' delimiter, met {. Correct it or run `llms --reset config`."
    )


def test_a_fault_in_the_catalogue_names_that_file(home: Home) -> None:
    home.providers_file.write_text('{"groq": {"models": []}}')
    assert refusal(home) == (
        "providers.json: groq.models: expected object, got array. Correct it or run `llms --reset providers`."
    )
    home.providers_file.write_text("{}")
    home.extras_file.write_text('{"groq": {"models": {"a": 1}}}')
    assert refusal(home).startswith("providers-extra.json: groq.models.a: expected object, got int.")


def test_a_mistyped_key_is_kept_and_warned_about(home: Home, write: Callable[..., None]) -> None:
    write(provders={}, limits={"retires": 5}, my_extension={"x": 1})
    config = load(home)
    assert "llms.json: unknown key provders. Did you mean providers?" in config.warnings
    assert "llms.json: unknown key limits.retires. Did you mean limits.retries?" in config.warnings
    assert config.data["my_extension"] == {"x": 1}
    assert config.limits.retries == 3


def test_a_newer_version_is_warned_about(home: Home, write: Callable[..., None]) -> None:
    write(version=4)
    assert "llms.json: version 4 is newer than this llms. Update llms." in load(home).warnings


def test_a_named_config_brings_the_catalogue_beside_it(home: Home, tmp_path: Path) -> None:
    (tmp_path / "my.json").write_text('{"providers": {"x": {}}}')
    (tmp_path / "providers.json").write_text('{"x": {"models": {"m": {}}}}')
    config = Config.load(home, config_file=tmp_path / "my.json", environ={})
    assert config.data == {"providers": {"x": {}}}
    assert list(config.catalog) == ["x", "codestral"]


def test_a_named_catalogue_wins_over_the_one_beside_the_config(home: Home, tmp_path: Path) -> None:
    (tmp_path / "my.json").write_text("{}")
    (tmp_path / "providers.json").write_text('{"x": {}}')
    (tmp_path / "other.json").write_text('{"y": {}}')
    config = Config.load(home, config_file=tmp_path / "my.json", providers_file=tmp_path / "other.json", environ={})
    assert list(config.catalog) == ["y", "codestral"]


def test_a_named_config_that_is_missing_is_one_sentence(home: Home, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.json does not exist\..*check the path\.$"):
        Config.load(home, config_file=tmp_path / "nowhere.json", environ={})


def test_extras_may_be_missing(home: Home) -> None:
    home.extras_file.unlink()
    assert "codestral" not in load(home).catalog


# -- while it runs ----------------------------------------------------------------------------------------


def test_a_reload_brings_the_change_into_the_same_dicts(home: Home, write: Callable[..., None]) -> None:
    config = load(home)
    data, catalog = config.data, config.catalog
    write(limits={"retries": 7}, new=1)
    home.extras_file.write_text('{"extra": {}}')
    assert config.changed()
    assert config.reload()
    assert not config.changed()
    assert config.data is data
    assert config.catalog is catalog
    assert data == {"version": 3, "limits": {"retries": 7}, "new": 1}
    assert "extra" in catalog
    assert "codestral" not in catalog
    assert config.limits.retries == 7


def test_a_reload_of_files_that_say_the_same_is_no_change(home: Home) -> None:
    config = load(home)
    home.config_file.write_text(home.config_file.read_text() + "\n")
    assert config.changed()
    assert not config.reload()


def test_a_new_order_of_providers_is_a_change(home: Home, write: Callable[..., None]) -> None:
    write(providers={"a": {}, "b": {}})
    config = load(home)
    write(providers={"b": {}, "a": {}})
    assert config.reload()
    assert list(config.data["providers"]) == ["b", "a"]


def test_a_broken_file_is_told_once_and_the_old_values_stay(home: Home, write: Callable[..., None]) -> None:
    write(limits={"retries": 7})
    config = load(home)
    home.config_file.write_text("{")
    with pytest.raises(ConfigError, match=r"llms\.json: line 1"):
        config.reload()
    assert config.data["limits"] == {"retries": 7}
    assert config.limits.retries == 7
    assert not config.changed()
    write(limits={"retries": 8})
    assert config.changed()
    assert config.reload()
    assert config.limits.retries == 8


@pytest.mark.parametrize("name", ["llms.json", "providers.json", "providers-extra.json"])
def test_each_of_the_three_files_is_watched(home: Home, name: str) -> None:
    config = load(home)
    assert not config.changed()
    (home.root / name).unlink()
    assert config.changed()


def test_an_update_is_written_without_the_values_of_variables(home: Home, write: Callable[..., None]) -> None:
    write(my_key="$MY_KEY", providers={"groq": {"api_key": "$GROQ"}})
    config = load(home, MY_KEY="hidden value", GROQ="hidden too")
    assert config.update(lambda data: data["providers"]["groq"].update(enabled=False))
    assert config.data["providers"]["groq"]["enabled"] is False
    assert config.data["my_key"] == "hidden value"
    assert "hidden" not in home.config_file.read_text()


def test_an_update_keeps_what_another_process_wrote_meanwhile(home: Home, write: Callable[..., None]) -> None:
    config = load(home)
    write(theirs=1)
    config.update(lambda data: data.update(ours=2))
    assert json.loads(home.config_file.read_text()) == {"version": 3, "theirs": 1, "ours": 2}
    assert config.data == {"version": 3, "theirs": 1, "ours": 2}


def test_an_update_that_would_break_the_file_is_refused(home: Home) -> None:
    config = load(home)
    before = home.config_file.read_bytes()
    with pytest.raises(ConfigError, match="providers: expected object, got array"):
        config.update(lambda data: data.update(providers=[]))
    assert home.config_file.read_bytes() == before
    assert config.data["providers"]
