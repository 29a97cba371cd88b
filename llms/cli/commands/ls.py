"""`llms ls [provider ...]`, also `llms --list`"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from llms.app import App
from llms.cli.answer import can_redraw
from llms.cli.exit_code import ExitCode
from llms.cli.invocation import Invocation
from llms.cli.model_filter import ModelFilter
from llms.cli.output import say
from llms.kernel.errors import NotFound
from llms.kernel.types import Model

Listed = dict[str, dict[str, Model]]  # models by provider


async def run(invocation: Invocation) -> int:
    """Prints providers, their models and prices, then totals and status: a table for people, plain lines in a pipe."""
    words = invocation.words
    names = words[1:] if words[:1] == ["ls"] else words
    wanted = ModelFilter.from_flags(invocation.options)
    listed = _models(invocation.app, names, wanted)
    if invocation.options.json:
        say(json.dumps([{**facts, "id": model, "provider": id} for id, model, facts in _each(listed)], indent=2))
        return ExitCode.SUCCESS
    if can_redraw(sys.stdout):
        _print_table(listed)
    else:
        _print_lines(listed)
    say(f"\n{sum(map(len, listed.values()))} models available from {len(listed)} providers\n")
    say(status(invocation.app))
    return ExitCode.SUCCESS


def status(app: App) -> str:
    """Which providers can answer, and which of the configured ones cannot."""
    live = set(app.registry.live)
    resting = set(app.config.data.get("providers") or ()) - live
    return f"Enabled: {_names(live)}\nDisabled: {_names(resting)}"


def _models(app: App, names: list[str], wanted: ModelFilter) -> Listed:
    """Models by provider, of the named providers or of all that have some, as far as they are wanted."""
    live: Listed = {id: {} for id in app.registry.live}
    for id, model, facts in app.registry.offers():
        if wanted.takes(model, facts):
            live.setdefault(id, {})[model] = facts
    if not names and (aliases := {name: facts for name, facts in app.registry.aliased() if wanted.takes(name, facts)}):
        live["alias"] = aliases
    for name in names:
        if name not in live:
            why = app.registry.why_not(name, app.config.data, app.config.catalog)
            known = name in (app.config.data.get("providers") or {})
            reason = f"{why}." if known and why else f"Choose from: {_names(set(live))}."
            raise NotFound(f"Provider '{name}' is not available. {reason}")
    return {id: models for id, models in live.items() if (id in names if names else models)}


def _each(listed: Listed) -> list[tuple[str, str, Model]]:
    return [(id, model, facts) for id, models in listed.items() for model, facts in models.items()]


def _print_lines(listed: Listed) -> None:
    width = max((len(model) for _, model, _ in _each(listed)), default=0)
    for provider, models in listed.items():
        say(f"{provider}:")
        for model, facts in models.items():
            say(f"  {model:<{width}} {_price(facts.get('cost') or {})}".rstrip())


def _print_table(listed: Listed) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Model", overflow="fold")
    table.add_column("$ in / out", justify="right", no_wrap=True)
    table.add_column("Context", justify="right", no_wrap=True)
    table.add_column("Reads", overflow="fold")
    table.add_column("Makes", overflow="fold")
    for provider, models in listed.items():
        table.add_row(Text(provider, style="bold"))
        for model, facts in models.items():
            made = facts.get("modalities") or {}
            table.add_row(
                Text(f"  {model}"),
                _price(facts.get("cost") or {}).strip() or "-",
                _tokens((facts.get("limit") or {}).get("context")),
                Text(" ".join(made.get("input") or ())),
                Text(" ".join(made.get("output") or ())),
            )
    Console().print(table)


def _price(cost: Mapping[str, Any]) -> str:
    """Dollars per million tokens, in and out."""
    given, taken = cost.get("input"), cost.get("output")
    if given is None or taken is None:
        return ""
    return f"{given:5} / {taken}" if given or taken else "      0"


def _tokens(count: Any) -> str:
    """`128K`, `1M`; a dash where it is not known."""
    if not isinstance(count, int) or count <= 0:
        return "-"
    return f"{count / 1_000_000:.3g}M" if count >= 1_000_000 else f"{count / 1000:.0f}K"


def _names(ids: set[str]) -> str:
    return ", ".join(sorted(ids)) or "None"
