"""Every provider class of this extension."""

from llms.api import vendor_classes

from .anthropic import AnthropicProvider, VertexAnthropicProvider
from .anthropic_cli import AnthropicCliProvider
from .azure import AzureProvider
from .bedrock import BedrockProvider
from .bedrock_invoke import BedrockInvokeProvider
from .local_servers import LlamaCppProvider, LlmsProvider, VllmProvider
from .openai import OpenAiProvider
from .responses import ResponsesProvider
from .vendors import VENDORS, CompatibleProvider
from .xai import XaiProvider

CLASSES = (
    CompatibleProvider,
    *vendor_classes(*VENDORS),
    OpenAiProvider,
    ResponsesProvider,
    XaiProvider,
    AnthropicProvider,
    VertexAnthropicProvider,
    AnthropicCliProvider,
    AzureProvider,
    BedrockProvider,
    BedrockInvokeProvider,
    VllmProvider,
    LlamaCppProvider,
    LlmsProvider,
)
