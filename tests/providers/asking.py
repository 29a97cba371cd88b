"""Asks a provider: gives what it streams put together, or what it raises."""

from contextlib import aclosing
from typing import Any

import pytest

from llms.kernel.errors import ProviderError
from llms.kernel.types import Chat
from llms.providers.assembler import StreamAssembler
from llms.providers.openai_compatible import OpenAiCompatible

CHAT: Chat = {"model": "fake-model", "messages": [{"role": "user", "content": "Hi"}]}


async def answer(provider: Any, chat: Chat = CHAT) -> Any:
    """The streamed answer as one completion."""
    assembler = StreamAssembler()
    async with aclosing(provider.stream(chat)) as batches:
        async for events in batches:
            assembler.feed_all(events)
    return assembler.so_far()


def text(completion: Any) -> str:
    """What the first choice says."""
    return str(completion["choices"][0]["message"]["content"])


async def refusal(provider: OpenAiCompatible) -> ProviderError:
    """What asking raises."""
    with pytest.raises(ProviderError) as raised:
        await provider.chat(CHAT)
    assert raised.value.provider == "Acme"
    return raised.value


async def stream_refusal(provider: OpenAiCompatible) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        await answer(provider)
    assert raised.value.provider == "Acme"
    return raised.value
