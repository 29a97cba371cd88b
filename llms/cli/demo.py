"""The small embedded model: offered when nothing else can answer, and named when it is what answers."""

import asyncio
import os
import sys
import threading

from llms.cli.commands import extension
from llms.cli.invocation import Invocation
from llms.cli.output import note, watched
from llms.kernel.errors import ConfigError
from llms.kernel.types import Context

NO_PROVIDER = (
    "No provider is configured. Set an API key such as OPENAI_API_KEY, "
    "or run `llms local install` for a small demo model."
)
_OFFER = "No provider is configured. Fetch the small embedded demo model now (about 121 MB)? [Y/n] "
_NOTICE = "Answered by {name}, which makes things up. Set an API key such as OPENAI_API_KEY for a real model."


async def any_model(invocation: Invocation) -> str:
    """The model that answers when none is named. Fetches the demo model if there is none and the user agrees.

    Raises ConfigError where no model can be had.
    """
    registry = invocation.app.registry
    if (model := registry.default_model()) is None and await _agreed(invocation):
        await extension.run(invocation, invocation.parser.commands["local"], ["install"])
        model = registry.default_model()
    if model is None:
        raise ConfigError(NO_PROVIDER)
    return model


def tell_if_demo(context: Context) -> None:
    """Says, where someone reads it, that the model that answers is the demo model."""
    model = context.get("modelInfo") or {}
    if model.get("demo") and watched():
        note(_NOTICE.format(name=model.get("name") or model.get("id")))


async def _agreed(invocation: Invocation) -> bool:
    """Asks, where someone can answer and the demo model can be fetched."""
    if "local" not in invocation.parser.commands or not (watched() and sys.stdin.isatty()):
        return False
    note(_OFFER, end="")
    answer = await _line_typed()
    return answer is not None and answer.strip().lower() in ("", "y", "yes")


async def _line_typed() -> str | None:
    """The next line typed, None at its end. Waits in a thread that may be left behind, so that Ctrl-C works."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[bytes] = loop.create_future()
    threading.Thread(target=lambda: loop.call_soon_threadsafe(typed.set_result, os.read(0, 1024)), daemon=True).start()
    return (await typed).decode(errors="replace") or None
