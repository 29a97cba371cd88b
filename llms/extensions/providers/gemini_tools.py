"""A chat's tools as Gemini is told of them. No I/O.

https://ai.google.dev/api/caching#Tool
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any

from .gemini_models import Generation
from .gemini_turns import Leftovers
from .unsaid import unsaid_marks

Json = dict[str, Any]

_MODES = MappingProxyType({"auto": "AUTO", "none": "NONE", "required": "ANY", "any": "ANY", "validated": "VALIDATED"})
_TOOLS = MappingProxyType({"codeInterpreter": "codeExecution", "webSearch": "googleSearch"})  # OpenAI's words
_VALUES = ("enum", "default", "examples")  # what stands there is no schema
_SERVER_TOOLS = frozenset(
    (
        *("googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "fileSearch", "googleMaps"),
        *("computerUse", "enterpriseWebSearch", "retrieval", "mcpServers"),
    )
)


def tools_of(asked: Json, generation: Generation, leftovers: Leftovers, *, combines: bool) -> Json:
    """The functions, in one tool, Google's own tools, and which of them may or must be called.

    With `combines`, it is told where both kinds are there, which not everybody takes.
    """
    functions, own = [], []
    leftovers.leave_out(*unsaid_marks(asked.get("tools") or ()))
    for tool in asked.get("tools") or ():
        if isinstance(tool.get("function"), dict):
            functions.append(tool["function"])
        elif said := _server_tool(tool):
            own.append(said)
        else:
            leftovers.leave_out(f"tools of type {tool.get('type')}")
    if (search := asked.get("web_search_options")) is not None:
        leftovers.leave_out(*(f"web_search_options.{name}" for name in search))
        own.append({"googleSearch": {}})
    tools = [*([{"functionDeclarations": [*map(_declaration, functions)]}] if functions else []), *own]
    config = {camel(name): value for name, value in (asked.get("tool_config") or {}).items()}
    if functions and "functionCallingConfig" not in config:
        is_strict = generation.is_new and any(function.get("strict") for function in functions)
        config |= _calling(asked.get("tool_choice"), leftovers, is_strict=is_strict)
    if functions and own and combines and generation.is_new:
        config.setdefault("includeServerSideToolInvocations", True)
    return {**({"tools": tools} if tools else {}), **({"toolConfig": config} if config else {})}


def _calling(choice: Any, leftovers: Leftovers, *, is_strict: bool) -> Json:
    """Which functions may be called. Where they are `strict`, they are called as their schemas say."""
    mode, names = _mode_and_names(choice)
    if choice is not None and mode is None:
        leftovers.leave_out("tool_choice")
    if mode in (None, "AUTO") and is_strict:
        mode = "VALIDATED"
    said = {"mode": mode, **({"allowedFunctionNames": names} if names else {})}
    return {"functionCallingConfig": said} if mode else {}


def _mode_and_names(choice: Any) -> tuple[str | None, list[str]]:
    if not isinstance(choice, dict):
        return _MODES.get(choice) if isinstance(choice, str) else None, []
    if name := (choice.get("function") or choice).get("name"):
        return "ANY", [name]
    allowed = choice.get("allowed_tools") or choice
    names = [(tool.get("function") or tool).get("name") for tool in allowed.get("tools") or ()]
    if not names:
        return None, []
    return "ANY" if allowed.get("mode") == "required" else "VALIDATED", names


def _declaration(function: Json) -> Json:
    """A function in Google's words; its parameters stay JSON Schema."""
    said = {name: function[name] for name in ("name", "description") if function.get(name) is not None}
    schema = function.get("parameters") or function.get("parametersJsonSchema")
    return {**said, **({"parametersJsonSchema": known(schema)} if schema else {})}


def _server_tool(tool: Json) -> Json | None:
    """One of Google's own tools, in its own form or as `{"type": "google_search", …}`; None for any other."""
    kind = tool.get("type")
    if kind is None:
        return tool or None
    name = camel(re.sub(r"_preview.*", "", kind))
    name = _TOOLS.get(name, name)
    if name not in _SERVER_TOOLS:
        return None
    settings = tool.get(kind)
    if not isinstance(settings, dict):
        settings = {key: value for key, value in tool.items() if key != "type"}
    return {name: {camel(key): value for key, value in settings.items()}}


def known(schema: Any) -> Any:
    """`schema` with every `const`, which Gemini does not heed, as an `enum` of one."""
    if isinstance(schema, list):
        return [known(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: value if name in _VALUES else known(value) for name, value in schema.items()}
    if isinstance(schema.get("const"), str):
        found["enum"] = [found.pop("const")]
    return found


def camel(name: str) -> str:
    """A name as Google writes it, who reads the other form too, though not everywhere."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
