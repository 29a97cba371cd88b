"""A provider that is not ours, behind a border."""

import contextlib
import copy
import inspect
from collections.abc import AsyncGenerator
from typing import Any

from llms.kernel import foreign
from llms.kernel.errors import LlmsError, ProviderError
from llms.kernel.types import Chat, Completion, Context, Json, Model
from llms.providers.answers import whole_answer, wrong
from llms.providers.events import StreamEvent
from llms.providers.signatures import takes


class Guest:
    """Whatever it raises becomes one of our errors, so that another provider is asked.

    Such classes edit the request in place, so each call gets a copy of the chat. One that does not know its own id
    goes by `id`. Anything else asked of this object is asked of the wrapped one.
    """

    def __init__(self, provider: Any, id: str = "") -> None:
        self.wrapped = provider
        self.id: str = id
        with contextlib.suppress(LlmsError):
            own = foreign.call_now(getattr, provider, "id", None, extension=id)
            self.id = own if own and isinstance(own, str) else id

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    def model_info(self, model: str) -> Model | None:
        return self._facts("model_info", model)  # type: ignore[return-value]

    def model_cost(self, model: str) -> Json | None:
        return self._facts("model_cost", model)

    def _facts(self, question: str, model: str) -> Json | None:
        with foreign.border(self.id):
            facts = getattr(self.wrapped, question)(model)
        if facts is None or isinstance(facts, dict):
            return facts
        raise wrong(self.id, question, facts, "a dict or None")

    async def chat(self, chat: Chat, context: Context | None = None) -> Completion:
        with foreign.border(self.id):
            ask = self.wrapped.chat
        return await whole_answer(ask, chat, context=context, provider=self.id)

    async def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]:
        """Each step passes the border by itself: what runs between two of them is not the provider's."""
        with foreign.border(self.id):
            ask = self.wrapped.stream
            stream = ask(copy.deepcopy(chat), **({"context": context} if takes(ask, "context") else {}))
        if not isinstance(stream, AsyncGenerator):
            raise self._no_stream(stream)
        end = object()
        try:
            while True:
                with foreign.border(self.id):
                    events = await anext(stream, end)
                if events is end:
                    return
                if not isinstance(events, list) or not all(isinstance(event, StreamEvent) for event in events):
                    raise wrong(self.id, "stream", events, "a list of StreamEvent")
                yield events
        finally:
            with foreign.border(self.id):
                await stream.aclose()

    def _no_stream(self, returned: Any) -> ProviderError:
        if inspect.iscoroutine(returned):
            returned.close()
        return wrong(self.id, "stream", returned, "an async generator")
