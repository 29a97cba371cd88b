"""Anthropic Messages: what is sent means what was recorded, but for what OpenAI's words had to leave out."""

from types import MappingProxyType
from typing import Any

from llms.extensions.providers.anthropic import AnthropicProvider, VertexAnthropicProvider

OTHERWISE: Any = MappingProxyType({})
_UNSIGNED = "the signature of the thought before the call was lost: without it the vendor refuses to go on thinking"
SENT_OTHERWISE: Any = MappingProxyType(
    {
        "anthropic-messages.anthropic.0109ceb11e4a": "recorded to be refused: its one message is a string",
        "anthropic-messages.anthropic.ec5882ba0e91": "recorded to be refused: it says nothing, which we never send",
        "anthropic-messages.anthropic.200838698ef5": _UNSIGNED,
        "anthropic-messages.anthropic.007bfdbbcbbc": _UNSIGNED,
        "anthropic-messages.anthropic.07cb08bbc4b5": _UNSIGNED,
    }
)

_CLASSES = {"anthropic": AnthropicProvider, "vertex": VertexAnthropicProvider}
_COMPARED_OTHERWISE = ("messages", "system", "tools", "tool_choice", "thinking", "output_config", "output_format")


def provider(record: Any, api: str) -> AnthropicProvider:
    entry = {"id": "acme", "name": "Acme", "api": api, "api_key": "key-0123456789", "project": "p"}
    return _CLASSES[record["provider"]](**entry)


def told(completion: Any) -> Any:
    message = completion["choices"][0]["message"]
    return {"citations_count": len(message.get("annotations") or ()), "images_count": len(message.get("images") or ())}


def request_differences(record: Any, chat: Any, sent: Any) -> list[str]:
    recorded = record["request"]["body"]
    if recorded is None:  # only the answer was kept
        return []
    if not all(isinstance(message, dict) for message in recorded["messages"]):
        return ["no chat at all"]
    lost = [loss.partition(":{")[0] for loss in record["openai_request"].get("lossy") or ()]
    theirs, ours = _meaning(recorded, lost), _meaning(sent, lost)
    names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    return [f"{name}: {ours.get(name)!r}, not {theirs.get(name)!r}" for name in names]


def _meaning(body: Any, lost: list[str]) -> Any:
    """`body` with every short form written out, without what the OpenAI form of the recorded one has lost."""
    plain = {name: value for name, value in body.items() if name not in (*_COMPARED_OTHERWISE, *lost)}
    tools = [_tool(tool, lost) for tool in body.get("tools") or () if "input_schema" in tool]
    choice = {name: value for name, value in (body.get("tool_choice") or {}).items() if value is not False}
    return {
        **plain,
        "stream": body.get("stream", False),
        "shape": body.get("output_format") or (body.get("output_config") or {}).get("format"),
        "thinks": body.get("thinking", {}).get("type") in ("enabled", "adaptive"),  # how hard is our choice
        "system": [block["text"] for block in _blocks(body.get("system"))],
        "messages": _turns(body["messages"], lost),
        "tools": tools,  # the vendor's own are not in the OpenAI form
        "tool_choice": choice if tools else None,
    }


def _turns(messages: Any, lost: list[str]) -> Any:
    turns: list[Any] = []
    for message in messages:
        blocks = [_block(block, lost) for block in _blocks(message["content"]) if not _is_lost(block, lost)]
        if turns and turns[-1][0] == message["role"]:
            turns[-1][1].extend(blocks)
        elif blocks:
            turns.append((message["role"], blocks))
    return turns


def _blocks(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _is_lost(block: Any, lost: list[str]) -> bool:
    kind = block["type"]
    source = (block.get("source") or {}) if kind == "document" else {}
    unsigned = kind == "thinking" and "thinking signature" in lost
    return unsigned or f"block:{kind}" in lost or f"document:{source.get('type')}" in lost


def _block(block: Any, lost: list[str]) -> Any:
    kept = {name: value for name, value in block.items() if name not in lost and value not in (None, False)}
    if block["type"] == "text":
        kept.pop("citations", None)  # in OpenAI's form, an answer's citations are apart from its text
    if block["type"] in ("image", "document") and "media replaced" in lost:
        return {"type": block["type"], "source": block["source"]["type"]}
    if block["type"] == "tool_result":
        inside = [part for part in _blocks(block.get("content")) if not _is_media(part, lost)]
        kept["content"] = [_block(part, lost) for part in inside]
    return kept


def _is_media(part: Any, lost: list[str]) -> bool:
    return part["type"] != "text" and "media in tool result" in lost


def _tool(tool: Any, lost: list[str]) -> Any:
    """A tool without its type, which there is only one of."""
    return {name: value for name, value in tool.items() if name != "type" and f"tool.{name}" not in lost}
