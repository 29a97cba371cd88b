"""`llms ext ls [--json]`"""

import json

from llms.cli.exit_code import ExitCode
from llms.cli.invocation import Invocation
from llms.cli.output import say
from llms.host.extension import State
from llms.host.status import statuses
from llms.kernel.types import Json


async def run(invocation: Invocation) -> int:
    """Prints every extension as this run has loaded it, and why one is not loaded."""
    found = statuses(invocation.host)
    if invocation.options.json:
        say(json.dumps(found, indent=2))
        return ExitCode.SUCCESS
    width = max(len(extension["name"]) for extension in found)
    for extension in found:
        say(f"{extension['name']:<{width}}  {_facts(extension)}".rstrip())
        if extension["reason"]:
            say(f"{'':<{width}}  {extension['reason']}")
    return ExitCode.SUCCESS


def _facts(extension: Json) -> str:
    """`loaded  built-in  1.2.0  2 routes, 1 tool  3 ms`"""
    loaded = extension["state"] == State.LOADED
    counts = [_count(extension, "routes"), _count(extension, "tools"), _count(extension, "filters")]
    parts = [f"{extension['state']:<12}", f"{extension['origin']:<11}", extension["version"] or "-"]
    if loaded:
        parts += [", ".join(filter(None, counts)), f"{extension['start_seconds'] * 1000:.0f} ms"]
    if extension.get("errors"):
        parts.append(f"{extension['errors']} errors")
    return "  ".join(part for part in parts if part)


def _count(extension: Json, kind: str) -> str:
    number = len(extension.get(kind) or ())
    return f"{number} {kind if number != 1 else kind[:-1]}" if number else ""
