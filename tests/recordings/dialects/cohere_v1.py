"""Cohere's Chat API, version 1: the last message stands apart from those before it."""

from types import MappingProxyType
from typing import Any

from llms.extensions.providers.cohere_v1 import CohereV1Provider

OTHERWISE: Any = MappingProxyType({})
SENT_OTHERWISE: Any = MappingProxyType({})


def provider(record: Any, api: str) -> CohereV1Provider:
    return CohereV1Provider(id="acme", name="Acme", api=api, api_key="key-0123456789")


def request_differences(record: Any, chat: Any, sent: Any) -> list[str]:
    theirs, ours = _meaning(record["request"]["body"]), _meaning(sent)
    names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    return [f"{name}: {ours.get(name)!r}, not {theirs.get(name)!r}" for name in names]


def _meaning(body: Any) -> Any:
    """`body` without what says nothing; the names of roles were taken in any case of letters."""
    history = [
        {**{name: value for name, value in turn.items() if value is not None}, "role": turn["role"].upper()}
        for turn in body.get("chat_history") or ()
    ]
    return {**{name: value for name, value in body.items() if value is not None}, "chat_history": history}
