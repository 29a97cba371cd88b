"""`llms "a prompt"`: one chat, its answer streamed to stdout"""

import json
from collections.abc import Iterator
from contextlib import aclosing
from typing import cast

from llms.cli.answer import Answer, new_answer
from llms.cli.chat_line import build_chat, build_context
from llms.cli.demo import any_model, tell_if_demo
from llms.cli.exit_code import ExitCode
from llms.cli.flags import DEFAULT_PORT
from llms.cli.invocation import Invocation
from llms.cli.output import say
from llms.cli.waiting import waiting
from llms.kernel.paths import Home
from llms.kernel.types import Chat, Context, Json
from llms.providers.events import StreamEvent


async def run(invocation: Invocation) -> int:
    """Prints the answer as it comes, then the files it saved. With `--raw`, the whole response as JSON instead."""
    app, options = invocation.app, invocation.options
    chat = build_chat(app.config.data, options, invocation.words, invocation.piped)
    context = build_context(options)
    if not chat.get("model"):
        chat["model"] = await any_model(invocation)
    if options.raw or chat.get("stream") is False:
        await _whole(invocation, chat, context)
    else:
        await _streamed(invocation, chat, context)
    return ExitCode.SUCCESS


async def _whole(invocation: Invocation, chat: Chat, context: Context) -> None:
    with waiting():
        completion = await invocation.app.pipeline.answer(chat, context)
    tell_if_demo(context)
    if invocation.options.raw:
        say(json.dumps(completion, indent=2, ensure_ascii=False))
        return
    with new_answer() as answer:
        for choice in completion["choices"][:1]:
            answer.feed(choice.get("message") or {})
    _say_saved_files(cast(Json, completion), invocation.app.home)


async def _streamed(invocation: Invocation, chat: Chat, context: Context) -> None:
    async with aclosing(invocation.app.pipeline.stream(chat, context)) as batches:
        with waiting():
            first: list[StreamEvent] = await anext(batches, [])
        tell_if_demo(context)
        with new_answer() as answer:
            _feed(answer, first)
            async for events in batches:
                _feed(answer, events)
    _say_saved_files(context.get("providerResponse") or {}, invocation.app.home)


def _feed(answer: Answer, events: list[StreamEvent]) -> None:
    """Feeds the first choice; `n` others have no place in a terminal."""
    for event in events:
        for choice in event.chunk.get("choices") or ():
            if not choice.get("index"):
                answer.feed(choice.get("delta") or {})


def _say_saved_files(completion: Json, home: Home) -> None:
    urls = list(_media_urls(completion))
    if not urls:
        return
    say("\nSaved files:")
    for url in urls:
        if url.startswith("/~cache/"):
            say(str(home.cache / url.removeprefix("/~cache/")))
            say(f"http://localhost:{DEFAULT_PORT}{url}")
        else:
            say(url)


def _media_urls(completion: Json) -> Iterator[str]:
    for choice in completion.get("choices") or ():
        message = choice.get("message") or {}
        for part in [*(message.get("images") or ()), *(message.get("audios") or ())]:
            detail = part.get(part.get("type"))
            if isinstance(detail, dict) and detail.get("url"):
                yield detail["url"]
