"""Servers that people run themselves, and that need no key. Their models are asked for."""

from typing import ClassVar

from llms.api import OpenAiLocalProvider


class VllmProvider(OpenAiLocalProvider):
    """https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html"""

    sdk: ClassVar[str] = "vllm"
    default_api = "http://127.0.0.1:8000/v1"


class LlamaCppProvider(OpenAiLocalProvider):
    """https://github.com/ggml-org/llama.cpp/tree/master/tools/server"""

    sdk: ClassVar[str] = "llama.cpp"
    default_api = "http://127.0.0.1:8080/v1"


class LlmsProvider(OpenAiLocalProvider):
    """Another llms server. Its own tools stay its own: nothing is asked of them."""

    sdk: ClassVar[str] = "llms-sdk-provider"
    default_api = "http://127.0.0.1:8000/v1"
