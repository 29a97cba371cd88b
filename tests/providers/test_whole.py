"""Third-party classes that only have `chat`, made to stream."""

import threading
from collections.abc import AsyncGenerator
from typing import Any
from unittest.mock import ANY

import pytest

from llms.kernel.errors import ProviderError, RequestError
from llms.kernel.foreign import ExtensionError
from llms.kernel.types import Chat, Completion, Context
from llms.providers.events import StreamEvent
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.whole import WholeAnswers, streaming
from llms.testing import FakeUpstream

from .asking import CHAT, answer, text


def completion(content: str = "Hello") -> Any:
    message = {"role": "assistant", "content": content}
    return {
        "id": "c1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3},
    }


class ThirdParty:
    """What every such class has in common."""

    id = "third"
    name = "Third"

    def provider_model(self, model: str) -> str | None:
        return model


class WithContext(ThirdParty):
    context: Any = None

    async def chat(self, chat: Any, context: Any = None) -> Any:
        self.context = context
        return completion()


class WithoutContext(ThirdParty):
    async def chat(self, chat: Any) -> Any:
        return completion()


class WithKeywords(ThirdParty):
    context: Any = None

    async def chat(self, chat: Any, **kwargs: Any) -> Any:
        self.context = kwargs["context"]
        return completion()


class Sync(ThirdParty):
    thread = 0

    def chat(self, chat: Any, context: Any = None) -> Any:
        self.thread = threading.get_ident()
        return completion()


@pytest.mark.parametrize("cls", [WithContext, WithoutContext, WithKeywords, Sync])
async def test_a_class_with_only_chat_streams(cls: Any) -> None:
    assert await answer(streaming(cls())) == {**completion(), "object": "chat.completion", "created": ANY, "model": ""}


async def test_its_answer_is_one_delta_and_an_end() -> None:
    (events,) = [events async for events in streaming(WithContext()).stream(CHAT)]
    choices = [event.chunk["choices"][0] for event in events]
    assert [(choice["delta"].get("content"), choice["finish_reason"]) for choice in choices] == [
        ("Hello", None),
        (None, "stop"),
    ]


@pytest.mark.parametrize("cls", [WithContext, WithKeywords])
async def test_the_context_is_handed_to_a_class_that_takes_it(cls: Any) -> None:
    provider = cls()
    context: Context = {"user": "u"}
    await streaming(provider).chat(CHAT, context)
    assert provider.context is context


async def test_a_sync_chat_does_not_hold_the_event_loop() -> None:
    provider = Sync()
    await streaming(provider).chat(CHAT)
    assert provider.thread not in (0, threading.get_ident())


async def test_a_class_that_edits_the_chat_edits_a_copy() -> None:
    class Editing(ThirdParty):
        async def chat(self, chat: Any) -> Any:
            chat["model"] = "own"
            chat["messages"][0]["content"] = "edited"
            chat["messages"].clear()
            return completion()

    chat: Chat = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    await streaming(Editing()).chat(chat)
    assert chat == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("choices"), "KeyError('choices')"),
        (ValueError("no luck"), "no luck"),
        (TimeoutError(), "TimeoutError"),
    ],
)
async def test_whatever_it_raises_becomes_ours(error: Exception, message: str) -> None:
    class Raising(ThirdParty):
        async def chat(self, chat: Any) -> Any:
            raise error

    with pytest.raises(ExtensionError) as raised:
        await answer(streaming(Raising()))
    assert (str(raised.value), raised.value.extension) == (message, "third")


async def test_an_error_of_ours_that_it_raises_passes_unchanged() -> None:
    class Refusing(ThirdParty):
        async def chat(self, chat: Any) -> Any:
            raise RequestError("Too long. Say it in fewer words.")

    with pytest.raises(RequestError, match="fewer words"):
        await streaming(Refusing()).chat(CHAT)


@pytest.mark.parametrize("returned", [None, "Hello", [], {}, {"choices": None}, {"choices": ["Hello"]}])
async def test_an_answer_that_is_no_completion_is_refused(returned: Any) -> None:
    class Odd(ThirdParty):
        async def chat(self, chat: Any) -> Any:
            return returned

    with pytest.raises(ProviderError, match=r"third.*\.$"):
        await streaming(Odd()).chat(CHAT)


def test_anything_else_is_asked_of_the_class_itself() -> None:
    provider = WithContext()
    wrapped = streaming(provider)
    assert (wrapped.id, wrapped.name, wrapped.provider_model("m")) == ("third", "Third", "m")


def test_what_the_class_lacks_the_wrapper_lacks() -> None:
    assert not hasattr(streaming(WithContext()), "check")


# -- derived from ours -----------------------------------------------------------------------------------------


class OwnChat(OpenAiCompatible):
    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        return completion("mine")  # type: ignore[no-any-return]


class OwnStream(OpenAiCompatible):
    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        yield [StreamEvent({"choices": [{"index": 0, "delta": {"content": "mine"}, "finish_reason": "stop"}]})]


class OwnRequest(OpenAiCompatible):
    def build_request(self, chat: Chat, *, stream: bool) -> bytes:
        return super().build_request(chat, stream=stream)


class DerivedFromOwnChat(OwnChat):
    sdk = "derived"


def made(cls: type[OpenAiCompatible]) -> OpenAiCompatible:
    return cls(id="third", api="http://127.0.0.1:9/v1", api_key="k")


@pytest.mark.parametrize("cls", [OwnChat, DerivedFromOwnChat])
async def test_a_chat_of_its_own_is_what_a_stream_gives(cls: type[OpenAiCompatible]) -> None:
    assert text(await answer(streaming(made(cls)))) == "mine"


async def test_a_stream_of_its_own_is_used() -> None:
    assert text(await answer(streaming(made(OwnStream)))) == "mine"


async def test_a_class_that_leaves_both_alone_streams_as_ours_does(
    http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    provider = OwnRequest(id="third", api=fake_upstream.url, api_key="k")
    provider.http = http
    fake_upstream.enqueue_stream("Hel", "lo")
    assert text(await answer(streaming(provider))) == "Hello"


def test_a_class_of_ours_needs_no_border() -> None:
    provider: Any = made(OpenAiCompatible)
    assert streaming(provider) is provider


def test_a_wrapped_provider_is_not_wrapped_again() -> None:
    wrapped = streaming(WithContext())
    assert isinstance(wrapped, WholeAnswers)
    assert streaming(wrapped) is wrapped
