"""Classes written for older versions: whatever of ours they do in their own way is what happens."""

import json
import time
from typing import Any

import aiohttp
import pytest

from llms.kernel.errors import ConfigError, ProviderError
from llms.kernel.foreign import ExtensionError
from llms.kernel.types import Chat, Context
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.whole import streaming
from llms.testing import FakeUpstream, sse

from .asking import CHAT, answer, text

FULL: Any = {**CHAT, "temperature": 1, "stream": True}


@pytest.fixture(params=["whole", "streamed"])
def ask(request: pytest.FixtureRequest, fake_upstream: FakeUpstream) -> Any:
    """Asks a provider, whole or streamed, whose vendor says Hello in whichever way it is asked."""

    async def asking(provider: Any, chat: Chat = FULL) -> Any:
        guest = streaming(provider)
        return await (guest.chat(chat, {}) if request.param == "whole" else answer(guest, chat))

    streamed = request.param == "streamed"
    asking.streamed = streamed  # type: ignore[attr-defined]
    return asking


class Lent:
    """Makes classes of providers whose vendor is `upstream`."""

    def __init__(self, http: HttpClient, upstream: FakeUpstream) -> None:
        self._http, self.upstream = http, upstream

    def __call__(self, cls: type[OpenAiCompatible], **entry: Any) -> Any:
        provider = cls(**{"id": "third", "name": "Third", "api": self.upstream.url, "api_key": "k", **entry})
        provider.http = self._http
        return provider

    def says(self, *texts: str, streamed: bool) -> None:
        if streamed:
            self.upstream.enqueue_stream(*texts, prompt_tokens=1, completion_tokens=1)
        else:
            self.upstream.enqueue_text("".join(texts))

    @property
    def body(self) -> Any:
        return self.upstream.requests[-1].body


@pytest.fixture
def lent(http: HttpClient, fake_upstream: FakeUpstream) -> Lent:
    return Lent(http, fake_upstream)


# -- the request -----------------------------------------------------------------------------------------------


class Dropping(OpenAiCompatible):
    async def process_chat(self, chat: Any, provider_id: Any = None) -> Any:
        chat = await super().process_chat(chat, provider_id)
        chat.pop("temperature", None)
        chat.pop("seed", None)
        chat["messages"].append({"role": "user", "content": f"to {provider_id} about {chat['model']}"})
        return chat


async def test_what_a_class_makes_of_the_request_is_sent(ask: Any, lent: Lent) -> None:
    lent.says("Hel", "lo", streamed=ask.streamed)
    chat = json.loads(json.dumps(FULL))
    provider = lent(Dropping, seed=7, top_p=0.5, map_models={"fake-model": "own"})
    assert text(await ask(provider, chat)) == "Hello"
    assert "temperature" not in lent.body
    assert "seed" not in lent.body  # a setting of the entry is dropped as well
    assert lent.body["top_p"] == 0.5
    assert lent.body["model"] == "own"
    assert lent.body["messages"][-1]["content"] == "to third about own"
    assert lent.body.get("stream") == (True if ask.streamed else None)
    assert chat == FULL


async def test_such_a_class_still_streams_piece_by_piece(lent: Lent) -> None:
    lent.says("Hel", "lo", streamed=True)
    batches = [event.chunk async for batch in streaming(lent(Dropping)).stream(FULL) for event in batch]
    assert [c["choices"][0]["delta"].get("content") for c in batches if c["choices"]] == ["", "Hel", "lo", None]


async def test_a_class_may_edit_the_request_in_place(ask: Any, lent: Lent) -> None:
    class InPlace(OpenAiCompatible):
        async def process_chat(self, chat: Any, provider_id: Any = None) -> Any:
            del chat["temperature"]

    lent.says("Hello", streamed=ask.streamed)
    assert text(await ask(lent(InPlace))) == "Hello"
    assert "temperature" not in lent.body


async def test_a_class_may_process_without_awaiting(ask: Any, lent: Lent) -> None:
    class Sync(OpenAiCompatible):
        def process_chat(self, chat: Any, provider_id: Any = None) -> Any:
            return {**chat, "extra": 1}

    lent.says("Hello", streamed=ask.streamed)
    await ask(lent(Sync))
    assert lent.body["extra"] == 1


async def test_a_class_may_refuse_to_stream(lent: Lent) -> None:
    class Never(OpenAiCompatible):
        async def process_chat(self, chat: Any, provider_id: Any = None) -> Any:
            return {**chat, "stream": False}

    lent.says("Hello", streamed=False)
    assert text(await answer(streaming(lent(Never)), FULL)) == "Hello"
    assert "stream" not in lent.body


async def test_a_class_may_write_its_own_settings(ask: Any, lent: Lent) -> None:
    class Settings(OpenAiCompatible):
        def init_chat(self, chat: Any) -> Any:
            super().init_chat(chat)
            chat["max_tokens"] = 5

    lent.says("Hello", streamed=ask.streamed)
    await ask(lent(Settings, top_p=0.5))
    assert (lent.body["max_tokens"], lent.body["top_p"], lent.body["temperature"]) == (5, 0.5, 1)


@pytest.mark.parametrize("returned", ["chat", 5, {"model": "m"}])
async def test_a_request_that_is_none_is_refused(ask: Any, lent: Lent, returned: Any) -> None:
    class Odd(OpenAiCompatible):
        async def process_chat(self, chat: Any, provider_id: Any = None) -> Any:
            return returned

    with pytest.raises(ProviderError, match=r"'third' returned .*, not a chat\. Mend its `process_chat`\."):
        await ask(lent(Odd))


async def test_whatever_a_class_raises_becomes_ours(ask: Any, lent: Lent) -> None:
    class Raising(OpenAiCompatible):
        async def process_chat(self, chat: Any, provider_id: Any = None) -> Any:
            raise KeyError("temperature")

    with pytest.raises(ExtensionError, match="KeyError"):
        await ask(lent(Raising))


# -- the answer ------------------------------------------------------------------------------------------------


async def test_what_a_class_makes_of_the_answer_is_what_is_given(ask: Any, lent: Lent) -> None:
    class Signing(OpenAiCompatible):
        def to_response(self, response: Any, chat: Any, started_at: Any, context: Any = None) -> Any:
            response = super().to_response(response, chat, started_at, context)
            response["choices"][0]["message"]["content"] += f" from {chat['model']}"
            return response

    lent.says("Hello", streamed=False)
    assert text(await ask(lent(Signing))) == "Hello from fake-model"


async def test_a_class_may_read_the_body_itself(ask: Any, lent: Lent) -> None:
    class Reading(OpenAiCompatible):
        async def response_json(self, response: Any) -> Any:
            assert isinstance(response, aiohttp.ClientResponse)
            message = {"role": "assistant", "content": (await response.json())["said"]}
            return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    lent.upstream.enqueue(b'{"said": "Hello"}')
    assert text(await ask(lent(Reading))) == "Hello"


async def test_a_class_may_answer_asynchronously(ask: Any, lent: Lent) -> None:
    class Async(OpenAiCompatible):
        async def to_response(self, response: Any, chat: Any, started_at: Any, context: Any = None) -> Any:
            return super().to_response(response, chat, started_at, context)

    lent.says("Hello", streamed=False)
    assert text(await ask(lent(Async))) == "Hello"


async def test_what_the_vendor_refuses_is_raised_before_a_class_sees_it(ask: Any, lent: Lent) -> None:
    class Seeing(OpenAiCompatible):
        def to_response(self, response: Any, chat: Any, started_at: Any, context: Any = None) -> Any:
            raise AssertionError(response)

    lent.upstream.enqueue_error(429, "Slow down")
    with pytest.raises(ProviderError, match="Slow down") as raised:
        await ask(lent(Seeing))
    assert raised.value.upstream_status == 429


async def test_a_class_may_read_a_stream_itself(lent: Lent) -> None:
    class Reading(OpenAiCompatible):
        async def handle_stream_response(self, response: Any, chat: Any, started_at: Any, context: Any = None) -> Any:
            completion: Any = await super().handle_stream_response(response, chat, started_at, context)
            completion["choices"][0]["message"]["content"] += "!"
            return completion

    lent.says("Hel", "lo", streamed=True)
    assert text(await answer(streaming(lent(Reading)), FULL)) == "Hello!"
    assert lent.body["stream"] is True


async def test_a_stream_answered_whole_does_not_reach_who_reads_streams(lent: Lent) -> None:
    class Reading(OpenAiCompatible):
        async def handle_stream_response(self, response: Any, chat: Any, started_at: Any, context: Any = None) -> Any:
            raise AssertionError

    lent.says("Hello", streamed=False)
    assert text(await answer(streaming(lent(Reading)), FULL)) == "Hello"


async def test_a_class_may_say_what_an_error_in_a_stream_means(lent: Lent) -> None:
    class Telling(OpenAiCompatible):
        def stream_error_message(self, error: Any, default: Any = None) -> str:
            return f"It said {error['reason']}, which is {default}"

    error = {"error": {"reason": "enough", "message": "no luck", "code": 429}}
    lent.upstream.enqueue(sse(error), headers={"Content-Type": "text/event-stream"})
    with pytest.raises(ProviderError, match="It said enough, which is Third: no luck") as raised:
        await answer(streaming(lent(Telling)), FULL)
    assert raised.value.upstream_status == 429


# -- a chat of one's own ---------------------------------------------------------------------------------------


class OwnChat(OpenAiCompatible):
    """As such classes are written: every step called by hand, over a session of their own."""

    async def chat(self, chat: Any, context: Any = None) -> Any:
        chat["model"] = self.provider_model(chat["model"]) or chat["model"]
        self.init_chat(chat)
        chat = await self.process_chat(chat, provider_id=self.id)
        chat.pop("metadata", None)
        self.summary = self.chat_summary(chat)
        started_at = time.time()
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                self.chat_url,
                headers=self.headers,
                data=json.dumps(chat),
                timeout=aiohttp.ClientTimeout(total=300),
            ) as response,
        ):
            if chat["stream"]:
                return await self.handle_stream_response(response, chat, started_at, context=context)
            return self.to_response(await self.response_json(response), chat, started_at, context=context)


async def test_a_chat_of_its_own_may_call_every_step_of_ours(ask: Any, lent: Lent) -> None:
    provider = lent(OwnChat, top_p=0.5, models={"fake-model": {"cost": {"input": 1, "output": 2}}})
    lent.says("Hello", streamed=False)
    assert text(await ask(provider, {**FULL, "metadata": {"threadId": 1}})) == "Hello"
    assert lent.body == {**FULL, "stream": False, "top_p": 0.5}
    assert lent.upstream.requests[-1].headers["Authorization"] == "Bearer k"
    assert json.loads(provider.summary) == lent.body


async def test_it_may_stream_by_itself(lent: Lent) -> None:
    provider: OwnChat = lent(OwnChat)
    lent.says("Hel", "lo", streamed=True)
    completion = await provider.chat({**FULL})
    assert text(completion) == "Hello"
    assert completion["usage"]["prompt_tokens"] == 1


async def test_a_chat_of_its_own_may_bend_ours(ask: Any, lent: Lent) -> None:
    class Wrapping(OpenAiCompatible):
        async def chat(self, chat: Any, context: Any = None) -> Any:
            chat["messages"] = chat["messages"][-1:]
            response: Any = await super().chat(chat, context)
            response["choices"][0]["message"]["content"] += "!"
            return response

    lent.says("Hello", streamed=False)
    assert text(await ask(lent(Wrapping))) == "Hello!"
    assert "stream" not in lent.body


async def test_an_object_may_be_given_a_chat_of_another(ask: Any, lent: Lent) -> None:
    provider = lent(OpenAiCompatible)
    ours = provider.chat

    async def louder(chat: Any, context: Any = None) -> Any:
        response = await ours(chat, context)
        response["choices"][0]["message"]["content"] += "!"
        return response

    provider.chat = louder
    lent.says("Hello", streamed=False)
    assert text(await ask(provider)) == "Hello!"


# -- our own steps ---------------------------------------------------------------------------------------------


def acme(**entry: Any) -> OpenAiCompatible:
    return OpenAiCompatible(**{"id": "acme", "name": "Acme", "api": "http://127.0.0.1:9/v1", "api_key": "k", **entry})


def completion(**fields: Any) -> Any:
    message = {"role": "assistant", "content": "Hello"}
    return {"id": "c1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], **fields}


def test_settings_are_written_where_the_chat_says_nothing() -> None:
    chat: Any = {"model": "m", "messages": [], "temperature": 0}
    assert acme(temperature=1, seed=7).init_chat(chat) is chat
    assert chat == {"model": "m", "messages": [], "temperature": 0, "seed": 7}


async def test_a_processed_chat_is_a_copy_that_says_whether_to_stream() -> None:
    chat: Any = {"model": "m", "messages": [{"role": "user"}], "tools": [], "metadata": {"threadId": 1}}
    processed = await acme().process_chat(chat)
    assert processed == {"model": "m", "messages": [{"role": "user"}], "stream": False}
    assert await acme().process_chat(processed, "acme") == processed
    assert processed["messages"][0] is not chat["messages"][0]


async def test_tools_and_the_callers_wish_to_stream_stay() -> None:
    chat: Any = {"model": "m", "messages": [], "tools": [{"type": "function"}], "stream": True}
    assert await acme().process_chat(chat) == chat


def test_an_answer_tells_duration_and_prices() -> None:
    provider = acme(models={"m": {"cost": {"input": 1, "output": 2.5}}})
    context: Context = {}
    told = provider.to_response(completion(), {"model": "m", "messages": []}, time.time() - 2, context=context)
    assert 2000 <= told["metadata"].pop("duration") < 10_000
    assert told["metadata"] == {"pricing": "1/2.5"}
    assert context["providerResponse"] is told


def test_an_answer_of_a_model_without_prices_tells_none() -> None:
    told = acme().to_response(completion(metadata={"vendor": 1}), {"model": "m", "messages": []}, time.time())
    assert told["metadata"].keys() == {"vendor", "duration"}


@pytest.mark.parametrize("response", [None, [], "Hello", {}, {"choices": None}, {"choices": ["Hello"]}])
def test_what_is_no_answer_is_refused(response: Any) -> None:
    with pytest.raises(ProviderError, match="Acme"):
        acme().to_response(response, {"model": "m", "messages": []}, 0)


async def test_a_stream_read_to_its_end_tells_of_itself_while_it_grows(lent: Lent) -> None:
    told: list[Any] = []

    async def checkpoint(message: Any) -> None:
        told.append(message["content"])

    provider = lent(OpenAiCompatible)
    lent.says("Hel", "lo", streamed=True)
    context: Any = {"checkpoint": checkpoint}
    async with aiohttp.ClientSession() as session, session.post(lent.upstream.url) as response:
        whole = await provider.handle_stream_response(response, CHAT, time.time(), context=context)
    assert text(whole) == "Hello"
    assert told[-1] == "Hello"
    assert context["providerResponse"] is whole


async def test_what_came_before_a_stream_broke_is_told(lent: Lent) -> None:
    told: list[Any] = []

    async def checkpoint(message: Any) -> None:
        told.append(message["content"])

    error = sse({"error": {"message": "no luck"}})
    lent.upstream.enqueue_stream("Hel", "lo", error)
    context: Any = {"checkpoint": checkpoint}
    async with aiohttp.ClientSession() as session, session.post(lent.upstream.url) as response:
        with pytest.raises(ProviderError, match="no luck"):
            await lent(OpenAiCompatible).handle_stream_response(response, CHAT, time.time(), context=context)
    assert told[-1] == "Hello"


async def test_a_provider_that_nobody_registered_says_so() -> None:
    with pytest.raises(ConfigError, match=r"'acme' is not registered\. Put it into ctx\.get_providers"):
        await acme().chat(CHAT)
