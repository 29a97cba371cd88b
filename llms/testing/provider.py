"""A provider in the process, for tests of what happens around providers."""

import asyncio
import copy
import json
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any, ClassVar, cast

from llms.kernel.types import Chat, Completion, Context, Json, Model
from llms.providers.assembler import StreamAssembler
from llms.providers.events import StreamEvent, as_events
from llms.testing.upstream import completion

Answer = str | Json | Exception | list[str]


class FakeProvider:
    """Answers with what was enqueued, in order: a text, a whole completion, an error to raise, or texts to stream.

    `history` holds every chat it was asked.
    """

    sdk: ClassVar[str] = "fake"

    def __init__(
        self, id: str = "fake", *, models: tuple[str, ...] = ("fake-model",), cost: Json | None = None
    ) -> None:
        self.id = id
        self.name = id.title()
        self.history: list[Chat] = []
        self._answers: deque[Answer] = deque()
        facts: Json = {"modalities": {"input": ["text"], "output": ["text"]}, "cost": cost, "tool_call": True}
        self.models = {name: cast(Model, {"id": name, "name": name, **facts}) for name in models}

    def enqueue(self, *answers: Answer) -> None:
        self._answers.extend(answers)

    def validate(self, **_: Any) -> str | None:
        return None

    def test(self, **_: Any) -> bool:
        return True

    async def load(self) -> None: ...

    def provider_model(self, model: str) -> str | None:
        name = model.rpartition("/")[2]
        return name if name in self.models else None

    def model_info(self, model: str) -> Model | None:
        return self.models.get(model.rpartition("/")[2])

    def model_cost(self, model: str) -> Json | None:
        return (self.model_info(model) or {}).get("cost")

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        assembler = StreamAssembler(model=chat["model"])
        async for events in self.stream(chat, context):
            for event in events:
                assembler.feed(event.chunk)
        return assembler.so_far()

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        self.history.append(copy.deepcopy(chat))
        answer = self._answers.popleft() if self._answers else "ok"
        await asyncio.sleep(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, list):
            answer, *more = answer
            for text in (answer, *more):
                yield [_delta(text)]
            answer = ""
        if isinstance(answer, str):
            answer = completion(answer, prompt_tokens=1, completion_tokens=1)
        yield as_events(cast(Completion, answer))


def tool_call(name: str, /, *, id: str = "call_1", **arguments: Any) -> Json:
    """A completion that asks for one tool call."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": id, "type": "function", "function": function}],
    }
    answer = completion("")
    answer["choices"] = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
    return answer


def _delta(text: str) -> StreamEvent:
    return StreamEvent({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]})
