"""One chat from request to answer: the paragraph to read first.

A chat is given its context and the tools it may use; request filters may change it; it is checked and its attachments
are fetched; those who offer its model are the candidates, in the order that routing.py decides; each attempt shapes the
chat for its provider; the first candidate whose answer begins has it, and from then on nothing is tried again. What
the answer holds of images and sounds goes into the cache. Where the model calls tools of ours, they run and it is
asked again (tool_loop.py). Tokens and cost are counted; response filters see the whole. Whatever fails for good passes
the error filters on its way out.
"""

import os
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TypeVar, cast

from llms.chat import tool_choice, usage
from llms.chat.attachments import Attachments
from llms.chat.begun import Batches, Begun, opens_within
from llms.chat.cancel import Cancellation, RequestCancelled
from llms.chat.candidate import Candidate
from llms.chat.check import check
from llms.chat.deltas import filtered
from llms.chat.error_filters import ErrorFilters
from llms.chat.failover import Retrying, first_answer
from llms.chat.made import Made
from llms.chat.path import Path
from llms.chat.prepare import can_call_tools, prepare
from llms.chat.readable import readable
from llms.chat.routing import Routing
from llms.chat.strategies import strategy_in
from llms.chat.tool_call import complete_calls
from llms.chat.tool_loop import ToolLoop
from llms.kernel import foreign
from llms.kernel.config import Config
from llms.kernel.errors import ProviderError
from llms.kernel.hooks import Hooks
from llms.kernel.types import Chat, Completion, Context, Json
from llms.media.cache import Cache
from llms.media.converter import Converter
from llms.media.documents import Documents
from llms.media.inline import Fetch
from llms.providers.assembler import StreamAssembler
from llms.providers.base import Provider
from llms.providers.events import StreamEvent
from llms.providers.guest import Guest
from llms.providers.registry import Registry
from llms.tools.execute import Executor
from llms.tools.registry import Tools

T = TypeVar("T")
_ASKED = "providerAsked"  # key of the context: what we wrote to `provider`, which else is the caller's wish


@dataclass(slots=True)
class Turn:
    """A chat that may be answered, the names of those of its tools that run here, and how its asking went so far."""

    chat: Chat
    context: Context
    ours: frozenset[str]
    attachments: Attachments
    strategy: str | None = None
    last: Candidate | None = None  # who answered before a tool ran
    failures: int = 0


class Pipeline:
    """Answers chats. `complete` gives the whole answer, `stream` gives it as it comes."""

    def __init__(
        self,
        *,
        config: Config,
        hooks: Hooks,
        registry: Registry,
        fetch: Fetch,
        converter: Converter,
        cache: Cache,
        tools: Tools,
        executor: Executor,
        documents: Documents | None = None,
        cancellation: Cancellation | None = None,
    ) -> None:
        self.config, self.hooks, self.registry = config, hooks, registry
        self.tools, self.executor = tools, executor
        self._attachments = partial(Attachments, config=config, fetch=fetch, converter=converter, cache=cache)
        self._made = partial(Made, cache=cache, fetch=fetch)
        self._documents = documents or Documents()
        self.cancellation = cancellation or Cancellation()
        self.routing = Routing(registry, config.data)

    async def answer(self, chat: Chat, context: Context | None = None) -> Completion:
        """The whole answer, with usage, duration and cost. Raises LlmsError, RequestCancelled if it was cancelled."""
        completion = await self.complete(chat, context)
        if completion is None:
            raise RequestCancelled
        return completion

    async def complete(self, chat: Chat, context: Context | None = None) -> Completion | None:
        """As `answer`, but None for a chat that was cancelled: no failure to whoever cancelled it."""
        context = begin(chat, context)
        async with ErrorFilters(self.hooks, context):
            turn = await self._admitted(chat, context)
            if turn.ours:
                completion = await self._tool_loop(turn).complete(lambda: self._asked(turn))
            else:
                completion = await self._asked(turn)
                usage.account(completion, context)
            if self.should_cancel(context):
                return None
            await self._show(completion, context)
            return completion
        return None

    async def stream(self, chat: Chat, context: Context | None = None) -> Batches:
        """The answer's events, each list what arrived together. Raises LlmsError, before or after the first.

        Closing the iterator closes the provider's connection. A chat that is cancelled ends early, without an error.
        """
        context = begin(chat, context)
        async with ErrorFilters(self.hooks, context):
            turn = await self._admitted(chat, context)
            if turn.ours:
                loop = self._tool_loop(turn)
                async with aclosing(loop.stream(lambda: self._streamed(turn))) as batches:
                    async for events in batches:
                        yield events
                await self._show(loop.whole, context)
                return
            assembler = StreamAssembler(model=str(turn.chat.get("model"))) if self.hooks.chat_response else None
            begun, made, is_counted = await self._begun(turn), self._made(turn.chat, context), False
            async with aclosing(begun) as batches:
                async for batch in batches:
                    events = await self._shown(batch, made, context)
                    is_counted = _count_usage(events, context) or is_counted
                    if assembler is not None:
                        assembler.feed_all(events)
                    yield events
                    if self.should_cancel(context):
                        break
            if not is_counted:
                usage.count({}, context)  # a request may have a price whatever its size
            if assembler is not None:
                completion = assembler.so_far()
                usage.account(completion, context)
                await self._show(completion, context)

    def should_cancel(self, context: Context) -> bool:
        """Whether nobody wants the answer to the chat with `context` any more."""
        return self.cancellation.asked_for(context)

    # -- the way in --------------------------------------------------------------------------------------------

    async def _admitted(self, chat: Chat, context: Context) -> Turn:
        """`chat` with the tools it may use, as the request filters leave it, checked."""
        definitions = tool_choice.chosen(self.tools, context)
        brought = tool_choice.brought(chat, context, definitions)
        chat = context["chat"] = tool_choice.with_tools(chat, definitions)
        await self.hooks.chat_request(chat, context)
        check(chat)
        ours = tool_choice.ours(chat, self.tools, brought)
        return Turn(chat, context, ours, self._attachments(again=bool(ours)), strategy_in(context.get("metadata")))

    # -- asking ------------------------------------------------------------------------------------------------

    async def _asked(self, turn: Turn) -> Completion:
        """The whole answer of the first provider that has one."""

        async def attempt(provider: Provider, chat: Chat) -> Completion:
            completion = await provider.chat(chat, turn.context)
            if not completion.get("choices"):
                raise ProviderError(f"Provider '{provider.id}' answered with nothing. Try again.", provider=provider.id)
            return completion

        completion, _ = await self._first(turn, attempt, streamed=False)
        for choice in completion["choices"]:
            complete_calls(cast(Json, choice.get("message") or {}))
        await self._made(turn.chat, turn.context).take(completion)
        return completion

    async def _begun(self, turn: Turn) -> Batches:
        """The events of the first provider that begins an answer."""

        async def attempt(provider: Provider, chat: Chat) -> Begun:
            stream, within = provider.stream(chat, turn.context), opens_within(provider, chat, self.config.limits)
            return await Begun.open(stream, provider=provider.id, within=within)

        begun, path = await self._first(turn, attempt, streamed=True)
        return path.followed(begun.events())

    async def _streamed(self, turn: Turn) -> Batches:
        """The events of one such answer, as the delta filters leave them."""
        begun, made = await self._begun(turn), self._made(turn.chat, turn.context)
        async with aclosing(begun) as batches:
            async for events in batches:
                yield await self._shown(events, made, turn.context)

    async def _shown(self, events: list[StreamEvent], made: Made, context: Context) -> list[StreamEvent]:
        """`events` with what they hold kept, as the delta filters leave them."""
        events = await made.taken(events)
        return await filtered(events, context, self.hooks.chat_delta) if self.hooks.chat_delta else events

    async def _first(
        self, turn: Turn, ask: Callable[[Provider, Chat], Awaitable[T]], *, streamed: bool
    ) -> tuple[T, Path]:
        """What `ask` gives for the first candidate that does not fail, and how it was found.

        Raises RequestCancelled instead of asking.
        """
        self._check_wanted(turn.context)
        chat = await turn.attachments.inside(turn.chat, turn.context)
        candidates = await self._candidates(turn, streamed=streamed)
        path = self.routing.path(turn.context["request_id"], streamed=streamed)

        async def attempt(candidate: Candidate) -> T:
            cast(Json, turn.context)["attempts"] = turn.failures + path.failures + 1
            shaped = await self._shaped(candidate, chat, turn)
            path.calls()
            return await ask(candidate.provider, shaped)

        answer = await first_answer(candidates, attempt, path=path, **self._retrying(turn.context))
        turn.last, turn.failures = path.answering, turn.failures + path.failures
        return answer, path

    async def _candidates(self, turn: Turn, *, streamed: bool) -> list[Candidate]:
        """Whom to ask, best first: who answered before, unless somebody wishes for another since."""
        wished, asked = turn.context.get("provider"), cast(Json, turn.context).get(_ASKED)
        prefer = turn.chat.get("provider") if wished in (None, asked) else wished
        return await self.routing.candidates(
            turn.chat["model"],
            prefer=prefer if isinstance(prefer, str) else None,
            strategy=turn.strategy,
            streamed=streamed,
            last=turn.last if wished in (None, asked) else None,
        )

    async def _shaped(self, candidate: Candidate, chat: Chat, turn: Turn) -> Chat:
        """`chat` as `candidate` shall get it; the context now tells of this attempt."""
        context, provider = turn.context, candidate.provider
        if candidate.model != chat["model"]:
            chat = {**chat, "model": candidate.model}
        model = provider.model_info(chat["model"])
        context["provider"] = cast(Json, context)[_ASKED] = candidate.id
        context["modelInfo"] = model
        context["modelCost"] = provider.model_cost(chat["model"])
        context["startedAt"] = time.time()
        if turn.ours and not can_call_tools(model):
            chat = tool_choice.without_tools(chat, turn.ours)
        chat = await readable(chat, provider, model, self._documents)
        return prepare(chat, model, replays=_replays(provider))

    def _retrying(self, context: Context) -> Retrying:
        """How often to try, and whom to tell."""

        async def on_retry(status: str) -> None:
            self._check_wanted(context)
            await self.hooks.chat_status(status, context)

        return {"rounds": self.config.limits.retries, "on_retry": on_retry}

    def _check_wanted(self, context: Context) -> None:
        if self.should_cancel(context):
            raise RequestCancelled

    def _tool_loop(self, turn: Turn) -> ToolLoop:
        asked_for: object = cast(Json, turn.context).get("max_iterations")
        rounds = asked_for if isinstance(asked_for, int) and asked_for > 0 else self.config.limits.max_iterations
        return ToolLoop(
            turn.chat,
            turn.context,
            ours=turn.ours,
            rounds=rounds,
            hooks=self.hooks,
            executor=self.executor,
            is_cancelled=self.should_cancel,
        )

    # -- the way out -------------------------------------------------------------------------------------------

    async def _show(self, completion: Completion, context: Context) -> None:
        """Shows the whole answer to the response filters."""
        context["providerResponse"] = cast(Json, completion)
        await self.hooks.chat_response(completion, context)


def _count_usage(events: list[StreamEvent], context: Context) -> bool:
    """Writes duration and cost beside the usage, and gives True, where an event tells it."""
    is_counted = False
    for event in events:
        if not event.plain and event.chunk.get("usage"):
            usage.count(cast(Json, event.chunk), context)
            event.raw = None
            is_counted = True
    return is_counted


def begin(chat: Chat, context: Context | None) -> Context:
    """`context` with what every chat has in it, and without what a chat before has left there."""
    context = {} if context is None else context
    kept = cast(Json, context)
    if (asked := kept.pop(_ASKED, None)) is not None and kept.get("provider") == asked:
        del kept["provider"]
    context.setdefault("chat", chat)
    if "request_id" not in context:
        context["request_id"] = os.urandom(16).hex()
    context.setdefault("tools", "all")
    context.setdefault("startedAt", time.time())
    return context


def _replays(provider: Provider) -> frozenset[str]:
    """The fields of earlier messages that `provider` knows how to say."""
    with foreign.border(provider.id) if isinstance(provider, Guest) else nullcontext():
        told = getattr(provider, "replays", None)
    return told if isinstance(told, frozenset) else frozenset()
