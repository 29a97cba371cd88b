"""The names by which a provider's models may be called."""

from collections.abc import Iterator
from typing import Any

import pytest

from llms.kernel.types import Model
from llms.providers.models import ModelTable

MODELS: dict[str, Model] = {
    "m1": {"id": "m1", "name": "M ONE"},
    "org/short": {"id": "org/short", "name": "Short One"},
    "keyed": {"id": "own-id", "name": "Keyed"},
    "bare": {},
}


@pytest.mark.parametrize("name", ["m1", "M1", "M ONE", "m one"])
def test_a_model_is_known_by_id_and_by_display_name_in_any_case(name: str) -> None:
    assert ModelTable(MODELS).upstream(name) == "m1"


@pytest.mark.parametrize("name", ["org/short", "short", "any/thing/short", "Short One", "acme/org/short", "ORG/SHORT"])
def test_a_model_with_a_maker_is_known_by_its_last_segment_too(name: str) -> None:
    assert ModelTable(MODELS).upstream(name) == "org/short"


@pytest.mark.parametrize("name", ["keyed", "own-id"])
def test_a_key_and_the_id_below_it_name_the_same_model(name: str) -> None:
    assert ModelTable(MODELS).upstream(name) == "own-id"


@pytest.mark.parametrize("name", ["", "m", "m11", "org", "org/", "/", "other/m2"])
def test_any_other_name_is_none_of_them(name: str) -> None:
    assert ModelTable(MODELS).upstream(name) is None


def test_after_the_providers_name_the_whole_id_counts_before_its_last_segment() -> None:
    table = ModelTable({"a/llama": {}, "b/llama": {}})
    assert table.upstream("acme/b/llama") == "b/llama"
    assert table.upstream("acme/c/llama") == "a/llama"


def test_facts_are_found_by_every_name() -> None:
    table = ModelTable(MODELS)
    assert [(table.facts(name) or {}).get("name") for name in ("short", "OWN-ID", "M one", "nobody")] == [
        "Short One",
        "Keyed",
        "M ONE",
        None,
    ]


def test_a_model_that_tells_nothing_is_called_as_its_key() -> None:
    assert ModelTable(MODELS).offered["bare"] == {"id": "bare", "name": "bare"}


def test_the_given_models_stay_as_they_are() -> None:
    ModelTable(MODELS, map_models={"public": "bare"})
    assert MODELS["bare"] == {}


@pytest.mark.parametrize("name", ["", "/", "maker/", "other/"])
def test_an_id_that_ends_with_a_slash_is_not_known_by_nothing(name: str) -> None:
    assert ModelTable({"maker/": {}}).upstream(name) == ("maker/" if name == "maker/" else None)


def test_two_models_of_one_id_keep_their_own_facts() -> None:
    table = ModelTable({"fast": {"id": "x", "name": "Fast"}, "slow": {"id": "x", "name": "Slow"}})
    assert [table.upstream(name) for name in ("fast", "slow", "x")] == ["x", "x", "x"]
    assert [(table.facts(name) or {}).get("name") for name in ("fast", "slow", "x")] == ["Fast", "Slow", "Fast"]


def test_models_that_come_and_go_are_followed() -> None:
    table = ModelTable({"a": {}, "b": {}})
    assert table.upstream("a") == "a"
    del table.offered["a"]
    table.offered["c"] = {"id": "c", "name": "See"}
    assert [table.upstream(name) for name in ("see", "b", "a")] == ["c", "b", None]
    table.offered["d"] = {}
    assert table.upstream("d") == "d"


def test_however_many_models_there_are_a_name_is_looked_up_and_not_searched() -> None:
    class Counted(dict[str, Model]):
        walked = 0

        def __iter__(self) -> Iterator[str]:
            self.walked += 1
            return super().__iter__()

    table = ModelTable({f"maker-{number % 7}/model-{number}": {} for number in range(5000)})
    assert table.upstream("model-1") == "maker-1/model-1"
    table.offered = counted = Counted(table.offered)
    names = [f"maker-{number % 7}/Model-{number}" for number in range(0, 5000, 11)]
    assert [table.upstream(name) for name in names] == [name.lower() for name in names]
    assert table.upstream("any/thing/model-4999") == "maker-1/model-4999"
    assert table.upstream("nobody/knows") is None
    assert counted.walked == 0


# -- mapped ----------------------------------------------------------------------------------------------------


def test_with_a_map_only_mapped_models_are_offered() -> None:
    table = ModelTable(MODELS, map_models={"public": "m1"})
    assert list(table.offered) == ["public"]
    assert table.upstream("short") is None


@pytest.mark.parametrize("name", ["public", "m1", "M ONE"])
def test_a_mapped_model_is_known_by_its_public_and_its_own_name(name: str) -> None:
    assert ModelTable(MODELS, map_models={"public": "m1"}).upstream(name) == "m1"


def test_the_facts_of_a_mapped_model_are_those_of_the_vendors() -> None:
    assert ModelTable({"m1": {"id": "m1", "cost": {"input": 1}}}, map_models={"public": "m1"}).facts("public") == {
        "id": "m1",
        "name": "m1",
        "cost": {"input": 1},
    }


def test_a_model_the_catalogue_does_not_know_may_be_mapped() -> None:
    table = ModelTable({}, map_models={"public": "acme/brand-new"})
    assert table.upstream("public") == "acme/brand-new"
    assert table.upstream("brand-new") == "acme/brand-new"


@pytest.mark.parametrize(
    ("name", "upstream"),
    [
        ("alias", "x"),  # a key of the map, though also the value of another
        ("x", "x"),  # a value of the map, though also the id of a model
        ("other", "alias"),
    ],
)
def test_a_name_two_models_share_goes_to_the_nearer_kind_of_name(name: str, upstream: str) -> None:
    assert ModelTable({}, map_models={"alias": "x", "other": "alias"}).upstream(name) == upstream


@pytest.mark.parametrize(
    ("models", "upstream"),
    [
        ({"one": {"name": "shared"}, "shared": {}}, "shared"),  # an id before a display name
        ({"org/shared": {}, "one": {"name": "shared"}}, "one"),  # a display name before a last segment
        ({"a/shared": {}, "b/shared": {}}, "a/shared"),  # else the first
    ],
)
def test_an_id_counts_before_a_display_name_and_that_before_a_last_segment(models: Any, upstream: str) -> None:
    assert ModelTable(models).upstream("shared") == upstream


# -- narrowed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("include", "exclude", "offered"),
    [
        ("^m|short", None, ["m1", "org/short"]),
        (None, "o", ["m1", "keyed", "bare"]),
        ("e", "^k", ["bare"]),
        ("nothing", None, []),
    ],
)
def test_models_are_included_and_excluded_by_pattern(
    include: str | None, exclude: str | None, offered: list[str]
) -> None:
    table = ModelTable(MODELS, include=include, exclude=exclude)
    assert list(table.offered) == offered
    assert [name for name in MODELS if table.upstream(name)] == offered


def test_patterns_narrow_a_map_by_its_public_names() -> None:
    table = ModelTable(MODELS, map_models={"good": "m1", "bad": "keyed"}, exclude="bad")
    assert list(table.offered) == ["good"]
    assert table.upstream("keyed") is None
