"""Ollama's own chat API: answers in lines of JSON."""

from types import MappingProxyType
from typing import Any

from llms.extensions.providers.ollama import OllamaNativeProvider

OTHERWISE: Any = MappingProxyType(
    {"ollama-chat.ollama.eb3bf0d2e95d": "the recorded usage has no prompt_eval_count: we say 0 prompt tokens, not null"}
)
SENT_OTHERWISE: Any = MappingProxyType({})


def provider(record: Any, api: str) -> OllamaNativeProvider:
    return OllamaNativeProvider(id="acme", name="Acme", api=api)


def request_differences(record: Any, chat: Any, sent: Any) -> list[str]:
    if record["request"]["body"] is None:  # only the answer was kept
        return []
    lost = record["openai_request"].get("lossy") or ()
    theirs, ours = _meaning(record["request"]["body"], lost), _meaning(sent, lost)
    theirs.setdefault("stream", True)  # as Ollama does where it is not told
    names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    return [f"{name}: {ours.get(name)!r}, not {theirs.get(name)!r}" for name in names]


def _meaning(body: Any, lost: Any) -> Any:
    """`body` without what asks for nothing, and without what the OpenAI form of the recorded one has lost."""
    options = {name: value for name, value in (body.get("options") or {}).items() if f"options.{name}" not in lost}
    plain = {name: value for name, value in body.items() if name not in lost and value not in ("", [], {}, None)}
    return {**plain, "options": options, "messages": [_message(message) for message in body["messages"]]}


def _message(message: Any) -> Any:
    """`message` without the ids of calls and the names of results, which no recording has."""
    plain = {name: value for name, value in message.items() if name not in ("tool_call_id", "tool_name")}
    if calls := message.get("tool_calls"):
        plain["tool_calls"] = [{"function": call["function"]} for call in calls]
    return plain
