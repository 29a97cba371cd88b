"""Every provider class of this extension."""

from llms.api import vendor_classes

from .anthropic import AnthropicProvider, VertexAnthropicProvider
from .anthropic_cli import AnthropicCliProvider
from .azure import AzureProvider
from .bedrock import BedrockProvider
from .bedrock_invoke import BedrockInvokeProvider
from .cohere import CohereProvider
from .cohere_v1 import CohereV1Provider
from .completions import CompletionsProvider
from .embeddings import VoyageProvider
from .gemini import GoogleProvider, VertexProvider
from .local_servers import LlamaCppProvider, LlmsProvider, VllmProvider
from .ollama import OllamaGenerateProvider, OllamaNativeProvider
from .openai import OpenAiProvider
from .responses import ResponsesProvider
from .vendors import VENDORS, CompatibleProvider
from .xai import XaiProvider

CLASSES: tuple[type, ...] = (
    CompatibleProvider,
    *vendor_classes(*VENDORS),
    OpenAiProvider,
    ResponsesProvider,
    XaiProvider,
    GoogleProvider,
    VertexProvider,
    AnthropicProvider,
    VertexAnthropicProvider,
    AnthropicCliProvider,
    CohereProvider,
    CohereV1Provider,
    OllamaNativeProvider,
    OllamaGenerateProvider,
    CompletionsProvider,
    VoyageProvider,
    AzureProvider,
    BedrockProvider,
    BedrockInvokeProvider,
    VllmProvider,
    LlamaCppProvider,
    LlmsProvider,
)
