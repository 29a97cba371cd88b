"""One chat from request to answer: the paragraph to read first.

A chat is given its context; request filters may change it; it is checked and its attachments are fetched; the
providers that offer its model are the candidates; each attempt shapes the chat for its provider; the first candidate
whose answer begins has it, and from then on nothing is tried again; its tokens and cost are counted; response filters
see the whole. Whatever fails for good passes the error filters on its way out.
"""

import os
import time
import traceback
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import cast

from llms.chat import usage
from llms.chat.failover import Retrying, first_answer
from llms.chat.prepare import prepare
from llms.kernel.config import Config
from llms.kernel.errors import RequestError
from llms.kernel.hooks import Hooks
from llms.kernel.types import Chat, Chunk, Completion, Context, Json
from llms.media.converter import Converter
from llms.media.inline import Fetch, inlined
from llms.providers import shapes
from llms.providers.assembler import StreamAssembler
from llms.providers.base import Provider
from llms.providers.events import StreamEvent
from llms.providers.registry import Registry

LONGEST_NAME = 256  # characters of a model's name


class Pipeline:
    """Answers chats. `complete` gives the whole answer, `stream` gives it as it comes."""

    def __init__(self, *, config: Config, hooks: Hooks, registry: Registry, fetch: Fetch, converter: Converter) -> None:
        self.config, self.hooks, self.registry, self.fetch = config, hooks, registry, fetch
        self.converter = converter

    async def complete(self, chat: Chat, context: Context | None = None) -> Completion:
        """The whole answer, with usage, duration and cost. Raises LlmsError."""
        context = begin(chat, context)
        async with _ErrorFilters(self.hooks, context):
            chat = await self._admitted(chat, context)

            async def attempt(provider: Provider) -> Completion:
                answer: Completion = await provider.chat(self._shaped(provider, chat, context), context)
                return answer

            completion = await first_answer(await self._candidates(chat, context), attempt, **self._retrying(context))
            await self._account(completion, context)
            return completion

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        """The answer's events, each list what arrived together. Raises LlmsError, before or after the first.

        Closing the iterator closes the provider's connection.
        """
        context = begin(chat, context)
        assembler = StreamAssembler(model=str(chat.get("model"))) if self.hooks.chat_response else None
        async with _ErrorFilters(self.hooks, context):
            chat = await self._admitted(chat, context)

            async def attempt(provider: Provider) -> Begun:
                return await Begun.open(provider.stream(self._shaped(provider, chat, context), context))

            begun = await first_answer(await self._candidates(chat, context), attempt, **self._retrying(context))
            async with aclosing(begun.events()) as batches:
                async for batch in batches:
                    events = await self._filtered(batch, context) if self.hooks.chat_delta else batch
                    _count_usage(events, context)
                    if assembler is not None:
                        assembler.feed_all(events)
                    yield events
                    if context.get("cancelled") or context.get("completed"):
                        break
            if assembler is not None:
                await self._account(assembler.so_far(), context)

    async def _admitted(self, chat: Chat, context: Context) -> Chat:
        """`chat` as the request filters leave it, checked, its attachments fetched."""
        await self.hooks.chat_request(chat, context)
        check(chat)
        limits = (self.config.data.get("convert") or {}).get("image") or {}
        fit = self.converter.for_chat(**{key: limits[key] for key in ("max_size", "max_length") if key in limits})
        return await inlined(chat, fetch=self.fetch, local_files=context.get("local_files", False), convert=fit)

    async def _candidates(self, chat: Chat, context: Context) -> list[Provider]:
        """Every provider that can answer, the preferred one first."""
        preferred = context.get("provider") or chat.get("provider")
        return await self.registry.find(chat["model"], prefer=preferred if isinstance(preferred, str) else None)

    def _shaped(self, provider: Provider, chat: Chat, context: Context) -> Chat:
        """`chat` as `provider` shall get it; `context` now tells of this attempt."""
        model = provider.model_info(chat["model"])
        context["provider"] = provider.id
        context["modelInfo"] = model
        context["modelCost"] = provider.model_cost(chat["model"])
        context["startedAt"] = time.time()
        return prepare(chat, model)

    def _retrying(self, context: Context) -> Retrying:
        """How often to try, and whom to tell."""

        async def on_retry(status: str) -> None:
            await self.hooks.chat_status(status, context)

        return {"rounds": self.config.limits.retries, "on_retry": on_retry}

    async def _filtered(self, events: list[StreamEvent], context: Context) -> list[StreamEvent]:
        """The events as the delta filters leave them. What they return counts only if it is a chunk."""
        kept = []
        for event in events:
            chunk = await self.hooks.chat_delta.transform(event.chunk, context)
            if chunk is None:
                continue
            sound = next(filter(shapes.is_answer, (chunk, event.chunk)), None)
            if sound is not None:
                kept.append(StreamEvent(cast(Chunk, sound)))
        return kept

    async def _account(self, completion: Completion, context: Context) -> None:
        """Counts what the answer took, then shows it to the response filters."""
        usage.account(completion, context)
        context["providerResponse"] = cast(Json, completion)
        await self.hooks.chat_response(completion, context)


def _count_usage(events: list[StreamEvent], context: Context) -> None:
    """Writes duration and cost beside the usage, where an event tells it."""
    for event in events:
        if not event.plain and event.chunk.get("usage"):
            usage.count(cast(Json, event.chunk), context)
            event.raw = None


def begin(chat: Chat, context: Context | None) -> Context:
    """`context` with what every chat has in it."""
    context = {} if context is None else context
    context.setdefault("chat", chat)
    if "request_id" not in context:
        context["request_id"] = os.urandom(16).hex()
    context.setdefault("tools", "all")
    context.setdefault("startedAt", time.time())
    return context


def check(chat: Chat) -> None:
    """Raises RequestError where `chat` is nothing a provider could be asked."""
    model, messages = chat.get("model"), chat.get("messages")
    if not model:
        raise RequestError("Model not specified. Name one in `model`; `llms ls` shows them.", param="model")
    if not isinstance(model, str):
        raise RequestError("`model` must be a string.", param="model")
    if len(model) > LONGEST_NAME:
        raise RequestError(f"`model` is longer than {LONGEST_NAME} characters. Name a model.", param="model")
    if not isinstance(messages, list):
        raise RequestError("`messages` must be a list of messages.", param="messages")
    if not messages:
        raise RequestError("`messages` is empty. Send at least one message.", param="messages")
    for i, message in enumerate(messages):
        _check_message(message, f"messages[{i}]")


def _check_message(message: object, name: str) -> None:
    if not isinstance(message, dict):
        raise RequestError(f"`{name}` must be an object with `role` and `content`.", param="messages")
    if not isinstance(message.get("role"), str):
        raise RequestError(f"`{name}.role` must be a string such as 'user'.", param="messages")
    content = message.get("content")
    if not isinstance(content, str | list | None):
        raise RequestError(f"`{name}.content` must be a string or a list of parts.", param="messages")
    if isinstance(content, list) and not all(isinstance(part, dict | str) for part in content):
        raise RequestError(f"`{name}.content` must hold objects, such as a part of type text.", param="messages")


@dataclass(slots=True)
class Begun:
    """A stream whose first events are here: the point after which nothing is tried again."""

    first: list[StreamEvent]
    rest: AsyncGenerator[list[StreamEvent]]

    @classmethod
    async def open(cls, stream: AsyncGenerator[list[StreamEvent]]) -> "Begun":
        return cls(await anext(stream, []), stream)

    async def events(self) -> AsyncGenerator[list[StreamEvent]]:
        async with aclosing(self.rest):
            yield self.first
            async for events in self.rest:
                yield events


class _ErrorFilters:
    """Hands whatever ends the block to the error filters; it goes on its way afterwards."""

    def __init__(self, hooks: Hooks, context: Context) -> None:
        self._hooks, self._context = hooks, context

    async def __aenter__(self) -> None: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and self._hooks.chat_error:
            self._context.setdefault("stackTrace", "".join(traceback.format_exception(error)))
            await self._hooks.chat_error(error, self._context)
