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
from llms.media.wav import wav_of
from llms.providers.assembler import StreamAssembler
from llms.providers.base import Provider
from llms.providers.dialect import DialectProvider, Translator
from llms.providers.discovery import OllamaProvider, OpenAiLocalProvider
from llms.providers.embeddings import Embedded, EmbeddingDialect, embedding_tokens
from llms.providers.events import StreamEvent
from llms.providers.generator import GeneratorBase
from llms.providers.http import HttpClient
from llms.providers.made import Chunks, completion_of, counts_in, usage_of
from llms.providers.openai_compatible import OpenAiCompatible
from llms.providers.parts import (
    Attachment,
    arguments_of,
    arguments_text,
    attachment_of,
    parts_of,
    schema_of,
    text_of,
)
from llms.providers.reading import Decoder, EventReader
from llms.providers.sse import SseDecoder
from llms.providers.vendor import Vendor, VendorProvider, vendor_classes
from llms.storage.errors import StorageConflict, StorageError

__all__ = [
    "Attachment",
    "AuthRequired",
    "Chat",
    "Chunk",
    "Chunks",
    "Completion",
    "ConfigError",
    "Context",
    "Decoder",
    "DialectProvider",
    "Embedded",
    "EmbeddingDialect",
    "EventReader",
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
    "OllamaProvider",
    "OpenAiCompatible",
    "OpenAiLocalProvider",
    "Provider",
    "ProviderError",
    "ProviderTimeout",
    "ProviderUnreachable",
    "RequestError",
    "SseDecoder",
    "StorageConflict",
    "StorageError",
    "StreamAssembler",
    "StreamCut",
    "StreamEvent",
    "ToolCallEvent",
    "Translator",
    "Usage",
    "Vendor",
    "VendorProvider",
    "arguments_of",
    "arguments_text",
    "attachment_of",
    "completion_of",
    "counts_in",
    "embedding_tokens",
    "ext",
    "parts_of",
    "schema_of",
    "text_of",
    "usage_of",
    "vendor_classes",
    "wav_of",
]
