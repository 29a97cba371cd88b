"""Amazon Bedrock's Converse API: signed requests, answers in JSON, streams in binary frames."""

import json
import re
from types import MappingProxyType
from typing import Any

from llms.extensions.providers.bedrock import BedrockProvider

OTHERWISE = MappingProxyType(
    {"bedrock-converse.bedrock.6c5920311ca5": "the recorded usage has no inputTokens: we say 0 prompt tokens, not null"}
)
SENT_OTHERWISE = MappingProxyType(
    {
        "bedrock-converse.bedrock.022a9460a144": "its OpenAI form says a server tool's call as one of the client's",
        "bedrock-converse.bedrock.774d2d692656": "its OpenAI form has lost the schema's description",
        "bedrock-converse.bedrock.b9265a908fb2": "its OpenAI form has lost the schema's description",
    }
)


def provider(record: Any, api: str) -> BedrockProvider:
    return BedrockProvider(id="acme", name="Acme", api=api, api_key="key-0123456789")


def told(completion: Any) -> dict[str, Any]:
    message = (completion["choices"] or [{"message": {}}])[0]["message"]
    return {
        "citations_count": len(message.get("annotations") or ()),
        "images_count": len(message.get("images") or ()),
    }


def request_differences(record: Any, chat: Any, sent: Any) -> list[str]:
    lossy = record["openai_request"].get("lossy") or ()
    ours, theirs = _meaning(sent, lossy), _meaning(record["request"]["body"], lossy)
    return [
        f"{key}: {ours.get(key)!r}, not {theirs.get(key)!r}"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]


def _meaning(body: Any, lossy: Any) -> Any:
    """`body` without what is not asked (nothing set to nothing) and what the OpenAI form of the record has lost."""
    lost = {kind for name, kinds in _LOST.items() if name in lossy for kind in kinds}
    plain = {key: value for key, value in body.items() if key not in lossy}
    plain["messages"] = _merged(plain["messages"], lost)
    plain["system"] = [block for block in plain.get("system", ()) if not lost.intersection(block)]
    plain["inferenceConfig"] = {key: value for key, value in plain.get("inferenceConfig", {}).items() if value != []}
    if tools := plain.get("toolConfig"):
        plain["toolConfig"] = {**tools, "tools": [tool for tool in tools["tools"] if not lost.intersection(tool)]}
    if output := plain.pop("outputConfig", None):
        schema = output["textFormat"]["structure"]["jsonSchema"]
        plain["outputConfig"] = {**schema, "schema": json.loads(schema["schema"])}
    if "toolConfig" in plain and not plain["toolConfig"]["tools"]:
        del plain["toolConfig"]
    return {key: value for key, value in plain.items() if value not in ([], {})}


_LOST = {
    "cachePoint": ("cachePoint",),
    "document:text": ("document",),
    "block:video": ("video",),
    "thinking signature": ("reasoningContent",),
    "tool:systemTool": ("systemTool",),
    "media in tool result": ("in result: image", "in result: document", "in result: video", "in result: searchResult"),
    "media replaced": ("bytes",),
}


def _merged(messages: Any, lost: set[str]) -> list[Any]:
    merged: list[Any] = []
    for message in messages:
        blocks = [_block(block, lost) for block in message["content"] if not lost.intersection(block)]
        if merged and merged[-1]["role"] == message["role"]:
            merged[-1]["content"] += blocks
        elif blocks:
            merged.append({"role": message["role"], "content": blocks})
    return merged


def _block(block: Any, lost: set[str]) -> Any:
    if "toolResult" in block:
        result = {key: value for key, value in block["toolResult"].items() if (key, value) != ("status", "success")}
        kept = [part for part in result["content"] if not any(f"in result: {kind}" in lost for kind in part)]
        return {"toolResult": {**result, "content": [_result(part) for part in kept]}}
    if "bytes" in lost:  # another file stands in its place, perhaps in another format
        masked = re.sub(r'"bytes": "[^"]*"', '"bytes": "..."', json.dumps(block))
        return json.loads(re.sub(r'"format": "(png|jpeg)"', '"format": "..."', masked))
    return block


def _result(part: Any) -> Any:
    """A tool's JSON is the same as a text and as an object."""
    return {"text": json.dumps(part["json"])} if "json" in part else part
