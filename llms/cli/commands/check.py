"""`llms --check PROVIDER [MODEL ...|all]`"""

import asyncio
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from llms.app import App
from llms.chat.prepare import prepare
from llms.chat.templates import chat_from_template
from llms.cli.answer import can_redraw
from llms.cli.exit_code import ExitCode
from llms.cli.invocation import Invocation
from llms.cli.output import say
from llms.kernel.errors import LlmsError, NotFound
from llms.kernel.types import Chat
from llms.providers.whole import streaming

_LONGEST_REASON = 100
_AT_ONCE = 4  # more would be refused by the limits of small accounts


async def run(invocation: Invocation) -> int:
    """Asks each model for a word, straight from its provider, and prints a line for each. 1 if any failed."""
    app = invocation.app
    id, names = invocation.options.check[0], [*invocation.options.check[1:], *invocation.words]
    provider = _provider(app, id)
    models = [name for name in names if name != "all"] or list(provider.models)
    unknown = [name for name in models if provider.provider_model(name) is None]
    for name in unknown:
        say(f"  ✗ {name:<40} not offered by {id}")
    results = await _check_all(app, provider, [name for name in models if name not in unknown])
    return ExitCode.SUCCESS if models and not unknown and all(results) else ExitCode.FAILED


def _provider(app: App, id: str) -> Any:
    if (provider := app.registry.live.get(id)) is not None:
        return streaming(provider)
    if id in (app.config.data.get("providers") or {}):
        why = app.registry.why_not(id, app.config.data, app.config.catalog)
        raise NotFound(f"{why}." if why else f"Provider '{id}' is disabled. Run `llms --enable {id}`.")
    raise NotFound(f"Provider '{id}' not found. Choose from: {', '.join(sorted(app.registry.live)) or 'none'}.")


async def _check_all(app: App, provider: Any, models: list[str]) -> list[bool]:
    """Whether each model answers. Some are asked beside each other; their lines come in order, as soon as they can."""
    free, done = asyncio.Semaphore(_AT_ONCE), []

    async def checked(model: str) -> tuple[bool, str]:
        async with free:
            return await _check(app, provider, model)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(checked(model)) for model in models]
        with _progress(models) as progress:
            for number, task in enumerate(tasks, 1):
                answers, line = await task
                done.append(answers)
                if progress is not None:
                    progress.update(f"{number} of {len(models)} checked")
                say(line)
    return done


def _progress(models: list[str]) -> AbstractContextManager[Any]:
    """What tells how far it has come, where someone watches."""
    if not can_redraw(sys.stderr):
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(f"0 of {len(models)} checked", spinner_style="dim")


async def _check(app: App, provider: Any, model: str) -> tuple[bool, str]:
    """Whether `model` answers, and the line that says so."""
    facts = provider.model_info(model)
    made = ((facts or {}).get("modalities") or {}).get("output") or ["text"]
    if "text" not in made:
        return True, f"  - {model:<40} not asked: it makes {', '.join(made)}"
    chat: Chat = {**(getattr(provider, "check", None) or chat_from_template(app.config.data, "check")), "model": model}
    started = time.monotonic()
    try:
        if not (await provider.chat(prepare(chat, facts), {})).get("choices"):
            return False, f"  ✗ {model:<40} answered with no choice at all"
    except LlmsError as error:
        reason = " ".join(app.secrets.mask(str(error)).split())[:_LONGEST_REASON]
        return False, f"  ✗ {model:<40} {reason}"
    return True, f"  ✓ {model:<40} ({(time.monotonic() - started) * 1000:.0f}ms)"
