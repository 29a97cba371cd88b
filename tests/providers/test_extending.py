"""What extensions add to the registry: classes, generators, live providers of every shape."""

import logging
from typing import Any, ClassVar

import pytest

from llms.kernel import foreign
from llms.kernel.errors import ConfigError
from llms.kernel.limits import Limits
from llms.providers.generator import GeneratorBase
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import GroqProvider, OpenAiCompatible
from llms.providers.registry import Registry
from llms.testing import FakeUpstream

from .asking import CHAT, answer, text
from .configured import KEY, build, entry, warnings


@pytest.fixture
def registry(http: HttpClient) -> Registry:
    return Registry(http, environ={"PAINT_KEY": "of the painter"})


# -- finding by name -------------------------------------------------------------------------------------------


async def test_a_name_is_a_live_providers_id_or_a_classs_sdk(registry: Registry) -> None:
    live = await build(registry, {"acme": entry()})
    assert registry.get("acme") is live["acme"]
    assert registry.get("@ai-sdk/groq") is GroqProvider
    assert registry.get("nobody") is None


async def test_only_live_providers_are_registered_ones(registry: Registry) -> None:
    live = await build(registry, {"acme": entry()})
    assert registry.get_registered_provider("acme") is live["acme"]
    assert registry.get_registered_provider("@ai-sdk/groq") is None


# -- generators ------------------------------------------------------------------------------------------------


class Painter(GeneratorBase):
    sdk = "acme/image"
    loaded = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.given = kwargs

    async def load(self) -> None:
        self.loaded = True


IMAGE = {"image": {"name": "Acme Image", "npm": "acme/image"}}


async def test_a_modality_of_the_configuration_becomes_its_generator(registry: Registry) -> None:
    registry.add_class(Painter)
    live = await build(registry, {"acme": entry("m", modalities=IMAGE, width=512)})
    generator = live["acme"].modalities["image"]
    assert isinstance(generator, Painter)
    assert (generator.id, generator.name, generator.api_key) == ("acme", "Acme Image", KEY)
    assert generator.api == live["acme"].api
    assert generator.given["width"] == 512
    assert generator.http is registry.http
    assert generator.loaded


async def test_what_a_modality_says_of_itself_wins(registry: Registry) -> None:
    registry.add_class(Painter)
    own = {"npm": "acme/image", "id": "painter", "api": "http://127.0.0.1:9/paint", "api_key": "$PAINT_KEY", "width": 1}
    live = await build(registry, {"acme": entry(modalities={"image": own}, width=512)})
    generator = live["acme"].modalities["image"]
    assert (generator.id, generator.api, generator.api_key) == ("painter", own["api"], "of the painter")
    assert generator.given["width"] == 1


class Narrow(GeneratorBase):
    sdk = "acme/narrow"

    def __init__(self, size: int) -> None: ...


class Failing(GeneratorBase):
    sdk = "acme/failing"

    def __init__(self, **kwargs: Any) -> None:
        raise KeyError("no luck")


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ({"npm": "acme/unheard-of"}, "it needs an extension that speaks acme/unheard-of."),
        ({"npm": "@ai-sdk/groq"}, "@ai-sdk/groq is a provider, not a generator."),
        ({"npm": "acme/narrow"}, "unexpected keyword argument"),
        ({"npm": "acme/failing"}, "KeyError('no luck')"),
        ({}, "it names no generator."),
        ({"npm": ["x"]}, "it needs an extension that speaks ['x']."),
        ("acme/image", "it names no generator."),
        (None, "it names no generator."),
    ],
)
async def test_a_generator_that_cannot_be_made_costs_only_itself(
    registry: Registry, caplog: pytest.LogCaptureFixture, image: Any, told: str
) -> None:
    for cls in (Painter, Narrow, Failing):
        registry.add_class(cls)
    described = entry("m", modalities={"image": image, "audio": {"npm": "acme/image"}})
    live = await build(registry, {"acme": described, "good": entry()})
    assert list(live) == ["acme", "good"]
    assert list(live["acme"].modalities) == ["audio"]
    (warning,) = warnings(caplog)
    assert warning.startswith("Provider acme makes no image: ")
    assert told in warning


async def test_a_provider_that_is_not_ready_is_not_blamed_for_its_generators(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    await build(registry, {"acme": entry(api_key=None, modalities=IMAGE)})
    assert warnings(caplog) == []


async def test_a_generator_that_cannot_load_costs_only_itself(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    class Unloaded(Painter):
        sdk = "acme/unloaded"

        async def load(self) -> None:
            raise ValueError("no luck")

    registry.add_class(Unloaded)
    live = await build(registry, {"acme": entry(modalities={"image": {"npm": "acme/unloaded"}})})
    assert isinstance(live["acme"].modalities["image"], Unloaded)
    assert warnings(caplog) == ["Provider acme could not load its models: no luck"]


async def test_a_generator_may_be_any_object_with_a_chat(registry: Registry) -> None:
    class Bare:
        sdk = "acme/bare"

        def __init__(self, **kwargs: Any) -> None: ...

        async def chat(self, chat: Any, provider: Any = None) -> Any:
            message = {"role": "assistant", "content": "Here"}
            return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    registry.add_class(Bare)
    await build(registry, {"acme": entry("m", modalities={"image": {"npm": "acme/bare"}})})
    (provider,) = registry.candidates("m")
    assert text(await answer(provider, {**CHAT, "model": "m", "modalities": ["image"]})) == "Here"


async def test_a_generator_a_provider_attached_itself_is_given_the_shared_client(registry: Registry) -> None:
    class WithImages(OpenAiCompatible):
        sdk = "with-images"

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.modalities["image"] = Painter(**kwargs)

    registry.add_class(WithImages)
    live = await build(registry, {"acme": entry(npm="with-images")})
    assert live["acme"].modalities["image"].http is registry.http
    assert live["acme"].modalities["image"].loaded


# -- live providers --------------------------------------------------------------------------------------------


async def test_a_provider_that_an_extension_made_can_be_asked(registry: Registry, fake_upstream: FakeUpstream) -> None:
    made = OpenAiCompatible(id="own", api=fake_upstream.url, api_key="k", models={"fake-model": {}})
    registry.live["own"] = made
    (provider,) = registry.candidates("fake-model")
    assert text(await provider.chat(CHAT)) == "ok"


async def test_a_provider_that_brought_its_own_client_keeps_it(registry: Registry) -> None:
    own = HttpClient(Limits())
    made = OpenAiCompatible(id="own", api="http://127.0.0.1:9", api_key="k")
    made.http = own
    registry.live["own"] = made
    assert made.http is own


async def test_attachments_can_be_resolved_for_every_provider_and_generator(http: HttpClient) -> None:
    async def resolve(chat: Any) -> Any:
        return chat

    registry = Registry(http, resolve=resolve)
    registry.add_class(Painter)
    live = await build(registry, {"acme": entry(modalities=IMAGE)})
    assert live["acme"].resolve is resolve
    assert live["acme"].modalities["image"].resolve is resolve


class Handler:
    """As little as a provider can be."""

    id = "own"
    models: ClassVar[Any] = {"m": {"id": "m"}}

    def provider_model(self, model: str) -> Any:
        return model if model in self.models else None

    def model_info(self, model: str) -> Any:
        return self.models[model]

    def model_cost(self, model: str) -> Any:
        return None

    async def chat(self, chat: Any) -> Any:
        message = {"role": "assistant", "content": "Hello"}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


async def test_a_handler_is_registered_and_taken_back(registry: Registry) -> None:
    await build(registry, {"own": entry("m")})
    configured, handler = registry.live["own"], Handler()
    undo = registry.register_provider_handler("own", handler)
    assert registry.get("own") is handler
    assert text(await answer(registry.candidates("m")[0])) == "Hello"
    undo()
    undo()
    assert registry.get("own") is configured


def test_a_handler_that_cannot_answer_is_refused(registry: Registry) -> None:
    with pytest.raises(ConfigError, match=r"Provider 'own' has no method `chat`\."):
        registry.register_provider_handler("own", object())
    assert registry.live == {}


async def test_what_an_extension_did_by_itself_is_forgotten_with_it(registry: Registry) -> None:
    live = await build(registry, {"acme": entry("m")})
    configured = live["acme"]

    def load() -> None:
        registry.live["own"] = Handler()
        registry.live["acme"] = Handler()

    await foreign.call(load, extension="third")
    assert list(live) == ["acme", "own"]
    registry.forget("third")
    assert live == {"acme": configured}


async def test_a_provider_that_does_not_know_its_id_goes_by_the_one_it_has_here(registry: Registry) -> None:
    class Nameless(Handler):
        id = None  # type: ignore[assignment]

    registry.live["nameless"] = Nameless()
    (provider,) = registry.candidates("m")
    assert provider.id == "nameless"
    assert text(await answer(provider)) == "Hello"


# -- rubbish ---------------------------------------------------------------------------------------------------


def raising(*_: Any) -> Any:
    raise KeyError("no luck")


@pytest.mark.parametrize("models", [None, ["m"], "m", 5, property(raising)])
async def test_models_that_are_no_dict_are_none(
    registry: Registry, caplog: pytest.LogCaptureFixture, models: Any
) -> None:
    await build(registry, {"good": entry("good")})
    registry.live["odd"] = type("Odd", (Handler,), {"models": models})()
    assert [model["id"] for model in registry.models()] == ["good"]
    assert registry.default_model() == "good"
    assert all("Provider odd cannot tell its models" in warning for warning in warnings(caplog))
    assert warnings(caplog)


async def test_a_model_that_is_none_is_left_out(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    registry.live["odd"] = type("Odd", (Handler,), {"models": {"m": {"id": "m"}, "n": None, 5: {}}})()
    assert [model["id"] for model in registry.models()] == ["m"]
    assert warnings(caplog) == ["Provider odd: 'n' in its `models` is no model, and is left out."]


@pytest.mark.parametrize("found", [5, True, {"id": "m"}, ["m"]])
async def test_a_provider_that_answers_a_name_with_something_else_is_passed_over(
    registry: Registry, caplog: pytest.LogCaptureFixture, found: Any
) -> None:
    await build(registry, {"good": entry("m")})
    registry.live["odd"] = type("Odd", (Handler,), {"provider_model": lambda *_: found})()
    assert [provider.id for provider in registry.candidates("m")] == ["good"]
    assert "Provider odd is passed over" in warnings(caplog)[0]


@pytest.mark.parametrize("rubbish", [None, 5, "provider", object(), OpenAiCompatible])
async def test_whatever_stands_among_the_live_providers_harms_nobody(registry: Registry, rubbish: Any) -> None:
    await build(registry, {"good": entry("m")})
    registry.live["odd"] = rubbish
    assert [provider.id for provider in registry.candidates("m")] == ["good"]
    assert [model["id"] for model in registry.models()] == ["m"]


async def test_a_provider_that_changes_the_registry_while_it_is_asked_harms_nobody(registry: Registry) -> None:
    class Spreading(Handler):
        def provider_model(self, model: str) -> Any:
            registry.live[f"copy {len(registry.live)}"] = Handler()
            return None

        @property
        def models(self) -> Any:
            registry.live[f"copy {len(registry.live)}"] = Handler()
            return {}

    registry.live["spreading"] = Spreading()
    await build(registry, {"good": entry("m")})
    assert [provider.id for provider in registry.candidates("m")] == ["good"]
    assert {model["provider"] for model in registry.models()} == {"good", "copy 2"}


@pytest.mark.parametrize("question", ["model_info", "model_cost"])
async def test_facts_that_are_no_dict_are_an_error_of_the_provider(registry: Registry, question: str) -> None:
    registry.live["odd"] = type("Odd", (Handler,), {question: lambda *_: ["m"]})()
    (provider,) = registry.candidates("m")
    with pytest.raises(Exception, match=f"returned list, not a dict or None. Mend its `{question}`"):
        getattr(provider, question)("m")


async def test_questions_may_take_any_arguments_or_none(registry: Registry) -> None:
    class Plain(OpenAiCompatible):
        sdk = "plain"

        def test(self) -> bool:  # type: ignore[override]
            return self.validate() is None

        def validate(self) -> str | None:  # type: ignore[override]
            return None if self.api_key else "No key. Get one."

    class Some(OpenAiCompatible):
        sdk = "some"

        def test(self, id: str, api_key: str | None = None) -> bool:  # type: ignore[override]
            return (id, api_key) == ("some", KEY)

    registry.add_class(Plain)
    registry.add_class(Some)
    assert list(await build(registry, {"plain": entry(npm="plain"), "some": entry(npm="some")})) == ["plain", "some"]
    config = {"providers": {"plain": entry(npm="plain", api_key=None)}}
    assert registry.why_not("plain", config, {}) == "No key. Get one."


async def test_a_reason_that_is_no_text_is_told_as_one(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    class Odd(OpenAiCompatible):
        sdk = "odd"

        def test(self, **_: Any) -> bool:
            return False

        def validate(self, **_: Any) -> Any:
            return {"no": "luck"}

    caplog.set_level(logging.INFO)
    registry.add_class(Odd)
    assert list(await build(registry, {"odd": entry(npm="odd"), "good": entry()})) == ["good"]
    assert "Provider odd is skipped: {'no': 'luck'}" in caplog.messages
