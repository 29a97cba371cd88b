"""A provider whose vendor speaks a dialect of its own: what one has to say that differs from another."""

from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any, ClassVar, Protocol, cast

import msgspec

from llms.kernel.types import Chat, Chunk, Completion, Context, Json, Message, ToolCall
from llms.providers import replies, shapes
from llms.providers.events import StreamEvent
from llms.providers.forms import Reading
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.reading import Decoder, EventReader


class Translator(Protocol):
    """Reads one stream. Each event in, the chunks out that say the same in OpenAI's words; often none, or one.

    A chunk with a `finish_reason` must come before the stream ends: a stream without one was cut. An error inside the
    stream is raised as ProviderError.
    """

    def feed(self, event: Json) -> Iterable[Chunk]: ...


class DialectProvider(OpenAiCompatible):
    """Base of providers that do not speak OpenAI's dialect.

    A class says in OpenAI's words what a vendor says in its own, and the other way round, without any I/O:
    `request_body`, `completion` and `translator`. Where the request goes is `destination`'s to tell.

    What a chat has that the dialect cannot say is left out with `self.leftovers`, never silently. What an answer has
    that OpenAI's words cannot say, and the vendor wants to see again, travels in the fields of `replays`.
    """

    replays: frozenset[str] = frozenset(("reasoning_content", "reasoning_details", "provider_metadata", "images"))

    has_custom_tools: ClassVar[bool] = False  # whether it can say a tool call whose argument is free text

    def request_body(self, chat: Chat, *, stream: bool) -> Json:
        """`chat` in the vendor's words, as a new dict. Its model is already the vendor's own id."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to ask. Give it a `request_body`.")

    def completion(self, answer: Json) -> Completion:
        """The vendor's whole answer in OpenAI's words. Raises ProviderError where it is none."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to read an answer. Give it a `completion`.")

    def translator(self) -> Translator:
        """A new reader of one stream's events."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to read a stream. Give it a `translator`.")

    def decoder(self) -> Decoder | None:
        """What cuts a stream into events; None for Server-Sent Events."""
        return None

    # -- how the base class asks -------------------------------------------------------------------------------

    def addressed(self, chat: Chat) -> Chat:
        own = super().addressed(chat)
        if not self.has_custom_tools:
            own["messages"] = [_with_functions(message) for message in own["messages"]]
        return own

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        completion = await super().chat(chat, context)
        completion["model"] = completion.get("model") or chat["model"]  # not every vendor says who answers
        return completion

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        async with aclosing(super().stream(chat, context)) as batches:
            async for events in batches:
                for event in events:
                    event.chunk["model"] = event.chunk.get("model") or chat["model"]
                yield events

    def parse_response(self, body: bytes) -> Completion:
        return self._completion(replies.decode(body, provider=self.name))

    def _completion(self, data: Json) -> Completion:
        if error := replies.failure_inside(data, provider=self.name):
            raise error
        with Reading(self.name):
            completion = self.completion(data)
            for choice in completion["choices"]:
                _number(cast(Json, choice.get("message") or {}))
        shapes.check(completion, provider=self.name, form=shapes.Translated)
        return completion

    def reader(self) -> EventReader:
        translator, places = self.translator(), _Places()

        def parse(data: bytes) -> list[StreamEvent]:
            event = replies.decode(data, provider=self.name)
            if error := replies.failure_inside(event, provider=self.name):
                raise error
            with Reading(self.name):
                chunks = [places.told(chunk) for chunk in translator.feed(event)]
            for chunk in chunks:
                shapes.check(chunk, provider=self.name, form=shapes.Translated)
            return [*map(StreamEvent, chunks)]

        return EventReader(parse, provider=self.name, decoder=self.decoder())


def _with_functions(message: Message) -> Message:
    """`message` with its calls of custom tools said as calls of functions, whose `input` is what was free text."""
    calls: Any = message.get("tool_calls")
    if not isinstance(calls, list) or not any(isinstance(call, dict) and "custom" in call for call in calls):
        return message
    changed = message.copy()
    changed["tool_calls"] = [_as_function(cast(Json, call)) for call in calls]
    return changed


def _as_function(call: Json) -> ToolCall:
    custom = call.get("custom")
    if not isinstance(custom, dict):
        return cast(ToolCall, call)
    arguments = msgspec.json.encode({"input": custom.get("input") or ""}).decode()
    return {"id": call["id"], "type": "function", "function": {"name": custom["name"], "arguments": arguments}}


def _number(message: Json) -> None:
    """Gives every detail of the reasoning a place of its own, as streamed ones have."""
    for place, detail in enumerate(message.get("reasoning_details") or ()):
        detail["index"] = place


class _Places:
    """Tells in a stream's chunks what OpenAI's SDK needs to put them together again.

    The first delta of a choice says who speaks, and each entry of a list has an `index` of its own: pieces of the same
    index would be joined.
    """

    def __init__(self) -> None:
        self._next: Counter[tuple[int, str]] = Counter()
        self._begun: set[int] = set()

    def told(self, chunk: Chunk) -> Chunk:
        for choice in chunk.get("choices") or ():
            delta: Json = cast(Json, choice.setdefault("delta", {}))
            if (choice.get("index") or 0) not in self._begun:
                self._begun.add(choice.get("index") or 0)
                delta.setdefault("role", "assistant")
            for name in _LISTS & delta.keys():
                for entry in delta[name]:
                    entry["index"] = self._next[choice.get("index") or 0, name]
                    self._next[choice.get("index") or 0, name] += 1
        return chunk


_LISTS = frozenset(("annotations", "audios", "files", "images", "reasoning_details"))
