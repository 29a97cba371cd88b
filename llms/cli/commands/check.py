"""`llms --check PROVIDER [MODEL ...|all]`"""

import time
from typing import Any

from llms.app import App
from llms.chat.prepare import prepare
from llms.chat.templates import chat_from_template
from llms.cli.exit_code import ExitCode
from llms.cli.invocation import Invocation
from llms.cli.output import say
from llms.kernel.errors import LlmsError, NotFound
from llms.kernel.types import Chat
from llms.providers.whole import streaming

_LONGEST_REASON = 100


async def run(invocation: Invocation) -> int:
    """Asks each model for a word, straight from its provider, and prints a line for each. 1 if any failed."""
    app = invocation.app
    id, names = invocation.options.check[0], [*invocation.options.check[1:], *invocation.words]
    provider = _provider(app, id)
    models = [name for name in names if name != "all"] or list(provider.models)
    unknown = [name for name in models if provider.provider_model(name) is None]
    for name in unknown:
        say(f"  ✗ {name:<40} not offered by {id}")
    results = [await _check(app, provider, name) for name in models if name not in unknown]
    return ExitCode.SUCCESS if models and not unknown and all(results) else ExitCode.FAILED


def _provider(app: App, id: str) -> Any:
    if (provider := app.registry.live.get(id)) is not None:
        return streaming(provider)
    if id in (app.config.data.get("providers") or {}):
        why = app.registry.why_not(id, app.config.data, app.config.catalog)
        raise NotFound(f"{why}." if why else f"Provider '{id}' is disabled. Run `llms --enable {id}`.")
    raise NotFound(f"Provider '{id}' not found. Choose from: {', '.join(sorted(app.registry.live)) or 'none'}.")


async def _check(app: App, provider: Any, model: str) -> bool:
    chat: Chat = {**(getattr(provider, "check", None) or chat_from_template(app.config.data, "check")), "model": model}
    started = time.monotonic()
    try:
        await provider.chat(prepare(chat, provider.model_info(model)), {})
    except LlmsError as error:
        reason = " ".join(app.secrets.mask(str(error)).split())[:_LONGEST_REASON]
        say(f"  ✗ {model:<40} {reason}")
        return False
    say(f"  ✓ {model:<40} ({(time.monotonic() - started) * 1000:.0f}ms)")
    return True
