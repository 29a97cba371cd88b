"""`llms --enable PROVIDER ...` and `llms --disable PROVIDER ...`"""

import json
from collections.abc import Iterable

from llms.cli.commands.ls import status
from llms.cli.exit_code import ExitCode
from llms.cli.invocation import Invocation
from llms.cli.output import note, say
from llms.kernel.errors import NotFound
from llms.kernel.secrets import redact
from llms.kernel.types import Json


async def run(invocation: Invocation) -> int:
    """Writes the switches into llms.json; prints the entries, the status, and why any cannot be used yet."""
    app, options = invocation.app, invocation.options
    on, off = _ids(options.enable or ()), _ids(options.disable or ())
    switches = dict.fromkeys(on, True) | dict.fromkeys(off, False)
    _refuse_unknown(switches, {*(app.config.data.get("providers") or {}), *app.config.catalog})

    def edit(config: Json) -> None:
        for id, enabled in switches.items():
            config.setdefault("providers", {}).setdefault(id, {})["enabled"] = enabled

    app.config.update(edit)
    await app.rebuild_providers()
    await app.hooks.reload_providers()
    for id in switches:
        say(f"{id}: {json.dumps(redact(app.config.data['providers'][id]), indent=2)}")
    say(f"\n{status(app)}")
    for id in on:
        if why := app.registry.why_not(id, app.config.data, app.config.catalog):
            note(why)
    return ExitCode.SUCCESS


def _ids(words: Iterable[str]) -> list[str]:
    """The names in `groq, openai` and `groq openai` alike."""
    return [id for word in words for id in word.split(",") if id]


def _refuse_unknown(ids: Iterable[str], known: set[str]) -> None:
    for id in ids:
        if id not in known:
            raise NotFound(f"Provider '{id}' not found. Choose from: {', '.join(sorted(known))}.")
