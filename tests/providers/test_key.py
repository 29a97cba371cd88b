"""Which keys an entry names."""

from typing import Any

import pytest

from llms.kernel.limits import Limits
from llms.providers.http import HttpClient
from llms.providers.key import find_key, find_keys, fingerprint, own_key
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.registry import Registry

from .configured import KEY, build, entry, warnings

ENVIRON = {"ONE": "k1", "TWO": "k2", "SEVERAL": " k1, k2,,k3 ", "EMPTY": " ", "DOCUMENT": '{"a": "b", "c": "d"}'}


@pytest.mark.parametrize(
    ("told", "keys"),
    [
        ({}, ()),
        ({"api_key": "a"}, ("a",)),
        ({"api_key": ["a", "b"]}, ("a", "b")),
        ({"api_keys": ["a", "$TWO"]}, ("a", "k2")),
        ({"api_keys": "a"}, ("a",)),
        ({"api_key": "a", "api_keys": ["b", "a"]}, ("a", "b")),
        ({"api_key": "a,b"}, ("a,b",)),
        ({"api_key": "$SEVERAL"}, ("k1", "k2", "k3")),
        ({"env": ["UNSET", "EMPTY", "SEVERAL", "ONE"]}, ("k1", "k2", "k3")),
        ({"api_key": "$DOCUMENT"}, ('{"a": "b", "c": "d"}',)),
        ({"api_key": "$UNSET", "env": ["ONE"]}, ("k1",)),
        ({"api_keys": ["$UNSET", "$EMPTY"]}, ()),
        ({"api_key": None, "api_keys": [None, "", " "]}, ()),
        ({"api_key": 5}, ("5",)),
    ],
    ids=repr,
)
def test_keys_are_literals_and_variables_each_once(told: Any, keys: tuple[str, ...]) -> None:
    assert find_keys(told, ENVIRON) == keys
    assert find_key(told, ENVIRON) == (keys[0] if keys else None)


def test_a_provider_made_from_a_list_of_keys_has_the_first() -> None:
    assert own_key({"api_key": ["a", "b"]}) == "a"
    assert OpenAiCompatible(id="x", api="http://127.0.0.1:9", api_key=["a", "b"]).api_key == "a"


def test_a_fingerprint_tells_keys_apart_and_not_what_they_are() -> None:
    assert fingerprint("sekret-one") != fingerprint("sekret-two")
    assert "sekret" not in fingerprint("sekret-one")
    assert (fingerprint(None), fingerprint(""), fingerprint(5)) == ("", "", "")


# -- providers with several keys -----------------------------------------------------------------------------------


@pytest.fixture
def registry() -> Registry:
    return Registry(HttpClient(Limits()), environ=ENVIRON)


async def test_the_live_provider_has_the_first_key(registry: Registry) -> None:
    live = await build(registry, {"acme": entry("m", api_key=None, api_keys=["a", "$TWO"])})
    assert live["acme"].api_key == "a"


async def test_an_offer_comes_with_each_key(registry: Registry) -> None:
    live = await build(registry, {"acme": entry("m", api_key=["a", "$TWO"])})
    [offer] = registry.offering("m")
    assert [keyed.provider.api_key for keyed in offer.keyed] == ["a", "k2"]
    assert offer.keyed[0].provider is live["acme"]
    assert [keyed.key for keyed in offer.keyed] == [fingerprint("a"), fingerprint("k2")]


async def test_every_key_is_told_to_whoever_masks_them(registry: Registry) -> None:
    await build(registry, {"acme": entry("m", api_key=None, env=["SEVERAL"]), "other": entry()})
    assert set(registry.keys()) == {"k1", "k2", "k3", KEY}


async def test_a_provider_whose_key_cannot_be_told_hides_no_other(registry: Registry) -> None:
    class Secretive:
        @property
        def api_key(self) -> str:
            raise KeyError("no luck")

    await build(registry, {"acme": entry()})
    registry.live["secretive"] = Secretive()
    assert list(registry.keys()) == [KEY]


async def test_models_learnt_later_are_known_with_every_key(registry: Registry) -> None:
    live = await build(registry, {"acme": entry(api_keys=["another"])})
    live["acme"].set_models(models={"late": {"id": "late-v2"}})
    [offer] = registry.offering("late")
    assert [keyed.provider.provider_model("late") for keyed in offer.keyed] == ["late-v2"] * 2


async def test_a_provider_that_an_extension_put_in_its_place_has_its_own_key(registry: Registry) -> None:
    live = await build(registry, {"acme": entry("m", api_keys=["another"])})
    live["acme"] = OpenAiCompatible(id="acme", api="http://127.0.0.1:9", models={"m": {}}, api_key="own")
    [offer] = registry.offering("m")
    assert [keyed.provider.api_key for keyed in offer.keyed] == ["own"]


async def test_a_key_that_cannot_be_used_costs_only_itself(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    class Choosy(OpenAiCompatible):
        sdk = "choosy"

        def validate(self, **_: Any) -> str | None:
            return "This is no key of ours" if self.api_key == "bad" else None

    registry.add_class(Choosy)
    await build(registry, {"acme": entry("m", npm="choosy", api_key=["a", "bad", "c"])})
    [offer] = registry.offering("m")
    assert [keyed.provider.api_key for keyed in offer.keyed] == ["a", "c"]
    assert warnings(caplog) == ["Provider acme does without its key 2: This is no key of ours"]


async def test_a_class_is_never_told_of_several_keys(registry: Registry) -> None:
    told: list[Any] = []

    class Curious(OpenAiCompatible):
        sdk = "curious"

        def __init__(self, **kwargs: Any) -> None:
            told.append((kwargs["api_key"], "api_keys" in kwargs))
            super().__init__(**kwargs)

    registry.add_class(Curious)
    await build(registry, {"acme": entry("m", npm="curious", api_key=["a", "b"], api_keys=["c"])})
    assert told == [("a", False), ("b", False), ("c", False)]
