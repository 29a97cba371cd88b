"""Answers that are no text, made by generators of every shape."""

from typing import Any

import pytest

from llms.kernel.errors import ProviderError, RequestError
from llms.kernel.foreign import ExtensionError
from llms.kernel.types import Chat, Context
from llms.providers.generator import GeneratorBase
from llms.providers.http import HttpClient
from llms.providers.modality import generator_for
from llms.providers.openai_compatible import OpenAiCompatible
from llms.testing import FakeUpstream

from .asking import answer, text

CHAT: Chat = {"model": "m", "messages": [{"role": "user", "content": "A cat"}], "modalities": ["image", "text"]}


def completion(content: Any = "Here") -> Any:
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}]}


class WithContext(GeneratorBase):
    seen: Any = None

    async def chat(self, chat: Any, provider: Any = None, context: Any = None) -> Any:
        self.seen = (chat, provider, context)
        return completion()


class WithoutContext(GeneratorBase):
    seen: Any = None

    async def chat(self, chat: Any, provider: Any = None) -> Any:  # type: ignore[override]
        self.seen = (chat, provider, None)
        return completion()


class Sync(GeneratorBase):
    seen: Any = None

    def chat(self, chat: Any, provider: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        self.seen = (chat, provider, kwargs["context"])
        return completion()


class NotDerived:
    seen: Any = None

    async def chat(self, chat: Any, provider: Any = None) -> Any:
        self.seen = (chat, provider, None)
        return completion()


def made(generator: Any, **entry: Any) -> OpenAiCompatible:
    modalities = {"image": generator}
    return OpenAiCompatible(**{"id": "acme", "api": "http://127.0.0.1:9", "modalities": modalities, **entry})


@pytest.mark.parametrize("cls", [WithContext, WithoutContext, Sync, NotDerived])
async def test_the_first_modality_that_is_no_text_is_made_by_its_generator(cls: Any) -> None:
    generator = cls()
    provider = made(generator)
    assert text(await provider.chat(CHAT, {})) == "Here"
    assert generator.seen[1] is provider


@pytest.mark.parametrize("cls", [WithContext, Sync])
async def test_a_generator_that_takes_the_context_is_given_it(cls: Any) -> None:
    generator, context = cls(), Context(user="u")
    await made(generator).chat({**CHAT, "modalities": ["text", "image"]}, context)
    assert generator.seen[2] is context


async def test_a_stream_is_one_delta_and_an_end() -> None:
    (events,) = [events async for events in made(WithContext()).stream(CHAT)]
    assert [event.chunk["choices"][0]["finish_reason"] for event in events] == [None, "stop"]
    assert text(await answer(made(WithoutContext()), CHAT)) == "Here"


async def test_a_generator_is_never_asked_to_stream_and_edits_a_copy() -> None:
    class Editing(WithContext):
        async def chat(self, chat: Any, provider: Any = None, context: Any = None) -> Any:
            await super().chat(dict(chat), provider, context)
            chat["messages"].clear()
            return completion()

    generator = Editing()
    chat: Chat = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
    await answer(made(generator), chat)
    assert generator.seen[0]["stream"] is False
    assert "stream_options" not in generator.seen[0]
    assert chat["messages"] == [{"role": "user", "content": "A cat"}]


@pytest.mark.parametrize("error", [KeyError("choices"), ValueError("no luck"), NotImplementedError("no")])
async def test_whatever_a_generator_raises_becomes_ours(error: Exception) -> None:
    class Raising(GeneratorBase):
        async def chat(self, chat: Any, provider: Any = None, context: Any = None) -> Any:
            raise error

    with pytest.raises(ExtensionError) as raised:
        await made(Raising()).chat(CHAT)
    assert raised.value.extension == "acme"


@pytest.mark.parametrize("returned", [None, "image", [], {}, {"choices": ["image"]}])
async def test_an_answer_that_is_no_completion_is_refused(returned: Any) -> None:
    class Odd(GeneratorBase):
        async def chat(self, chat: Any, provider: Any = None, context: Any = None) -> Any:
            return returned

    with pytest.raises(ProviderError, match=r"acme.*\.$"):
        await made(Odd()).chat(CHAT)


@pytest.mark.parametrize(
    "modalities", [{}, {"image": {"npm": "never/built"}}, {"image": None}, {"audio": WithContext()}]
)
async def test_without_a_generator_provider_and_modality_are_named(modalities: Any) -> None:
    provider = made(None, modalities=modalities)
    with pytest.raises(RequestError, match=r"Provider 'acme' makes no image\.") as raised:
        await provider.chat(CHAT)
    assert raised.value.param == "modalities"


@pytest.mark.parametrize("asked", [None, [], ["text"], "image", [1], [None, {}]])
async def test_whatever_else_stands_under_modalities_is_the_vendors_business(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream, asked: Any
) -> None:
    chat: Any = {**CHAT, "modalities": asked}
    assert text(await provider.chat(chat)) == "ok"
    assert fake_upstream.requests[0].body["modalities"] == asked


async def test_a_model_that_is_known_to_make_it_needs_no_generator(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    provider.set_models(models={"m": {"modalities": {"input": ["text"], "output": ["text", "image"]}}, "n": {}})
    assert text(await provider.chat(CHAT)) == "ok"
    assert fake_upstream.requests[0].body["modalities"] == ["image", "text"]
    with pytest.raises(RequestError, match="makes no image"):
        await provider.chat({**CHAT, "model": "n"})


async def test_a_generator_comes_before_a_model_that_could_do_it_too(provider: OpenAiCompatible) -> None:
    provider.set_models(models={"m": {"modalities": {"output": ["image"]}}})
    provider.modalities["image"] = WithContext()
    assert text(await provider.chat(CHAT, {})) == "Here"


async def test_openais_own_audio_goes_to_the_model_that_speaks(
    provider: OpenAiCompatible, fake_upstream: FakeUpstream
) -> None:
    chat: Any = {**CHAT, "modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
    assert text(await provider.chat(chat)) == "ok"
    assert fake_upstream.requests[0].body["audio"] == chat["audio"]


async def test_a_provider_may_attach_a_generator_in_its_own_constructor(
    http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    class WithImages(OpenAiCompatible):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.modalities["image"] = WithContext(**kwargs)

    provider = WithImages(id="acme", api=fake_upstream.url, api_key="k")
    assert text(await provider.chat(CHAT)) == "Here"
    assert provider.modalities["image"].api_key == "k"


async def test_a_class_with_a_chat_of_its_own_may_leave_images_to_ours() -> None:
    class Own(OpenAiCompatible):
        async def chat(self, chat: Any, context: Any = None) -> Any:
            return await super().chat(chat, context)

    provider = Own(id="acme", api="http://127.0.0.1:9", modalities={"image": WithContext()})
    assert text(await provider.chat(CHAT)) == "Here"


# -- chats that do not say what they want, of models that can do nothing else -------------------------------------

PAINTER: Any = {"modalities": {"input": ["text"], "output": ["image"]}}
LISTENER: Any = {"modalities": {"input": ["audio"], "output": ["text"]}}
ASKED: Chat = {"model": "m", "messages": [{"role": "user", "content": "A cat"}]}
SPOKEN: Any = {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]}


def heard(model: str = "m") -> Chat:
    return {"model": model, "messages": [SPOKEN]}


def chosen(chat: Chat, facts: Any, model: str = "m", **modalities: Any) -> Any:
    """The generator that a provider of one model chooses, or None."""
    return generator_for(chat, made(None, modalities=modalities, models={model: facts}))


@pytest.mark.parametrize("asked", [{}, {"modalities": ["text"]}, {"modalities": ["image"]}])
def test_a_model_that_makes_only_images_is_asked_through_its_generator(asked: Any) -> None:
    painter = WithContext()
    assert chosen({**ASKED, **asked}, PAINTER, image=painter) is painter


@pytest.mark.parametrize("facts", [{}, {"modalities": {"output": ["text", "image"]}}, {"modalities": {}}])
def test_a_model_that_writes_as_well_answers_by_itself(facts: Any) -> None:
    assert chosen(ASKED, facts, image=WithContext()) is None


def test_a_model_that_makes_what_no_generator_does_answers_by_itself() -> None:
    assert chosen(ASKED, PAINTER, audio=WithContext()) is None


@pytest.mark.parametrize(
    ("model", "facts"),
    [("m", LISTENER), ("whisper-large-v3", {}), ("gpt-4o-transcribe", {}), ("openai/Whisper-1", PAINTER)],
)
def test_audio_for_a_model_that_only_listens_is_written_down(model: str, facts: Any) -> None:
    writer = WithContext()
    assert chosen(heard(model), facts, model, transcription=writer) is writer


@pytest.mark.parametrize(
    ("chat", "facts"),
    [
        (ASKED, LISTENER),
        (heard(), {}),
        (heard(), {"modalities": {"input": ["text", "audio"], "output": ["text"]}}),
    ],
)
def test_everything_else_is_the_models_own(chat: Chat, facts: Any) -> None:
    assert chosen(chat, facts, transcription=WithContext()) is None


async def test_a_generator_may_leave_a_model_to_itself(provider: OpenAiCompatible, fake_upstream: FakeUpstream) -> None:
    class OnlyTts(WithContext):
        def serves(self, model: str, facts: Any) -> bool:
            return model == "upstream-tts"

    names = {"tts": "upstream-tts", "talker": "talker"}
    provider.set_models(models={"upstream-tts": {}, "talker": {}}, map_models=names)
    provider.modalities["audio"] = OnlyTts()
    chat: Chat = {**ASKED, "modalities": ["audio"]}
    assert text(await provider.chat({**chat, "model": "tts"}, {})) == "Here"
    assert text(await provider.chat({**chat, "model": "talker"})) == "ok"
    assert len(fake_upstream.requests) == 1


async def test_a_generator_that_fails_to_say_whom_it_serves_is_an_error_of_the_extension() -> None:
    class Failing(WithContext):
        def serves(self, model: str, facts: Any) -> bool:
            raise KeyError(model)

    with pytest.raises(ExtensionError):
        await made(Failing()).chat(CHAT)
