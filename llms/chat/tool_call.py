"""One tool call that this server runs: asked for by a model, shown to the extensions, answered with a message."""

import json
import logging
import uuid
from collections.abc import Iterable
from typing import Any, Literal, cast

import msgspec

from llms.chat.tool_choice import name_of
from llms.kernel.errors import LlmsError
from llms.kernel.hooks import Hooks
from llms.kernel.types import Context, Json, Message, ToolCall
from llms.tools.execute import Executor
from llms.tools.results import clean, group_resources

logger = logging.getLogger("llms.chat")
Phase = Literal["before", "after"]


class ToolCallEvent:
    """A call as the handlers of `tool_call` see it, before it runs and again after it ran.

    `args` may be edited, or replaced with another dict, before the call. A refused call is not run, whatever other
    handlers say, and is not shown again.
    """

    __slots__ = ("_args", "_id", "_name", "phase", "refused", "resources", "text")

    def __init__(self, *, id: str, name: str, args: Json) -> None:
        self._id, self._name, self._args = id, name, args
        self.phase: Phase = "before"
        self.refused = False
        self.text: str | None = None  # what the model is told; None as long as nobody knows
        self.resources: list[Json] = []

    @property
    def id(self) -> str:
        """The id that the model gave the call."""
        return self._id

    @property
    def name(self) -> str:
        """The tool's name."""
        return self._name

    @property
    def args(self) -> Json:
        """What the tool is called with."""
        return self._args

    @args.setter
    def args(self, args: Json) -> None:
        if not isinstance(args, dict):
            raise TypeError(f"The arguments of a tool call must be a dict, not {type(args).__name__}.")
        self._args = args

    def refuse(self, reason: str) -> None:
        """The model is told `reason`: before the call instead of running it, after it in place of the result."""
        self.refused = True
        self.text, self.resources = str(reason), []

    def answer(self, text: str, resources: Iterable[Json] = ()) -> None:
        """The model is told `text`: before the call instead of running it, after it in place of the result."""
        if not self.refused:
            self.text, self.resources = str(text), list(resources)


async def run(call: ToolCall, context: Context, *, hooks: Hooks, executor: Executor) -> Message:
    """The message that answers `call`. Whatever goes wrong is a text for the model, never an error."""
    name = name_of(call) or ""
    try:
        args = _arguments(call)
    except (ValueError, RecursionError) as exc:
        return _message(call, f"Error: Failed to parse JSON arguments for tool '{name}': {exc}", [])
    event = ToolCallEvent(id=call["id"], name=name, args=args)
    if hooks.tool_call:
        await _ask_before(event, context, hooks)
    if event.text is None:
        text, event.resources = await executor.run(name, event.args, user=context.get("user"))
        event.text = text or ""
    if hooks.tool_call and not event.refused:
        await _show_after(event, context, hooks)
    return _message(call, event.text, event.resources)


def complete_calls(message: Json) -> list[ToolCall]:
    """The tool calls of `message`, each now with an id of its own, a type, and its arguments as text."""
    calls: list[Json] = message.get("tool_calls") or []
    ids: set[str] = set()
    for call in calls:
        if not call.get("id") or call["id"] in ids:
            call["id"] = f"call_{uuid.uuid4().hex[:24]}"
        ids.add(call["id"])
        call.setdefault("type", "function")
        function = call.get("function")
        if isinstance(function, dict) and not isinstance(function.get("arguments"), str):
            function["arguments"] = json.dumps(function.get("arguments") or {})
    return cast(list[ToolCall], calls)


async def _ask_before(event: ToolCallEvent, context: Context, hooks: Hooks) -> None:
    """Lets the handlers change, refuse or answer the call. One that fails refuses: it may have been a guard."""
    try:
        await hooks.tool_call(event, context)
    except LlmsError as error:
        logger.warning("Tool %s was not run: %s", event.name, error)
        event.refuse(str(error))


async def _show_after(event: ToolCallEvent, context: Context, hooks: Hooks) -> None:
    """Lets the handlers see, and replace, the result. Those of an extension that fails are skipped."""
    event.phase = "after"
    for extension in dict.fromkeys(extension for _, extension in hooks.tool_call.handlers):
        try:
            await hooks.tool_call.run_for(extension, event, context)
        except LlmsError as error:
            logging.getLogger(f"llms.ext.{extension}").error("tool_call failed: %s", error, exc_info=error)


def _arguments(call: ToolCall) -> Json:
    """The arguments as the model wrote them; ValueError where they are no JSON object."""
    args = json.loads((call.get("function") or {}).get("arguments", "").strip() or "{}")
    if not isinstance(args, dict | None):
        raise ValueError(f"They must be an object, not {type(args).__name__}.")  # noqa: TRY004 - as for any other JSON
    return args or {}


def _message(call: ToolCall, text: Any, resources: Any) -> Message:
    """What the model is told; a handler may have made `text` and `resources` anything."""
    given = resources if isinstance(resources, list | tuple) else ()
    grouped = group_resources(filter(_is_json, given))
    return cast(Message, {"role": "tool", "tool_call_id": call["id"], "content": clean(str(text)), **grouped})


def _is_json(data: Any) -> bool:
    """Whether `data` can be written into an answer."""
    try:
        msgspec.json.encode(data)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
