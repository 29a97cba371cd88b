"""`llms ls [provider ...]`, also `llms --list`"""

from collections.abc import Mapping
from typing import Any

from llms.app import App
from llms.cli.exit_code import ExitCode
from llms.cli.invocation import Invocation
from llms.cli.output import say
from llms.kernel.errors import NotFound
from llms.kernel.types import Model


async def run(invocation: Invocation) -> int:
    """Prints providers, their models and prices, then totals and status."""
    words = invocation.words
    names = words[1:] if words[:1] == ["ls"] else words
    listed = _models(invocation.app, names)
    width = max((len(model) for models in listed.values() for model in models), default=0)
    for provider, models in listed.items():
        say(f"{provider}:")
        for model, facts in models.items():
            say(f"  {model:<{width}} {_price(facts.get('cost') or {})}".rstrip())
    say(f"\n{sum(map(len, listed.values()))} models available from {len(listed)} providers\n")
    say(status(invocation.app))
    return ExitCode.SUCCESS


def status(app: App) -> str:
    """Which providers can answer, and which of the configured ones cannot."""
    live = set(app.registry.live)
    resting = set(app.config.data.get("providers") or ()) - live
    return f"Enabled: {_names(live)}\nDisabled: {_names(resting)}"


def _models(app: App, names: list[str]) -> dict[str, dict[str, Model]]:
    """Models by provider, of the named providers or of all that have some."""
    live: dict[str, dict[str, Model]] = {id: {} for id in app.registry.live}
    for id, model, facts in app.registry.offers():
        live[id][model] = facts
    for name in names:
        if name not in live:
            why = app.registry.why_not(name, app.config.data, app.config.catalog)
            known = name in (app.config.data.get("providers") or {})
            reason = f"{why}." if known and why else f"Choose from: {_names(set(live))}."
            raise NotFound(f"Provider '{name}' is not available. {reason}")
    return {id: models for id, models in live.items() if (id in names if names else models)}


def _price(cost: Mapping[str, Any]) -> str:
    """Dollars per million tokens, in and out."""
    given, taken = cost.get("input"), cost.get("output")
    if given is None or taken is None:
        return ""
    return f"{given:5} / {taken}" if given or taken else "      0"


def _names(ids: set[str]) -> str:
    return ", ".join(sorted(ids)) or "None"
