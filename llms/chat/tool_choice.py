"""Which tools a chat offers its model, and which of them are ours to run."""

from collections.abc import Container, Iterable
from typing import Any, cast

from llms.kernel.errors import RequestError
from llms.kernel.types import Chat, Context, Json
from llms.tools.registry import Tools


def with_tools(chat: Chat, definitions: Iterable[Json]) -> Chat:
    """A copy of `chat`, with `messages` and `tools` in it, that offers `definitions` too.

    Tools that the chat already has stay as they are, and win over a definition of the same name. Nothing is added to
    a chat with a `response_format`: structured output and tools do not mix. Raises RequestError.
    """
    own, messages = tools_of(chat), cast(Json, chat).get("messages", [])
    copied = chat.copy()
    copied["messages"] = messages[:] if isinstance(messages, list) else messages
    copied["tools"] = [*own]
    if definitions and not cast(Json, chat).get("response_format"):
        names = {name_of(tool) for tool in own}
        copied["tools"] += [tool for tool in definitions if name_of(tool) not in names]
    return copied


def without_tools(chat: Chat, names: Container[str | None]) -> Chat:
    """A copy of `chat` that does not offer the tools called `names`."""
    copied = chat.copy()
    copied["tools"] = [tool for tool in tools_of(chat) if name_of(tool) not in names]
    if not copied["tools"]:  # what speaks of tools is refused by vendors where there are none
        for field in ("tools", "tool_choice", "parallel_tool_calls"):
            cast(Json, copied).pop(field, None)
    return copied


def tools_of(chat: Chat) -> list[Any]:
    """The tools that `chat` offers, as it tells them. Raises RequestError where that is no list."""
    tools = chat.get("tools") or []
    if not isinstance(tools, list):
        raise RequestError("`tools` must be a list of tool definitions.", param="tools")
    return tools


def name_of(tool: Any) -> str | None:
    """The name in the definition of a tool, or in a call of it; None for a vendor's own tool, and for rubbish."""
    if not isinstance(tool, dict):
        return None
    detail = tool.get("function") or tool.get("custom")
    name = detail.get("name") if isinstance(detail, dict) else None
    return name if isinstance(name, str) else None


def chosen(tools: Tools, context: Context) -> list[Json]:
    """The definitions that `context["tools"]` names: all, none, or names with commas. Raises RequestError."""
    selector: object = context.get("tools")
    if not isinstance(selector, str | None):
        raise RequestError("`tools` must be 'all', 'none' or names with commas between them.", param="metadata.tools")
    return tools.selected(selector) if selector and selector != "none" and tools.functions else []


def brought(chat: Chat, context: Context, definitions: list[Json]) -> frozenset[str]:
    """Names of the tools that the client of an HTTP request brought with it and runs itself.

    A tool is ours only where it was chosen and is told just as we tell it: one of the client's that happens to have
    the name of one of ours stays the client's. Code in this process has no tools of its own to run.
    """
    if context.get("request") is None or not chat.get("tools"):
        return frozenset()
    return frozenset(name for tool in tools_of(chat) if (name := name_of(tool)) and tool not in definitions)


def ours(chat: Chat, tools: Tools, brought: Container[str]) -> frozenset[str]:
    """Names of the tools that `chat` offers and this server runs."""
    if not chat.get("tools"):
        return frozenset()
    names = {name for tool in tools_of(chat) if (name := name_of(tool)) and name not in brought}
    return frozenset(name for name in names if callable(tools.functions.get(name)))
