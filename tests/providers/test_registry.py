"""The live providers: built from the configuration, found by model."""

import logging
from typing import Any

import pytest

from llms.kernel.errors import ModelNotFound
from llms.kernel.limits import Limits
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.registry import ProviderNotReady, Registry

from .configured import KEY, build, entry, warnings


@pytest.fixture
def registry() -> Registry:
    return Registry(HttpClient(Limits()))


# -- building --------------------------------------------------------------------------------------------------


async def test_providers_stand_in_the_order_of_the_configuration(registry: Registry) -> None:
    assert list(await build(registry, {"b": entry(), "a": entry(), "c": entry()})) == ["b", "a", "c"]


async def test_a_disabled_provider_is_not_built(registry: Registry) -> None:
    assert list(await build(registry, {"a": entry(enabled=False), "b": entry(enabled=True), "c": entry()})) == [
        "b",
        "c",
    ]


async def test_an_entry_is_laid_over_its_catalogue_entry_key_by_key(registry: Registry) -> None:
    catalog = {"acme": {"name": "Acme Inc.", "api": "http://127.0.0.1:9/catalog", "models": {"old": {}}}}
    live = await build(registry, {"acme": {"api_key": KEY, "models": {"new": {}}}}, catalog=catalog)
    assert (live["acme"].name, live["acme"].api, list(live["acme"].models)) == (
        "Acme Inc.",
        "http://127.0.0.1:9/catalog",
        ["new"],
    )


async def test_two_entries_may_share_a_catalogue_entry(registry: Registry) -> None:
    catalog = {"acme": {"api": "http://127.0.0.1:9/v1", "models": {"m": {}}}}
    live = await build(registry, {"acme": {"api_key": KEY}, "work": {"id": "acme", "api_key": KEY}}, catalog=catalog)
    assert [(provider.id, list(provider.models)) for provider in live.values()] == [("acme", ["m"]), ("work", ["m"])]


async def test_the_catalogue_is_not_changed_by_building(registry: Registry) -> None:
    catalog: Any = {"acme": {"api": "http://127.0.0.1:9/v1", "models": {"m": {}}}}
    await build(registry, {"acme": {"api_key": KEY, "map_models": {"x": "m"}}}, catalog=catalog)
    assert catalog == {"acme": {"api": "http://127.0.0.1:9/v1", "models": {"m": {}}}}


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"api_key": "literal"}, "literal"),
        ({"api_key": "$SET"}, "from SET"),
        ({"api_key": None, "env": ["UNSET", "SET", "OTHER"]}, "from SET"),
        ({"api_key": "$UNSET", "env": ["OTHER"]}, "from OTHER"),
        ({"api_key": "literal", "env": ["SET"]}, "literal"),
    ],
)
async def test_the_key_is_literal_or_from_the_environment(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, fields: Any, key: str
) -> None:
    monkeypatch.setenv("SET", "from SET")
    monkeypatch.setenv("OTHER", "from OTHER")
    live = await build(registry, {"acme": entry(**fields)})
    assert live["acme"].api_key == key


async def test_keys_are_looked_up_in_the_environment_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "of the process")
    registry = Registry(HttpClient(Limits()), environ={"GIVEN": "given"})
    providers = {
        "a": entry(api_key="$GIVEN"),
        "b": entry(api_key=None, env=["GIVEN"]),
        "c": entry(api_key="$OURS"),
        "d": entry(api_key=None, env=["OURS"]),
    }
    live = await build(registry, providers)
    assert {id: provider.api_key for id, provider in live.items()} == {"a": "given", "b": "given"}


async def test_a_provider_without_its_key_is_skipped_with_the_reason(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert list(await build(registry, {"acme": entry(api_key=None, env=["ACME_KEY"]), "good": entry()})) == ["good"]
    assert "Provider acme is skipped: Provider 'Acme' requires API Key ACME_KEY" in caplog.messages
    assert warnings(caplog) == []  # nobody did anything wrong


async def test_an_unknown_npm_is_skipped_with_the_reason(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert list(await build(registry, {"acme": entry(npm="@ai-sdk/unheard-of"), "good": entry()})) == ["good"]
    assert (
        "Provider acme is skipped: Provider 'acme' needs an extension that speaks @ai-sdk/unheard-of" in caplog.messages
    )


async def test_headers_are_merged_with_the_defaults(registry: Registry) -> None:
    live = await build(
        registry,
        {"acme": entry(headers={"X-Title": "mine"})},
        defaults={"headers": {"Content-Type": "application/json", "X-Title": "llms", "User-Agent": "llms"}},
    )
    assert live["acme"].headers == {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {KEY}",
        "X-Title": "mine",
        "User-Agent": "llms",
    }


async def test_a_provider_is_given_the_shared_client(registry: Registry) -> None:
    assert (await build(registry, {"acme": entry()}))["acme"].http is registry.http


# -- classes ---------------------------------------------------------------------------------------------------


class Custom(OpenAiCompatible):
    sdk = "custom"


async def test_npm_names_the_class(registry: Registry) -> None:
    registry.add_class(Custom)
    live = await build(registry, {"acme": entry(npm="custom"), "plain": entry()})
    assert (type(live["acme"]), type(live["plain"])) == (Custom, OpenAiCompatible)


async def test_the_last_class_registered_for_an_sdk_wins(registry: Registry) -> None:
    class Better(OpenAiCompatible):
        sdk = OpenAiCompatible.sdk

    registry.add_class(Better)
    assert type((await build(registry, {"acme": entry()}))["acme"]) is Better


def broken_at(place: str, error: Exception) -> type:
    """A class that raises `error` in its method `place`."""

    def broken(*_: Any, **__: Any) -> Any:
        raise error

    return type("Broken", (OpenAiCompatible,), {"sdk": "broken", place: broken})


@pytest.mark.parametrize("place", ["__init__", "set_models", "validate", "test"])
async def test_a_class_that_raises_while_it_is_built_costs_only_itself(
    registry: Registry, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    registry.add_class(broken_at(place, KeyError("no luck")))
    assert list(await build(registry, {"bad": entry(npm="broken"), "good": entry()})) == ["good"]
    assert warnings(caplog) == ["Provider bad is skipped: KeyError('no luck')"]


async def test_a_class_that_does_not_take_our_arguments_costs_only_itself(registry: Registry) -> None:
    class Narrow:
        sdk = "narrow"

        def __init__(self, id: str) -> None: ...

    registry.add_class(Narrow)
    assert list(await build(registry, {"bad": entry(npm="narrow"), "good": entry()})) == ["good"]


async def test_a_provider_that_cannot_load_its_models_stays_and_the_rest_too(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.add_class(broken_at("load", ValueError("no luck")))
    assert list(await build(registry, {"bad": entry(npm="broken"), "good": entry()})) == ["bad", "good"]
    assert warnings(caplog) == ["Provider bad could not load its models: no luck"]


async def test_a_class_may_load_synchronously(registry: Registry) -> None:
    class Sync(OpenAiCompatible):
        sdk = "sync"

        def load(self) -> None:  # type: ignore[override]
            self.set_models(models={"loaded": {}})

    registry.add_class(Sync)
    assert list((await build(registry, {"acme": entry(npm="sync")}))["acme"].models) == ["loaded"]


async def test_a_class_that_lacks_what_a_provider_needs_costs_only_itself(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    class Bare:
        sdk = "bare"

        def __init__(self, **kwargs: Any) -> None:
            self.id, self.models = kwargs["id"], kwargs["models"]

        async def chat(self, chat: Any) -> Any: ...

    registry.add_class(Bare)
    assert list(await build(registry, {"bad": entry(npm="bare"), "good": entry()})) == ["good"]
    (warning,) = warnings(caplog)
    assert "Bare lacks validate, test, load, provider_model, model_info, model_cost" in warning
    assert warning.endswith("Derive it from OpenAiCompatible.")


async def test_a_class_decides_by_test_whether_it_can_be_used(registry: Registry) -> None:
    class Keyless(OpenAiCompatible):
        sdk = "keyless"

        def test(self, **_: Any) -> bool:
            return True

    class Never(OpenAiCompatible):
        sdk = "never"

        def test(self, **_: Any) -> bool:
            return False

    registry.add_class(Keyless)
    registry.add_class(Never)
    providers = {"keyless": entry(npm="keyless", api_key=None), "never": entry(npm="never")}
    assert list(await build(registry, providers)) == ["keyless"]


@pytest.mark.parametrize("place", ["__init__", "load"])
async def test_the_key_is_in_no_log_line(registry: Registry, caplog: pytest.LogCaptureFixture, place: str) -> None:
    caplog.set_level(logging.DEBUG)
    registry.add_class(broken_at(place, ValueError("no luck")))
    await build(
        registry, {"bad": entry(npm="broken"), "worse": entry(api=None), "good": entry(), "odd": entry(npm="?")}
    )
    assert KEY not in caplog.text


def test_why_not_tells_what_is_missing(registry: Registry) -> None:
    config = {"providers": {"acme": entry(name="P3", api_key=None, env=["NOPE_KEY"])}}
    assert registry.why_not("acme", config, {}) == "Provider 'P3' requires API Key NOPE_KEY"


def test_why_not_is_none_for_a_provider_that_can_be_used(registry: Registry) -> None:
    assert registry.why_not("acme", {"providers": {"acme": entry()}}, {}) is None


def test_why_not_of_a_provider_nobody_configured_says_so(registry: Registry) -> None:
    assert "has no `api`" in str(registry.why_not("nobody", {}, {}))


def test_build_refuses_a_provider_that_is_not_ready(registry: Registry) -> None:
    with pytest.raises(ProviderNotReady):
        registry.build("acme", entry(api_key=None), {}, headers={})


# -- building anew ---------------------------------------------------------------------------------------------


async def test_building_anew_keeps_the_very_dict(registry: Registry) -> None:
    live = await build(registry, {"a": entry()})
    assert await build(registry, {"b": entry()}) is live
    assert list(live) == ["b"]


async def test_building_anew_keeps_what_extensions_added_after_the_configured(registry: Registry) -> None:
    added = object()
    live = await build(registry, {"a": entry()})
    live["added"] = added
    await build(registry, {"b": entry(), "c": entry()})
    assert list(live) == ["b", "c", "added"]
    assert live["added"] is added


async def test_a_configured_provider_takes_the_place_of_an_added_one(registry: Registry) -> None:
    registry.live["a"] = object()
    live = await build(registry, {"a": entry()})
    assert isinstance(live["a"], OpenAiCompatible)


async def test_a_provider_that_was_taken_out_of_the_configuration_is_gone(registry: Registry) -> None:
    await build(registry, {"a": entry(), "b": entry()})
    assert list(await build(registry, {"b": entry()})) == ["b"]


# -- providers that break --------------------------------------------------------------------------------------


async def test_a_class_that_does_not_keep_its_id_is_given_it(registry: Registry) -> None:
    class Forgetful(OpenAiCompatible):
        sdk = "forgetful"

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            del self.id

    registry.add_class(Forgetful)
    live = await build(registry, {"bad": entry(npm="forgetful"), "good": entry()})
    assert [(id, provider.id) for id, provider in live.items()] == [("bad", "bad"), ("good", "good")]


async def test_a_provider_that_cannot_say_whether_it_has_a_model_is_passed_over(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.add_class(broken_at("provider_model", KeyError("no luck")))
    await build(registry, {"bad": entry("m", npm="broken"), "good": entry("m")})
    assert await found(registry, "m") == ["good"]
    assert warnings(caplog) == ["Provider bad is passed over: KeyError('no luck')"]


async def test_a_provider_that_cannot_list_its_models_lists_none(registry: Registry) -> None:
    class Broken(OpenAiCompatible):
        sdk = "broken"
        ready = False

        @property
        def models(self) -> Any:
            if self.ready:
                raise KeyError("no luck")
            return {}

    registry.add_class(Broken)
    await build(registry, {"bad": entry(npm="broken"), "good": entry("m")})
    Broken.ready = True
    assert [model["id"] for model in registry.models()] == ["m"]
    assert registry.default_model() == "m"
    with pytest.raises(ModelNotFound):
        await registry.find("unknown")


# -- finding ---------------------------------------------------------------------------------------------------


async def found(registry: Registry, model: str, *, prefer: str | None = None) -> list[str]:
    return [provider.id for provider in registry.candidates(model, prefer=prefer)]


@pytest.fixture
async def three(registry: Registry) -> Registry:
    await build(registry, {"a": entry("m", "only-a"), "b": entry("m", "org/llama-3"), "c": entry("m")})
    return registry


async def test_candidates_stand_in_the_order_of_the_configuration(three: Registry) -> None:
    assert await found(three, "m") == ["a", "b", "c"]


async def test_only_who_offers_the_model_is_a_candidate(three: Registry) -> None:
    assert await found(three, "only-a") == ["a"]


async def test_a_providers_name_before_the_model_moves_it_to_the_front(three: Registry) -> None:
    assert await found(three, "c/m") == ["c", "a", "b"]


async def test_a_preferred_provider_moves_to_the_front(three: Registry) -> None:
    assert await found(three, "m", prefer="b") == ["b", "a", "c"]


async def test_a_preference_beats_the_name_before_the_model(three: Registry) -> None:
    assert await found(three, "c/m", prefer="b") == ["b", "a", "c"]


@pytest.mark.parametrize("prefer", ["nobody", None, ""])
async def test_a_preference_nobody_meets_changes_nothing(three: Registry, prefer: str | None) -> None:
    assert await found(three, "m", prefer=prefer) == ["a", "b", "c"]


async def test_an_id_that_begins_with_a_maker_is_found_behind_a_providers_name(three: Registry) -> None:
    assert await found(three, "b/org/llama-3") == ["b"]


async def test_an_unknown_model_names_the_nearest(three: Registry) -> None:
    with pytest.raises(ModelNotFound) as raised:
        three.candidates("Only-B")
    assert str(raised.value) == "Model 'Only-B' not found. Did you mean only-a? Run `llms ls` to see all."


@pytest.mark.parametrize("length", [257, 10_000_000])
async def test_a_name_nobody_would_type_is_neither_compared_nor_repeated(three: Registry, length: int) -> None:
    with pytest.raises(ModelNotFound) as raised:
        three.candidates("only-a" * (length // 6 + 1))
    assert len(str(raised.value)) < 200


async def test_an_unknown_model_like_no_other_names_none(three: Registry) -> None:
    with pytest.raises(ModelNotFound, match=r"^Model 'zzz' not found\. Run `llms ls` to see all\.$"):
        three.candidates("zzz")


async def test_without_any_provider_it_says_how_to_get_one(registry: Registry) -> None:
    with pytest.raises(ModelNotFound, match=r"no provider is ready. Set an API key, or run `llms local install`\.$"):
        registry.candidates("m")


async def test_every_model_is_listed_with_its_provider_sorted_by_id(registry: Registry) -> None:
    await build(registry, {"b": entry("z", "m"), "a": entry("m", map_models={"public": "m"})})
    listed = [(model["id"], model["provider"], model["name"]) for model in registry.models()]
    assert listed == [("m", "b", "m"), ("public", "a", "public"), ("z", "b", "z")]


async def test_the_default_model_is_the_first_of_the_first_provider(registry: Registry) -> None:
    await build(registry, {"empty": entry(), "a": entry("m1", "m2"), "b": entry("m3")})
    assert registry.default_model() == "m1"


async def test_a_demo_model_is_the_default_only_where_there_is_no_other(registry: Registry) -> None:
    demo = {"toy": {"demo": True}}
    await build(registry, {"local": entry(models=demo), "a": entry("m1")})
    assert registry.default_model() == "m1"
    await build(registry, {"local": entry(models=demo)})
    assert registry.default_model() == "toy"


async def test_a_real_model_beside_a_demo_one_is_the_default(registry: Registry) -> None:
    await build(registry, {"local": entry(models={"toy": {"demo": True}, "mine": {}})})
    assert registry.default_model() == "mine"


async def test_without_models_there_is_no_default(registry: Registry) -> None:
    await build(registry, {"empty": entry()})
    assert registry.default_model() is None
