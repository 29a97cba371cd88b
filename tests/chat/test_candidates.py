"""Which provider answers a chat, and which is asked when one fails."""

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest

from llms.kernel.errors import ProviderError
from llms.kernel.types import Chat, Completion, Context, Model
from llms.providers.events import StreamEvent
from llms.testing import FakeProvider, make_app

from .recorder import BOTH, Recorder, add, refusing


@BOTH
async def test_the_next_provider_answers_where_the_first_fails(streamed: bool) -> None:
    async with make_app() as server:
        server.provider.enqueue(refusing(500))
        other = add(server, "other")
        other.enqueue("from the other")
        reply = await server.chat(stream=streamed)
    assert reply.text == "from the other"
    assert (len(server.provider.history), len(other.history)) == (1, 1)


@BOTH
async def test_the_status_filters_are_told_that_another_attempt_follows(streamed: bool) -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        server.provider.enqueue(refusing(500, "Busy."))
        add(server, "other")
        await server.chat(stream=streamed)
    assert recorder.subject("status") == "Busy. Now asking other."


async def test_an_attempt_that_succeeds_tells_no_status() -> None:
    recorder = Recorder()
    async with make_app(recorder) as server:
        await server.chat()
    assert "status" not in recorder.hooks


@BOTH
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_provider_that_refused_for_good_is_not_asked_again(
    status: int, streamed: bool, no_waiting: list[float]
) -> None:
    async with make_app() as server:
        server.provider.enqueue(refusing(status))
        reply = await server.chat(stream=streamed)
        assert len(server.provider.history) == 1
    assert reply.status == status


@BOTH
@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, None])
async def test_a_provider_that_may_recover_is_asked_again(
    status: int | None, streamed: bool, no_waiting: list[float]
) -> None:
    async with make_app() as server:
        server.provider.enqueue(ProviderError("busy", status=status), "Hello")
        assert (await server.chat(stream=streamed)).text == "Hello"


async def test_the_trying_ends_after_the_configured_rounds(no_waiting: list[float]) -> None:
    async with make_app(config={"limits": {"retries": 2}}) as server:
        server.provider.enqueue(*[refusing(500)] * 5)
        assert (await server.chat()).status == 502
        assert len(server.provider.history) == 2


async def test_a_retry_after_is_waited_for(no_waiting: list[float]) -> None:
    async with make_app() as server:
        server.provider.enqueue(refusing(429, retry_after=3.0), "Hello")
        await server.chat()
    [wait] = no_waiting
    assert wait >= 3.0


async def test_a_retry_after_longer_than_a_caller_would_wait_ends_the_trying(no_waiting: list[float]) -> None:
    async with make_app() as server:
        server.provider.enqueue(refusing(429, retry_after=60.0))
        reply = await server.chat()
        assert len(server.provider.history) == 1
    assert (reply.status, reply.headers["Retry-After"]) == (429, "60")


@BOTH
@pytest.mark.parametrize("chosen", [{"model": "other/fake-model"}, {"provider": "other"}])
async def test_the_provider_a_caller_names_is_asked_first(chosen: dict[str, Any], streamed: bool) -> None:
    async with make_app() as server:
        other = add(server, "other")
        await server.chat(**{"stream": streamed, **chosen})
        assert (len(server.provider.history), len(other.history)) == (0, 1)


async def test_the_provider_a_request_filter_names_is_asked_first() -> None:
    async with make_app(Recorder(request=lambda _, context: context.update(provider="other"))) as server:
        other = add(server, "other")
        await server.chat()
        assert len(other.history) == 1


async def test_each_attempt_gets_the_chat_as_the_filters_left_it() -> None:
    class Editing(FakeProvider):
        async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
            chat["messages"].clear()
            raise refusing(500)

    async with make_app() as server:
        live = server.app.registry.live
        live.clear()
        live.update({"editing": Editing("editing"), "fake": server.provider})
        assert (await server.chat("Hi")).status == 200
        assert server.provider.history[0]["messages"] == [{"role": "user", "content": "Hi"}]


class Failing(FakeProvider):
    """A provider of an extension whose every answer fails before it begins, with an error that is not ours."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__("failing")
        self._errors = errors

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        for error in self._errors:
            raise error
        yield []


class Unsure(FakeProvider):
    """A provider of an extension that cannot tell what it knows of a model."""

    def model_info(self, model: str) -> Model | None:
        raise KeyError(model)


class Reserved(FakeProvider):
    """A provider of an extension that cannot tell what it wants to see again."""

    @property
    def replays(self) -> frozenset[str]:
        raise KeyError("no luck")


@pytest.mark.parametrize(
    "failing",
    [
        Failing(ValueError("no luck")),
        Failing(aiohttp.ClientError("no luck")),
        Failing(ConnectionResetError("no luck")),
        Unsure("failing"),
        Reserved("failing"),
    ],
)
@BOTH
async def test_a_provider_of_an_extension_that_fails_is_followed_by_the_next(
    failing: FakeProvider, streamed: bool
) -> None:
    async with make_app() as server:
        live = server.app.registry.live
        live.clear()
        live.update({"failing": failing, server.provider.id: server.provider})
        reply = await server.chat(stream=streamed)
    assert (reply.status, reply.text) == (200, "ok")
