"""`llms local` and `llms local install`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from . import runtime
from .provider import LocalProvider
from .weights import Weights

if TYPE_CHECKING:
    from llms.api import ExtensionContext


async def run(ctx: ExtensionContext, words: list[str]) -> int:
    """Shows what there is, or fetches what is missing of the demo model. Raises LlmsError."""
    return _install(ctx) if words == ["install"] else _show(ctx)


def _install(ctx: ExtensionContext) -> int:
    """Runs before anything is served, so it may block: pip shows its own progress. Then the model is there at once."""
    weights = Weights(ctx.home.models)
    if not runtime.is_installed():
        _say(f"Fetching the runtime for local models ({runtime.REQUIREMENT}).")
    runtime.install()  # quick where it is there, and says so where it cannot be loaded
    if (found := weights.find()) is None:
        _say("Fetching the demo model SmolLM2-135M (89 MB).")
        found = weights.install()
    if isinstance(provider := ctx.get_provider("local"), LocalProvider):
        provider.look()
    _say(f"The demo model is ready: {found}")
    return 0


def _show(ctx: ExtensionContext) -> int:
    from .models import installed_models

    models = installed_models(ctx.home.models)
    for model in models:
        print(f"{model.id:<32} {model.context:>6} tokens  {model.path}")  # noqa: T201 - the command's answer
    if not models:
        _say("There are no models yet. Fetch the demo model with `llms local install`.")
    if not runtime.is_installed():
        _say("The runtime is not installed. `llms local install` fetches it.")
    _say(f"Put further .gguf files into {ctx.home.models} to use them.")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the command's own progress
