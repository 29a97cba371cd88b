"""Cohere's Chat API, version 2: what is sent means what was recorded, but for what OpenAI's words had to leave out."""

from types import MappingProxyType
from typing import Any

from llms.extensions.providers.cohere import CohereProvider

OTHERWISE: Any = MappingProxyType({})
SENT_OTHERWISE: Any = MappingProxyType({})


def provider(record: Any, api: str) -> CohereProvider:
    return CohereProvider(id="acme", name="Acme", api=api, api_key="key-0123456789")


def told(completion: Any) -> Any:
    message = completion["choices"][0]["message"]
    kept = (message.get("provider_metadata") or {}).get("cohere") or {}
    return {"citations_count": len(message.get("annotations") or ()), "tool_plan": kept.get("tool_plan")}


def request_differences(record: Any, chat: Any, sent: Any) -> list[str]:
    if record["request"]["body"] is None:  # only the answer was kept
        return []
    lost = record["openai_request"].get("lossy") or ()
    theirs, ours = _meaning(record["request"]["body"], lost), _meaning(sent, lost)
    names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    return [f"{name}: {ours.get(name)!r}, not {theirs.get(name)!r}" for name in names]


def _meaning(body: Any, lost: Any) -> Any:
    """`body` with every short form written out, without what the OpenAI form of the recorded one has lost."""
    plain = {name: value for name, value in body.items() if name not in lost}
    return {**plain, "messages": [_message(message, lost) for message in body["messages"]]}


def _message(message: Any, lost: Any) -> Any:
    content = message.get("content") or []
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if message["role"] == "tool" and "document tool result" in lost:
        blocks = ["a document, or its text"]
    plain = {name: value for name, value in message.items() if name not in lost}
    return {**plain, "content": [block for block in blocks if block != {"type": "text", "text": ""}]}
