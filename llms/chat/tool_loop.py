"""Asks a model again and again until it no longer calls tools.

Each round is one provider call, and may fail over to another provider; what tools did in earlier rounds is never
repeated. The loop ends with an answer; with a call that is the client's to run; when the rounds are used up; or when
nobody wants the answer any more.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, cast

from llms.chat import tool_call
from llms.chat.begun import Batches
from llms.chat.prepare import can_call_tools
from llms.chat.relay import Relay
from llms.chat.tool_choice import name_of, tools_of
from llms.chat.usage import Tally
from llms.kernel.errors import LlmsError, ProviderError
from llms.kernel.hooks import Hooks
from llms.kernel.types import Chat, Completion, Context, Json, Message, ToolCall
from llms.providers.assembler import StreamAssembler
from llms.tools.execute import Executor


class ToolLoop:
    """One chat whose model may call tools of ours; good for one answer.

    `chat` grows by what model and tools say to each other. `ours` names the tools that run here; any other that the
    chat offers is the client's.
    """

    def __init__(
        self,
        chat: Chat,
        context: Context,
        *,
        ours: frozenset[str],
        rounds: int,
        hooks: Hooks,
        executor: Executor,
        is_cancelled: Callable[[Context], bool],
    ) -> None:
        self._chat, self._context = chat, context
        self._theirs = frozenset(name for tool in tools_of(chat) if (name := name_of(tool)) and name not in ours)
        self._rounds_left = rounds
        self._hooks, self._executor = hooks, executor
        self._is_cancelled = is_cancelled
        self._history: list[Message] = []
        self._tally = Tally()
        self._text: Any = ""  # what the model said last
        self.whole: Completion = {}

    async def complete(self, ask: Callable[[], Awaitable[Completion]]) -> Completion:
        """The last of the answers that `ask` gives, with `tool_history` and the usage of all of them."""
        while await self._goes_on(answer := await ask()):
            pass
        return self._summed(answer)

    async def stream(self, ask: Callable[[], Batches]) -> Batches:
        """What the client sees of the streams that `ask` gives: one answer with one end. Afterwards `whole` is it."""
        relay = Relay()
        goes_on = True
        while goes_on:
            assembler = StreamAssembler(model=self._chat["model"])
            async with aclosing(ask()) as batches:
                async for events in batches:
                    assembler.feed_all(events)
                    if shown := relay.shown(events):
                        yield shown
                    if self._is_cancelled(self._context):
                        break
            answer = assembler.so_far()
            goes_on = await self._goes_on(answer)
            relay.next_round()
        self.whole = self._summed(answer)
        if not self._is_cancelled(self._context):
            yield relay.end(self.whole)

    async def _goes_on(self, answer: Completion) -> bool:
        """Takes an answer. True where it called tools, which ran, and the model shall be asked again."""
        self._tally.add(answer, self._context)
        self._rounds_left -= 1
        choice = (answer.get("choices") or [{}])[0]
        message = choice.get("message") or {}
        self._text = message.get("content") or self._text
        calls = tool_call.complete_calls(cast(Json, message))
        if not calls:
            return False
        if theirs := [call for call in calls if name_of(call) in self._theirs]:
            message["tool_calls"] = theirs  # ours among them wait: the model can go on only when the client answered
            return False
        if self._rounds_left > 0 and not self._is_cancelled(self._context):
            self._check_model()
            await self._run(message, calls)
            if not self._is_cancelled(self._context):
                return True
        del message["tool_calls"]  # they are not run, or were to the last one
        message["content"] = self._text
        choice["finish_reason"] = None if self._is_cancelled(self._context) else "length"
        return False

    async def _run(self, message: Message, calls: list[ToolCall]) -> None:
        """Runs `calls` beside each other; their results follow `message` in the order of the calls."""
        await self._append({**message, "timestamp": int(time.time() * 1000)})
        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(self._result(call)) for call in calls]
                for task in running:
                    await self._append(cast(Json, await task))
        except ExceptionGroup as failed:  # no tool raises: it is what a handler made of the chat or of the call
            why = f"A handler of an extension broke the tool calls: {failed.exceptions[0]}. Mend or disable it."
            raise LlmsError(why) from failed.exceptions[0]
        if _forces_a_call(cast(Json, self._chat).get("tool_choice")):
            cast(Json, self._chat)["tool_choice"] = "auto"  # it was obeyed; obeyed again, it would never end

    async def _result(self, call: ToolCall) -> Message:
        return await tool_call.run(call, self._context, hooks=self._hooks, executor=self._executor)

    async def _append(self, message: Json) -> None:
        self._chat["messages"].append(cast(Message, message))
        self._history.append(cast(Message, message))
        await self._hooks.chat_tool(self._chat, self._context)

    def _check_model(self) -> None:
        if not can_call_tools(self._context.get("modelInfo")):
            raise ProviderError(
                f"Model '{self._chat['model']}' called a tool, but is known to have none. "
                "Set `tool_call` to true for it, or choose another model.",
                provider=self._context.get("provider", ""),
            )

    def _summed(self, answer: Completion) -> Completion:
        """`answer` as the last of the loop."""
        self._tally.account(answer, self._context)
        if self._history:
            cast(Json, answer)["tool_history"] = self._history
        return answer


def _forces_a_call(tool_choice: Any) -> bool:
    """Whether the model has no choice but to call a tool."""
    if isinstance(tool_choice, dict):
        return tool_choice.get("type") in ("function", "custom")
    return tool_choice in ("required", "any")
