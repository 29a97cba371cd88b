"""Tools, and models that call them."""

import json
from collections.abc import Callable
from typing import Any

from llms.host.context import ExtensionContext
from llms.kernel.types import Chat, Context, Json
from llms.testing import Reply, TestServer
from llms.testing.upstream import completion

ALL: Any = {"metadata": {"tools": "all"}}


class Toolbox:
    """An extension that offers tools, keeps what they were called with, and notes what the tool filters see."""

    def __init__(self, *tools: Callable[..., Any], act: Any = None) -> None:
        self.calls: list[Any] = []
        self.seen: list[list[str]] = []  # roles of the messages after the first, at each call of the tool filter
        self.contexts: list[Context] = []
        self._tools = tools
        self._act = act
        self.__install__ = self.install

    def install(self, ctx: ExtensionContext) -> None:
        for tool in self._tools or (self.add,):
            ctx.register_tool(tool)
        ctx.register_chat_tool_filter(self._note)

    def add(self, a: int, b: int = 2) -> int:
        """Add two."""
        self.calls.append((a, b))
        return a + b

    def _note(self, chat: Chat, context: Context) -> None:
        self.seen.append([message["role"] for message in chat["messages"][1:]])
        self.contexts.append(context)
        if self._act:
            self._act(chat, context)


def calling(*calls: tuple[str, Any], text: str | None = None, **usage: int) -> Json:
    """An answer that calls tools; each call is a name and its arguments, as an object or as they shall stand."""
    answer = completion("", **usage)
    message = {"role": "assistant", "content": text, "tool_calls": [_call(i, *call) for i, call in enumerate(calls)]}
    answer["choices"] = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
    return answer


def _call(index: int, name: str, arguments: Any) -> Json:
    written = json.dumps(arguments) if isinstance(arguments, dict) else arguments
    return {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": written}}


def client_tool(name: str) -> Json:
    """A tool that a client brings with it."""
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}


def history(reply: Reply) -> list[Json]:
    """The `tool_history` of an answer, whole or streamed."""
    places = reply.chunks or [reply.body]
    [found] = [place["tool_history"] for place in places if "tool_history" in place]
    return list(found)


def results(server: TestServer, request: int = -1) -> list[Any]:
    """What the tools had said by the time of a request to the model."""
    return [message["content"] for message in server.provider.history[request]["messages"] if message["role"] == "tool"]


def calls_of(reply: Reply) -> list[str]:
    """Names of the tools that the client was asked to run."""
    if not reply.chunks:
        return [call["function"]["name"] for call in reply.body["choices"][0]["message"].get("tool_calls") or ()]
    choices = [choice for chunk in reply.chunks for choice in chunk["choices"]]
    return [call["function"]["name"] for choice in choices for call in choice["delta"].get("tool_calls") or ()]


def finish_of(reply: Reply) -> str | None:
    """Why the answer ended, which may be said only once."""
    choices = [choice for chunk in reply.chunks or [reply.body] for choice in chunk["choices"]]
    [reason] = [choice["finish_reason"] for choice in choices if choice.get("finish_reason")]
    return str(reason)
