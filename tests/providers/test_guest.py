"""Third-party classes that stream by themselves: what they raise becomes ours."""

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest

from llms.kernel.errors import ProviderError, StreamCut
from llms.kernel.foreign import ExtensionError
from llms.kernel.types import Chat, Context
from llms.providers.events import StreamEvent
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.whole import streaming

from .asking import CHAT, answer, text

HELLO = StreamEvent({"choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": "stop"}]})


class Streaming(OpenAiCompatible):
    """Yields what it is told to, raises what it is told to."""

    def __init__(self, *batches: Any) -> None:
        super().__init__(id="third", api="http://127.0.0.1:9/v1", api_key="k")
        self.batches = batches
        self.closed = False

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[Any]:
        try:
            for batch in self.batches:
                if isinstance(batch, Exception):
                    raise batch
                yield batch
        finally:
            self.closed = True


FOREIGN = [ValueError("no luck"), aiohttp.ClientError("no luck"), ConnectionResetError("no luck")]


@pytest.mark.parametrize("error", FOREIGN, ids=repr)
@pytest.mark.parametrize("before", [[], [[HELLO]]])
async def test_what_a_stream_raises_becomes_ours(error: Exception, before: Any) -> None:
    with pytest.raises(ExtensionError, match=r"^no luck$") as raised:
        await answer(streaming(Streaming(*before, error)))
    assert raised.value.extension == "third"


async def test_an_error_of_ours_passes_unchanged() -> None:
    ours = StreamCut("Cut. Try again.")
    with pytest.raises(StreamCut) as raised:
        await answer(streaming(Streaming(ours)))
    assert raised.value is ours


async def test_what_it_streams_goes_through() -> None:
    assert text(await answer(streaming(Streaming([HELLO])))) == "Hello"


@pytest.mark.parametrize("batch", [HELLO, ["Hello"], "Hello", None])
async def test_what_is_no_list_of_events_is_refused(batch: Any) -> None:
    with pytest.raises(ProviderError, match=r"'third' returned .*, not a list of StreamEvent\. Mend its `stream`\.$"):
        await answer(streaming(Streaming(batch)))


async def test_a_reader_that_leaves_closes_the_stream() -> None:
    provider = Streaming([HELLO], [HELLO])
    stream = streaming(provider).stream(CHAT)
    await anext(stream)
    await stream.aclose()
    assert provider.closed


async def test_a_chat_that_is_edited_is_a_copy() -> None:
    class Editing(Streaming):
        async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[Any]:
            chat["messages"].clear()
            yield [HELLO]

    chat: Chat = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    await answer(streaming(Editing()), chat)
    assert chat == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize("question", ["model_info", "model_cost"])
async def test_what_it_raises_when_asked_for_facts_becomes_ours(question: str) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("m")

    provider = type("Broken", (Streaming,), {question: broken})()
    with pytest.raises(ExtensionError, match="KeyError"):
        getattr(streaming(provider), question)("m")
