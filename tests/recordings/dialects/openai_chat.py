"""OpenAI Chat Completions: each vendor through its own row. What is sent is what was asked, field by field."""

from types import MappingProxyType
from typing import Any

from llms.api import OpenAiCompatible
from llms.chat.prepare import prepare
from llms.extensions.providers.classes import CLASSES
from llms.extensions.providers.vendors import VENDORS

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

_COMPATIBLE = "@ai-sdk/openai-compatible"
_SDKS = MappingProxyType(  # of the vendors that are in something unlike OpenAI; the others are asked at any URL
    {
        "alibaba": "@ai-sdk/alibaba",
        "azure": "@ai-sdk/azure",
        "cerebras": "@ai-sdk/cerebras",
        "deepseek": "@ai-sdk/deepseek",
        "google": _COMPATIBLE,
        "groq": "@ai-sdk/groq",
        "huggingface": "@ai-sdk/huggingface",
        "mistral": "@ai-sdk/mistral",
        "moonshot": "@ai-sdk/moonshotai",
        "openai": "@ai-sdk/openai",
        "openrouter": "@openrouter/ai-sdk-provider",
        "perplexity": "@ai-sdk/perplexity",
        "together": "@ai-sdk/togetherai",
        "vercel-gateway": "@ai-sdk/gateway",
        "xai": "@ai-sdk/xai",
        "zai": _COMPATIBLE,
    }
)
_APIS = MappingProxyType(  # of the vendors that are known by their host
    {
        "google": "https://generativelanguage.googleapis.com/v1beta/openai",
        "openai": "https://api.openai.com/v1",
        "zai": "https://api.z.ai/api/paas/v4",
    }
)
_CLASSES: Any = MappingProxyType({getattr(cls, "sdk", None): cls for cls in CLASSES})
_NAMES = MappingProxyType({"max_tokens": "max_completion_tokens", "random_seed": "seed"})  # two names of the same
_IDLE = MappingProxyType({"n": 1, "tools": []})  # asks for what happens anyway


def provider(record: Any, api: str) -> OpenAiCompatible:
    who = record["provider"]
    entry = {"id": "acme", "name": "Acme", "api": _APIS.get(who, api), "api_key": "key-0123456789"}
    made: OpenAiCompatible = _CLASSES[_SDKS.get(who, _COMPATIBLE)](**entry, responses=False)
    made.chat_url = f"{api}/chat/completions"
    return made


def asked(provider: Any, chat: Any) -> Any:
    """What the pipeline shows this vendor of the history; a server that is not known is asked as it was recorded."""
    return prepare(chat, None, replays=provider.replays) if provider.row in VENDORS else chat


def request_differences(record: Any, chat: Any, sent: Any) -> list[str]:
    options = {**(chat.get("stream_options") or {}), "include_usage": True}
    ours = {"stream": True, "stream_options": options} if record["stream"] else {}
    theirs = {key: value for key, value in chat.items() if key not in ("stream", "stream_options", "metadata")}
    wanted, said = _meaning({**theirs, **ours}), _meaning(sent)
    names = [name for name in {**wanted, **said} if wanted.get(name) != said.get(name)]
    return [f"{name}: {said.get(name)!r}, not {wanted.get(name)!r}" for name in names]


def _meaning(body: Any) -> Any:
    body = {**body, "messages": list(map(_once, body["messages"]))}
    return {_NAMES.get(name, name): value for name, value in body.items() if name not in _IDLE or value != _IDLE[name]}


def _once(message: Any) -> Any:
    """`message` with its thoughts under one name."""
    same = message.get("reasoning") == message.get("reasoning_content")
    return {name: value for name, value in message.items() if name != "reasoning" or not same}
