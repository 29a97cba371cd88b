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
    messages = [cast(Json, choice.get("message") or {}) for choice in completion["choices"]]
    _say_saved_files([url for message in messages for url in _media_urls(message)], invocation.app.home)


async def _streamed(invocation: Invocation, chat: Chat, context: Context) -> None:
    urls: list[str] = []
    async with aclosing(invocation.app.pipeline.stream(chat, context)) as batches:
        with waiting():
            first: list[StreamEvent] = await anext(batches, [])
        tell_if_demo(context)
        with new_answer() as answer:
            urls += _fed(answer, first)
            async for events in batches:
                urls += _fed(answer, events)
    _say_saved_files(urls, invocation.app.home)


def _fed(answer: Answer, events: list[StreamEvent]) -> Iterator[str]:
    """Feeds the first choice, for `n` others have no place in a terminal; gives the URLs of what all have made."""
    for event in events:
        for choice in event.chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            if not choice.get("index"):
                answer.feed(delta)
            yield from _media_urls(cast(Json, delta))


def _say_saved_files(urls: list[str], home: Home) -> None:
    if not urls:
        return
    say("\nSaved files:")
    for url in urls:
        if url.startswith("/~cache/"):
            say(str(home.cache / url.removeprefix("/~cache/")))
            say(f"http://localhost:{DEFAULT_PORT}{url}")
        else:
            say(url)


def _media_urls(message: Json) -> Iterator[str]:
    """Where the images and sounds of a message, or of a piece of one, lie."""
    for part in [*(message.get("images") or ()), *(message.get("audios") or ())]:
        detail = part.get(part.get("type"))
        if isinstance(detail, dict) and detail.get("url"):
            yield detail["url"]
