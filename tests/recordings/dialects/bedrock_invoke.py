"""Bedrock's InvokeModel API: bodies in the words of each model's maker."""

from types import MappingProxyType
from typing import Any

from llms.extensions.providers.bedrock_invoke import BedrockInvokeProvider

from . import anthropic_messages

OTHERWISE = MappingProxyType(
    {
        "bedrock-invoke.bedrock.1de403715f31": "a guardrail answered: we say so, the recording expects nothing",
        "bedrock-invoke.bedrock.24b5fa9a77c8": "its last event says MAX_TOKENS of both answers: the recording of none",
        "bedrock-invoke.bedrock.3cc0cde707ef": "its last event says MAX_TOKENS: the recording has no finish reason",
    }
)
SENT_OTHERWISE = MappingProxyType(
    {
        "bedrock-invoke.bedrock.6b3b8939b7c2": "its model is none: that it should be Claude cannot be known",
        "bedrock-invoke.bedrock.4fa0b676f9d9": "a system message amidst others: said first, as all Claudes take it",
    }
)


def provider(record: Any, api: str) -> BedrockInvokeProvider:
    return BedrockInvokeProvider(id="acme", name="Acme", api=api, api_key="key-0123456789")


def request_differences(record: Any, chat: Any, sent: Any) -> list[str]:
    """Only Claude's requests can be compared: of all others, the OpenAI form was made up."""
    if record["openai_request"].get("synthetic"):
        return []
    return anthropic_messages.request_differences(record, chat, sent)
