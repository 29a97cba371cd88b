"""OpenAI's Responses API: what is sent means what was asked, item by item."""

from types import MappingProxyType
from typing import Any

from llms.extensions.providers.responses import ResponsesProvider

OTHERWISE: Any = MappingProxyType({})
SENT_OTHERWISE = MappingProxyType(
    {"openai-responses.openai.61934b622792": "its OpenAI form has lost the description of the schema"}
)


class OneVendor(ResponsesProvider):
    """Takes all that earlier answers brought for its own: the OpenAI form of a record does not say whose it is."""

    def request_body(self, chat: Any, *, stream: bool) -> Any:
        own: Any = {**chat, "messages": [self._own(message) for message in chat["messages"]]}
        return super().request_body(own, stream=stream)

    def _own(self, message: Any) -> Any:
        own = dict(message)
        if isinstance(details := own.get("reasoning_details"), list):
            own["reasoning_details"] = [{**detail, "issuer": self.issuer} for detail in details]
        if kept := (own.get("provider_metadata") or {}).get("responses"):
            own["provider_metadata"] = {"responses": {**kept, "issuer": self.issuer}}
        return own


def provider(record: Any, api: str) -> ResponsesProvider:
    return OneVendor(id="acme", name="Acme", api=api, api_key="key-0123456789", reasoning_summary=False)


def told(completion: Any) -> dict[str, Any]:
    message = completion["choices"][0]["message"]
    return {
        "citations_count": len(message.get("annotations") or ()),
        "images_count": len(message.get("images") or ()),
        "server_tool_calls": _server_tool_calls(message),
    }


def request_differences(record: Any, chat: Any, sent: Any) -> list[str]:
    if record["openai_request"].get("synthetic"):
        return []
    lossy = set(record["openai_request"].get("lossy") or ())
    ours, theirs = _meaning(sent, lossy), _meaning(record["request"]["body"], lossy)
    if "store" not in chat:  # theirs is stored unless it says otherwise, ours is not
        ours.pop("store", None)
    return [
        f"{key}: {ours.get(key)!r}, not {theirs.get(key)!r}"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]


def _server_tool_calls(message: Any) -> list[str]:
    """The kinds of what the vendor ran, or wants run, that is no call of one of the caller's tools."""
    kept = (message.get("provider_metadata") or {}).get("responses", {}).get("output", ())
    ours = ("message", "reasoning", "function_call", "custom_tool_call")
    return [item["type"] for item in kept if item["type"] not in ours]


def _meaning(body: Any, lossy: set[str]) -> Any:
    """`body` without what says nothing, and what the OpenAI form of the record has lost."""
    plain = {key: value for key, value in body.items() if key not in lossy and value is not None and value != []}
    if plain.get("stream") is False:
        del plain["stream"]
    plain.pop("include", None)  # asks for more in the answer, by rules of our own
    if "store" in body:
        plain["store"] = body["store"]
    items = body.get("input") or []
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    if instructions := plain.pop("instructions", None):
        items = [{"role": "system", "content": instructions}, *items]
    plain["input"] = [_item(item, lossy) for item in items if not _is_lost(item, lossy)]
    if "reasoning" in plain:
        lost = {"summary", "context"} if "reasoning.summary" in lossy else {"context"}
        plain["reasoning"] = {key: value for key, value in plain["reasoning"].items() if key not in lost and value}
    plain["tools"] = [_tool(tool) for tool in plain.get("tools", ()) if f"server tool {tool['type']}" not in lossy]
    return {key: value for key, value in plain.items() if value not in ([], {}) or key == "input"}


def _is_lost(item: Any, lossy: set[str]) -> bool:
    kind = item.get("type")
    return (
        f"item:{kind}" in lossy
        or f"{kind} item" in lossy
        or (kind == "message" and _item(item, lossy)["content"] == "")
    )


def _tool(tool: Any) -> Any:
    said = {key: value for key, value in tool.items() if value not in (None, False)}
    return {key: value for key, value in said.items() if key != "defer_loading"}


def _item(item: Any, lossy: set[str]) -> Any:
    """`item` without the names the vendor gave it; a text is the same as one part that has it."""
    said = {key: value for key, value in item.items() if key not in ("id", "status", "phase", "namespace")}
    if said.get("role"):
        said.pop("type", None)
    for name in ("content", "output"):
        if isinstance(said.get(name), list):
            said[name] = _content(said[name], lossy)
    return said


def _content(parts: Any, lossy: set[str]) -> Any:
    if "media in tool result" in lossy or "part:input_file" in lossy:
        parts = [part for part in parts if part["type"] not in ("input_file", "input_image")]
    said = [_part(part, lossy) for part in parts]
    if all(part["type"] in ("input_text", "output_text") for part in said):
        return "".join(part["text"] for part in said)
    return said


def _part(part: Any, lossy: set[str]) -> Any:
    said = {key: value for key, value in part.items() if key not in ("annotations", "logprobs")}
    if "prompt_cache_options" in lossy:
        said.pop("prompt_cache_breakpoint", None)
    if "media replaced" in lossy:
        for name in ("image_url", "file_data"):
            if name in said:
                said[name] = "data:..."  # another file stands in its place
    return said
