"""What a provider is: something live that can answer a chat."""

from collections.abc import AsyncGenerator
from typing import Any, ClassVar, Protocol, runtime_checkable

from llms.kernel.types import Chat, Completion, Context, Model
from llms.providers.events import StreamEvent


@runtime_checkable
class Provider(Protocol):
    """Streaming is native: `stream` yields lists of events, each list what one read brought.

    `chat` gives a whole answer. Both raise ProviderError (or a subclass), never retry, never change `chat`, and let
    go of their connection when the caller stops reading. A third-party class may do without `stream`, and raise what
    it likes: see `providers.guest.Guest`.
    """

    sdk: ClassVar[str]
    id: str
    name: str
    models: dict[str, Model]

    def validate(self, **kwargs: Any) -> str | None: ...
    def test(self, **kwargs: Any) -> bool: ...
    async def load(self) -> None: ...
    def provider_model(self, model: str) -> str | None: ...
    def model_info(self, model: str) -> Model | None: ...
    def model_cost(self, model: str) -> dict[str, Any] | None: ...
    async def chat(self, chat: Chat, context: Context | None = None) -> Completion: ...
    def stream(self, chat: Chat, context: Context | None = None) -> AsyncGenerator[list[StreamEvent]]: ...


NEEDED = ("models", *(name for name in vars(Provider) if not name.startswith("_") and name != "stream"))
