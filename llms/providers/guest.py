"""A provider that is not ours, behind a border."""

import copy
import inspect
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any, cast

from llms.kernel import foreign
from llms.kernel.errors import ProviderError
from llms.kernel.types import Chat, Completion, Context, Json, Model
from llms.providers import shapes
from llms.providers.events import StreamEvent


class Guest:
    """Whatever it raises becomes one of our errors, so that another provider is asked.

    Such classes edit the request in place, so each call gets a copy of the chat. Anything else asked of this object is
    asked of the wrapped one.
    """

    def __init__(self, provider: Any) -> None:
        self.wrapped = provider

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    def model_info(self, model: str) -> Model | None:
        info: Model | None = foreign.call_now(self.wrapped.model_info, model, extension=self.wrapped.id)
        return info

    def model_cost(self, model: str) -> Json | None:
        cost: Json | None = foreign.call_now(self.wrapped.model_cost, model, extension=self.wrapped.id)
        return cost

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        with foreign.border(self.wrapped.id):
            ask = self.wrapped.chat
            told = {"context": context} if _takes_context(ask) else {}
            answer = await foreign.call(partial(ask, copy.deepcopy(chat), **told), extension=self.wrapped.id)
        if not isinstance(answer, dict) or not isinstance(answer.get("choices"), list):
            raise self._wrong("chat", answer, "a completion")
        shapes.check(answer, provider=self.wrapped.id)
        return cast(Completion, answer)

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        with foreign.border(self.wrapped.id):
            async with aclosing(self.wrapped.stream(copy.deepcopy(chat), context)) as batches:
                async for events in batches:
                    if not isinstance(events, list) or not all(isinstance(event, StreamEvent) for event in events):
                        raise self._wrong("stream", events, "a list of StreamEvent")
                    yield events

    def _wrong(self, method: str, answer: Any, expected: str) -> ProviderError:
        return ProviderError(
            f"Provider '{self.wrapped.id}' returned {type(answer).__name__}, not {expected}. Mend its `{method}`.",
            provider=self.wrapped.id,
        )


def _takes_context(ask: Any) -> bool:
    parameters = inspect.signature(ask).parameters.values()
    return any(p.name == "context" or p.kind is p.VAR_KEYWORD for p in parameters)
