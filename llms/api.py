"""What new extensions may import. Everything else in `llms` may move."""

from llms.chat.tool_call import ToolCallEvent
from llms.host.context import ExtensionContext
from llms.host.declared import ext
from llms.kernel.errors import (
    AuthRequired,
    ConfigError,
    Forbidden,
    LlmsError,
    ModelNotFound,
    NotFound,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    RequestError,
    StreamCut,
)
from llms.kernel.limits import Limits
from llms.kernel.types import Chat, Chunk, Completion, Context, Message, Model, Usage
from llms.providers.assembler import StreamAssembler
from llms.providers.base import Provider
from llms.providers.events import StreamEvent
from llms.providers.generator import GeneratorBase
from llms.providers.http import HttpClient
from llms.providers.openai_compatible import OpenAiCompatible
from llms.storage.errors import StorageConflict, StorageError

__all__ = [
    "AuthRequired",
    "Chat",
    "Chunk",
    "Completion",
    "ConfigError",
    "Context",
    "ExtensionContext",
    "Forbidden",
    "GeneratorBase",
    "HttpClient",
    "Limits",
    "LlmsError",
    "Message",
    "Model",
    "ModelNotFound",
    "NotFound",
    "OpenAiCompatible",
    "Provider",
    "ProviderError",
    "ProviderTimeout",
    "ProviderUnreachable",
    "RequestError",
    "StorageConflict",
    "StorageError",
    "StreamAssembler",
    "StreamCut",
    "StreamEvent",
    "ToolCallEvent",
    "Usage",
    "ext",
]
