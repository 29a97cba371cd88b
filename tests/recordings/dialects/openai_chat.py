"""OpenAI Chat Completions: what is sent is what was asked, field by field."""

from types import MappingProxyType
from typing import Any

from llms.providers.openai_compatible import OpenAiCompatible

OTHERWISE = MappingProxyType(
    dict.fromkeys(
        (
            "openai-chat.cloudflare.881da6852123",
            "openai-chat.cloudflare.a8229c6d32c6",
            "openai-chat.cloudflare.c5ae7c496b13",
        ),
        "structured content, sent as an object: we give its JSON, the recording expects its keys strung together",
    )
)


def provider(record: Any, api: str) -> OpenAiCompatible:
    return OpenAiCompatible(id="acme", name="Acme", api=api, api_key="key-0123456789")


def request_differences(record: Any, chat: Any, sent: Any) -> list[str]:
    options = {**(chat.get("stream_options") or {}), "include_usage": True}
    ours = {"stream": True, "stream_options": options} if record["stream"] else {}
    theirs = {key: value for key, value in chat.items() if key not in ("stream", "stream_options", "metadata")}
    return [] if sent == {**theirs, **ours} else [f"{sent}, not { ({**theirs, **ours}) }"]
