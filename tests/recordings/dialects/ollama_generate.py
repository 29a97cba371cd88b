"""Ollama asked to go on with a text."""

from types import MappingProxyType
from typing import Any

from llms.extensions.providers.ollama import OllamaGenerateProvider

OTHERWISE: Any = MappingProxyType(
    {
        "ollama-generate.ollama.b887afcdf7ab": "the recorded usage has no prompt_eval_count: we say 0 prompt tokens, "
        "not null"
    }
)
SENT_OTHERWISE: Any = MappingProxyType({})


def provider(record: Any, api: str) -> OllamaGenerateProvider:
    return OllamaGenerateProvider(id="acme", name="Acme", api=api)


def request_differences(record: Any, chat: Any, sent: Any) -> list[str]:
    lost = record["openai_request"].get("lossy") or ()
    theirs, ours = _meaning(record["request"]["body"], lost), _meaning(sent, lost)
    names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    return [f"{name}: {ours.get(name)!r}, not {theirs.get(name)!r}" for name in names]


def _meaning(body: Any, lost: Any) -> Any:
    """`body` without what asks for nothing, and without what the OpenAI form of the recorded one has lost."""
    return {name: value for name, value in body.items() if name not in lost and value not in ("", [], {}, None)}
