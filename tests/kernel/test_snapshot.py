"""The packaged copy of models.dev, and what it is for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from llms.kernel import files, schema, snapshot
from llms.kernel.catalog import Origin, looked_up, split
from llms.kernel.config import Config
from llms.kernel.errors import ConfigError
from llms.kernel.first_run import ensure_home
from llms.kernel.paths import PACKAGE, Home


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Config]:
    """The configuration of a new home whose llms.json has these providers."""

    def load(**providers: object) -> Config:
        home = Home(tmp_path / "home")
        ensure_home(home)
        home.config_file.write_text(json.dumps({"version": 3, "providers": providers}))
        return Config.load(home, environ={})

    return load


def test_the_packaged_copy_is_whole_and_dated() -> None:
    everything, origin = snapshot.read(PACKAGE)
    assert len(everything) > 150
    assert sum(len(provider["models"]) for provider in everything.values()) > 7000
    assert origin.date is not None
    for id, provider in everything.items():
        assert schema.problem(provider, schema.CatalogEntry) is None, id
        assert schema.problem(provider["models"], dict[str, schema.CatalogModel]) is None, id


def test_a_new_home_gets_the_part_of_it_that_it_needs(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    ensure_home(home)
    everything, origin = snapshot.read(PACKAGE)
    named = looked_up(files.read_json(home.config_file))
    assert split(files.read_json(home.providers_file)) == (
        {id: everything[id] for id in named & everything.keys()},
        origin,
    )


def test_a_provider_that_is_only_named_is_known_without_a_network(load: Callable[..., Config]) -> None:
    config = load(nebius={}, mine={"id": "deepinfra"})
    assert config.catalog["nebius"]["api"].startswith("https://")
    assert config.catalog["nebius"]["env"] == ["NEBIUS_API_KEY"]
    assert config.catalog["deepinfra"]["models"]
    assert any(model.get("priced_at") for model in config.catalog["nebius"]["models"].values())


@pytest.mark.parametrize("entry", [{"enabled": False}, {"api": "http://x"}, {"npm": "mine"}, {"models": {"m": {}}}])
def test_a_provider_that_tells_of_itself_is_taken_as_it_is(load: Callable[..., Config], entry: object) -> None:
    assert "nebius" not in load(nebius=entry).catalog


def test_a_provider_nobody_knows_is_no_fault_of_the_configuration(load: Callable[..., Config]) -> None:
    assert "nobody" not in load(nobody={}).catalog


def test_another_folder_of_packaged_files_may_do_without_it(tmp_path: Path) -> None:
    assert snapshot.read(tmp_path) == ({}, Origin())


@pytest.mark.parametrize("damage", [b"", b"not gzip", (PACKAGE / snapshot.NAME).read_bytes()[:5000]])
def test_a_damaged_copy_is_one_sentence_with_the_fix(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / snapshot.NAME).write_bytes(damage)
    with pytest.raises(ConfigError, match="Install llms again"):
        snapshot.read(tmp_path)
