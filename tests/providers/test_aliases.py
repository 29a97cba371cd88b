"""Names that stand for several models."""

import random
from collections import Counter
from typing import Any

import pytest

from llms.kernel.errors import ModelNotFound
from llms.kernel.limits import Limits
from llms.providers.aliases import Aliases
from llms.providers.http import HttpClient
from llms.providers.registry import Registry

from .configured import entry, warnings


def models(aliases: Any, name: str, **more: Any) -> list[str]:
    return Aliases.of(aliases).models(name, **more)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("m", ["m"]),
        (["m", "n"], ["m", "n"]),
        ([{"model": "m"}, "n"], ["m", "n"]),
        ({"models": ["m", "n"], "strategy": "cheapest"}, ["m", "n"]),
        ({"model": "m", "weight": 2}, ["m"]),
        (["m", "m", "n"], ["m", "n"]),
    ],
)
def test_an_alias_is_a_model_or_a_list_of_them(told: Any, expected: list[str]) -> None:
    assert models({"fast": told}, "fast") == expected


def test_a_name_is_found_in_whatever_case() -> None:
    assert models({"Fast": "m"}, "fAST") == ["m"]


def test_what_is_no_alias_stands_for_nothing() -> None:
    assert models({"fast": "m"}, "m") == []


@pytest.mark.parametrize(
    "told",
    [
        *(None, 5, [], {}, "", [""], [5], [None], ["m", {}], {"models": []}, {"models": ["m"], "strategy": 5}),
        *([{"model": "m", "weight": weight}] for weight in (-1, "1", True, None, float("inf"), float("nan"))),
    ],
    ids=repr,
)
def test_one_that_cannot_be_used_is_left_out_with_a_warning(told: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert models({"bad": told, "good": "m"}, "bad") == []
    assert models({"bad": told, "good": "m"}, "good") == ["m"]
    assert warnings(caplog)[0].startswith("Alias 'bad' is left out")


@pytest.mark.parametrize("told", [None, 5, [], "fast"])
def test_aliases_that_are_no_object_are_none(told: Any) -> None:
    assert list(Aliases.of(told)) == []


# -- aliases inside aliases ----------------------------------------------------------------------------------------


def test_an_alias_may_stand_for_aliases() -> None:
    aliases = {"best": ["smart", "fast"], "smart": ["x", "y"], "fast": ["y", "z"]}
    assert models(aliases, "best") == ["x", "y", "z"]


def test_an_alias_of_its_own_name_means_the_model() -> None:
    assert models({"gpt": ["gpt", "other"]}, "gpt") == ["gpt", "other"]


@pytest.mark.parametrize("name", ["a", "b"])
def test_aliases_that_lead_to_each_other_come_to_an_end(name: str) -> None:
    assert set(models({"a": ["b", "m"], "b": ["a", "n"]}, name)) == {name, "m", "n"}


def test_aliases_that_multiply_come_to_an_end() -> None:
    aliases = {f"a{i}": [f"a{i + 1}", f"a{i + 1}".upper()] for i in range(60)}
    assert models(aliases, "a0") == ["a60", "A60"]


# -- weights -------------------------------------------------------------------------------------------------------


def first(told: Any, *, times: int = 2000) -> Counter[str]:
    draw = random.Random(4).random
    aliases = Aliases.of({"fast": told})
    return Counter(aliases.models("fast", draw)[0] for _ in range(times))


def test_weights_say_how_often_each_is_asked_first() -> None:
    counted = first([{"model": "a", "weight": 3}, "b"])
    assert 0.72 < counted["a"] / 2000 < 0.78


def test_the_rest_follow_as_fallbacks() -> None:
    aliases = Aliases.of({"fast": [{"model": "a", "weight": 3}, "b", "c"]})
    assert sorted(aliases.models("fast", random.Random(4).random)) == ["a", "b", "c"]


def test_without_weights_the_order_is_as_written() -> None:
    assert first(["a", "b"], times=50) == {"a": 50}


def test_a_weight_of_zero_is_only_a_fallback() -> None:
    assert first([{"model": "a", "weight": 0}, {"model": "b", "weight": 0.001}], times=50) == {"b": 50}


def test_where_nothing_is_drawn_the_order_is_as_written() -> None:
    assert models({"fast": ["b", {"model": "a", "weight": 99}]}, "fast") == ["b", "a"]


# -- who offers them -----------------------------------------------------------------------------------------------


@pytest.fixture
async def registry() -> Registry:
    return Registry(HttpClient(Limits()))


async def configure(registry: Registry, aliases: Any, **providers: Any) -> None:
    registry.rebuild({"providers": providers, "aliases": aliases}, {})
    assert await registry.loaded(within=10)


def offers(registry: Registry, model: str) -> list[tuple[str, str]]:
    return [(offer.id, offer.upstream) for offer in registry.offering(model)]


async def test_each_model_is_asked_of_all_who_offer_it_one_model_after_the_other(registry: Registry) -> None:
    await configure(registry, {"fast": ["n", "m"]}, a=entry("m", "n"), b=entry("n"))
    assert offers(registry, "fast") == [("a", "n"), ("b", "n"), ("a", "m")]


async def test_a_model_with_the_name_of_a_provider_is_asked_only_there(registry: Registry) -> None:
    await configure(registry, {"fast": ["b/m"]}, a=entry("m"), b=entry("m"))
    assert offers(registry, "fast") == [("b", "m")]


async def test_a_provider_that_cannot_be_used_is_not_replaced_by_another(registry: Registry) -> None:
    await configure(registry, {"fast": ["b/m", "n"]}, a=entry("m", "n"), b=entry("m", enabled=False))
    assert offers(registry, "fast") == [("a", "n")]


async def test_what_stands_before_the_slash_may_be_a_maker(registry: Registry) -> None:
    await configure(registry, {"fast": ["meta/llama"]}, a=entry("meta/llama"), b=entry("llama"))
    assert offers(registry, "fast") == [("a", "meta/llama"), ("b", "llama")]


async def test_a_model_that_two_names_lead_to_is_asked_once(registry: Registry) -> None:
    await configure(registry, {"fast": ["a/m", "m"]}, b=entry("m"), a=entry("m"))
    assert offers(registry, "fast") == [("a", "m"), ("b", "m")]


async def test_an_alias_may_hide_a_model_of_its_name(registry: Registry) -> None:
    await configure(registry, {"m": ["n"]}, a=entry("m", "n"))
    assert offers(registry, "m") == [("a", "n")]


async def test_an_alias_nobody_offers_says_what_it_stands_for(registry: Registry) -> None:
    await configure(registry, {"fast": ["x", "y"]}, a=entry("m"))
    with pytest.raises(ModelNotFound) as raised:
        registry.candidates("fast")
    assert str(raised.value) == "Model 'fast' stands for x, y, and none is offered. Check `aliases` in llms.json."


async def test_an_alias_is_listed_with_what_is_known_of_its_first_model(registry: Registry) -> None:
    known = {"n": {"name": "N", "limit": {"context": 5}}}
    await configure(registry, {"fast": ["gone", "n"], "idle": ["gone"]}, a=entry(models=known))
    assert registry.models()[0] == {"id": "fast", "name": "fast", "provider": "alias", "limit": {"context": 5}}
    assert [name for name, _ in registry.aliased()] == ["fast"]


async def test_an_alias_is_named_where_a_name_is_nearly_right(registry: Registry) -> None:
    await configure(registry, {"cleverest": "m"}, a=entry("m"))
    with pytest.raises(ModelNotFound, match=r"Did you mean cleverest\?"):
        registry.candidates("cleverst")


async def test_the_default_model_is_never_an_alias(registry: Registry) -> None:
    await configure(registry, {"a": "m"}, x=entry("m"))
    assert registry.default_model() == "m"


async def test_aliases_change_with_the_configuration(registry: Registry) -> None:
    await configure(registry, {"fast": "m"}, a=entry("m", "n"))
    await configure(registry, {"fast": "n"}, a=entry("m", "n"))
    assert offers(registry, "fast") == [("a", "n")]
