"""Gemini, at Google AI and on Vertex AI: what is sent means what was recorded, but for what OpenAI's words left out."""

import re
from types import MappingProxyType
from typing import Any

from llms.extensions.providers.gemini import GeminiProvider, GoogleProvider, VertexProvider

_UNCOUNTED = "the recorded usage lacks a count: we say 0, which is a number as OpenAI's clients want one"
OTHERWISE: Any = MappingProxyType({"gemini.google.43cec8c97793": _UNCOUNTED, "gemini.google.44bb982fe003": _UNCOUNTED})
SENT_OTHERWISE: Any = MappingProxyType(
    {"gemini.google.42885ea5937b": "recorded with the id of a call where the function's name belongs"}
)

_COMPARED_OTHERWISE = ("model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig")
_SCHEMAS = ("parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema")
_MADE_UP = re.compile(r"call_\d+")  # ids that the recorded request did without


def provider(record: Any, api: str) -> GeminiProvider:
    entry = {"id": "acme", "name": "Acme", "api": api, "project": "p", "location": "global"}
    if record["provider"] == "google":
        return GoogleProvider(**entry, api_key="key-0123456789")
    return VertexProvider(**entry, access_token="ya29.token-0123456789")


def told(completion: Any) -> Any:
    message = completion["choices"][0]["message"]
    chunks = (message.get("groundingMetadata") or {}).get("groundingChunks")
    kept = ((message.get("provider_metadata") or {}).get("gemini") or {}).get("parts") or ()
    servers = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
    return {
        # Each source is cited once for each text it supports; recorded is how many sources there are.
        "citations_count": len(message.get("annotations") or () if chunks is None else chunks),
        "images_count": len(message.get("images") or ()),
        "server_tool_calls": [name for part in kept for name in servers if name in part],
    }


def request_differences(record: Any, chat: Any, sent: Any) -> list[str]:
    recorded = record["request"]["body"]
    if recorded is None:  # only the answer was kept
        return []
    lost = [loss.partition(":{")[0] for loss in record["openai_request"].get("lossy") or ()]
    theirs, ours = _meaning(recorded, lost), _meaning(sent, lost)
    names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    return [f"{name}: {ours.get(name)!r}, not {theirs.get(name)!r}" for name in names]


def _meaning(body: Any, lost: list[str]) -> Any:
    """`body` with every short form written out, without what the OpenAI form of the recorded one has lost."""
    body = _camel(body)
    system = (body.get("systemInstruction") or {}).get("parts") or ()
    functions = [function for tool in body.get("tools") or () for function in tool.get("functionDeclarations") or ()]
    return {
        **{name: value for name, value in body.items() if name not in (*_COMPARED_OTHERWISE, *lost)},
        "system": [part["text"] for part in ([system] if isinstance(system, dict) else system) if part["text"]],
        "contents": _turns(body["contents"], lost),
        "functions": [_with_schema(_camel(function)) for function in functions],  # Google's own tools are lost
        "calling": _calling(body.get("toolConfig") or {}, lost) if functions else None,
        **_config(_camel(body.get("generationConfig") or {}), lost),
    }


def _config(config: Any, lost: list[str]) -> Any:
    """How the answer shall be. How many tokens to think for is our choice; a level is not."""
    kept = {name: value for name, value in config.items() if f"generationConfig.{name}" not in lost}
    thinking = _camel(kept.pop("thinkingConfig", None) or {})
    for name, usual in (("responseModalities", ["TEXT"]), ("responseMimeType", "text/plain")):
        if kept.get(name) == usual:
            del kept[name]
    return {**_with_schema(kept), "thinks": bool(thinking), "level": _level(thinking)}


def _level(thinking: Any) -> str:
    """`medium` is what the OpenAI form says of every budget, and where nothing was said but that it shall think."""
    return str(thinking.get("thinkingLevel") or "medium").lower()


def _calling(config: Any, lost: list[str]) -> Any:
    calling = _camel(config.get("functionCallingConfig") or {})
    if "allowedFunctionNames" in lost:
        calling.pop("allowedFunctionNames", None)
    mode = calling.get("mode", "").upper()
    return {**calling, "mode": "AUTO" if mode in ("", "VALIDATED") else mode}


def _turns(contents: Any, lost: list[str]) -> Any:
    turns: list[Any] = []
    for content in contents:
        given = content["parts"]
        parts = [said for part in ([given] if isinstance(given, dict) else given) if (said := _part(part, lost))]
        role = content.get("role", "user")
        if parts and (not turns or turns[-1][0] != role):
            turns.append((role, []))
        for part in parts:
            _add(turns[-1][1], part)
    return turns


def _add(parts: Any, part: Any) -> None:
    """Pieces of one thought are one."""
    if part.get("thought") and parts and parts[-1].get("thought"):
        parts[-1]["text"] += part["text"]
    else:
        parts.append(part)


def _part(part: Any, lost: list[str]) -> Any:
    """`part` without what was lost; nothing where all of it was."""
    said = {name: value for name, value in _camel(part).items() if name not in lost and f"part:{name}" not in lost}
    is_about_lost = "videoMetadata" in said and "fileData" in lost
    if set(said) <= {"thought"} or is_about_lost or ("text" in said and not said["text"]):
        return None
    if media := said.get("inlineData"):
        media = _camel(media)
        said["inlineData"] = media["mimeType"].partition("/")[0] if "media replaced" in lost else media
    if file := said.get("fileData"):
        said["fileData"] = _camel(file)
    for name in ("functionCall", "functionResponse"):
        if name in said:
            said[name] = _function(said[name], lost)
    return said


def _function(function: Any, lost: list[str]) -> Any:
    kept = {name: value for name, value in function.items() if name != "parts" or "media in tool result" not in lost}
    if _MADE_UP.fullmatch(kept.get("id") or ""):
        del kept["id"]
    return kept


def _with_schema(told: Any) -> Any:
    """`told` with its schema as JSON Schema, whichever of its two names it has."""
    kept = {name: value for name, value in told.items() if name not in _SCHEMAS and value is not None}
    return {**kept, "schema": next((_schema(told[name]) for name in _SCHEMAS if told.get(name)), None)}


def _schema(schema: Any) -> Any:
    """Google's schemas write types in capitals."""
    if isinstance(schema, list):
        return [_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: value.lower() if name == "type" and isinstance(value, str) else _schema(value)
        for name, value in schema.items()
    }


def _camel(told: Any) -> Any:
    """`told` with its own names in the form that Google writes; it reads both."""
    return {re.sub(r"_([a-z])", lambda found: found[1].upper(), name): value for name, value in told.items()}
