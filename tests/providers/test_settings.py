"""What of a provider's entry can be read, and changed, as an attribute."""

import json
from typing import Any

import pytest

from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.settings import REQUEST_SETTINGS
from llms.providers.whole import streaming
from llms.testing import FakeUpstream

from .asking import CHAT, answer, text


def made(cls: Any = OpenAiCompatible, /, **entry: Any) -> Any:
    return cls(**{"id": "acme", "api": "http://127.0.0.1:9/v1", "api_key": "k", **entry})


@pytest.mark.parametrize("name", REQUEST_SETTINGS)
def test_every_request_setting_is_an_attribute(name: str) -> None:
    assert getattr(made(**{name: 5}), name) == 5
    assert getattr(made(), name) is None


async def test_a_setting_that_a_class_writes_is_sent(provider: Any, fake_upstream: FakeUpstream) -> None:
    provider.temperature, provider.seed = 0.25, 7
    provider.seed = None
    await provider.chat(CHAT)
    assert fake_upstream.requests[0].body == {**CHAT, "temperature": 0.25}


def test_what_else_an_entry_says_is_an_attribute_too() -> None:
    check = {"model": "m", "messages": []}
    provider = made(check=check, server_tools=["tool://a/b"], map_models={"m": "own"}, models={"own": {}})
    assert (provider.check, provider.server_tools, provider.map_models) == (check, ["tool://a/b"], {"m": "own"})
    assert made().map_models == {}


# -- stream ----------------------------------------------------------------------------------------------------


class NeverStreaming(OpenAiCompatible):
    stream = False  # type: ignore[assignment]


class Silent(OpenAiCompatible):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stream = False  # type: ignore[method-assign, assignment]


def test_stream_reads_as_the_setting() -> None:
    assert made().stream
    assert not made(stream=False).stream
    assert not made(NeverStreaming).stream
    assert made(NeverStreaming, stream=True).stream
    assert json.dumps({"stream": made().stream}) == '{"stream": 1}'


@pytest.mark.parametrize(("cls", "entry"), [(OpenAiCompatible, {"stream": False}), (NeverStreaming, {}), (Silent, {})])
async def test_a_provider_set_not_to_stream_is_asked_for_the_whole(
    http: HttpClient, fake_upstream: FakeUpstream, cls: Any, entry: Any
) -> None:
    provider = made(cls, api=fake_upstream.url, **entry)
    provider.http = http
    fake_upstream.enqueue_text("Hello")
    assert text(await answer(streaming(provider))) == "Hello"
    assert "stream" not in fake_upstream.requests[0].body


async def test_a_caller_who_says_stream_is_streamed_to_all_the_same(
    http: HttpClient, fake_upstream: FakeUpstream
) -> None:
    provider = made(api=fake_upstream.url, stream=False)
    provider.http = http
    fake_upstream.enqueue_stream("Hello")
    assert text(await answer(provider, {**CHAT, "stream": True})) == "Hello"
    assert fake_upstream.requests[0].body["stream"] is True


async def test_the_setting_may_change_while_it_lives(http: HttpClient, fake_upstream: FakeUpstream) -> None:
    provider = made(api=fake_upstream.url)
    provider.http = http
    for streamed in (True, False, True):
        provider.stream = streamed
        fake_upstream.enqueue_stream("Hello") if streamed else fake_upstream.enqueue_text("Hello")
        assert text(await answer(provider)) == "Hello"
    assert ["stream" in request.body for request in fake_upstream.requests] == [True, False, True]


async def test_a_class_that_is_none_of_ours_may_have_the_setting_too() -> None:
    class Foreign:
        id, stream = "foreign", True

        async def chat(self, chat: Any) -> Any:
            message = {"role": "assistant", "content": "Hello"}
            return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    assert text(await answer(streaming(Foreign()))) == "Hello"


# -- models ----------------------------------------------------------------------------------------------------


def test_models_may_be_assigned() -> None:
    provider = made(models={"old": {}})
    provider.models = {"new": {"id": "new"}}
    assert list(provider.models) == ["new"]
    assert (provider.provider_model("new"), provider.provider_model("old")) == ("new", None)


def test_models_may_be_added_and_taken_out_in_place() -> None:
    provider = made(models={"old": {}})
    provider.models["new"] = {"id": "new", "name": "New One", "cost": {"input": 1}}
    assert provider.provider_model("new one") == "new"
    assert provider.model_cost("new") == {"input": 1}
    del provider.models["new"]
    assert provider.provider_model("new") is None


def test_models_set_later_are_narrowed_as_the_entry_says() -> None:
    provider = made(models={}, include_models="^a", exclude_models="z$")
    provider.set_models(models={"ab": {}, "az": {}, "b": {}})
    assert list(provider.models) == ["ab"]
    provider.set_models(models={"ab": {}, "b": {}}, include_models=None)
    assert list(provider.models) == ["ab", "b"]
