"""What a provider is: something live that can answer a chat."""

from collections.abc import AsyncGenerator
from typing import Any, ClassVar, Protocol, runtime_checkable

from llms.kernel.types import Chat, Completion, Context, Model
from llms.providers.events import StreamEvent


@runtime_checkable
class Provider(Protocol):
    """Streaming is native: `stream` yields lists of events, each list what one read brought.

    `chat` gives a whole answer. Both raise ProviderError (or a subclass), never retry, never change `chat`, and let
    go of their connection when the caller stops reading. A third-party class with only `chat` is wrapped by
    `providers.whole.WholeAnswers`.
    """

    sdk: ClassVar[str]
    id: str
    name: str
    models: dict[str, Model]

    def test(self, **kwargs: Any) -> bool: ...
    def validate(self, **kwargs: Any) -> str | None: ...
    async def load(self) -> None: ...
    def provider_model(self, model: str) -> str | None: ...
    def model_info(self, model: str) -> Model | None: ...
    def model_cost(self, model: str) -> dict[str, Any] | None: ...
    async def chat(self, chat: Chat, context: Context | None = None) -> Completion: ...
    def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]: ...
