"""`llms ext add [SOURCE]`, `llms --add [SOURCE]` and `llms ext plan SOURCE`"""

from collections.abc import Mapping

from llms.cli.commands.ext_consent import agreed
from llms.cli.commands.ext_plan import describe, one_line
from llms.cli.exit_code import ExitCode
from llms.cli.output import note, say
from llms.host.install import organisation, source
from llms.host.install.installer import opened
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home


def add(home: Home, text: str, environ: Mapping[str, str], *, yes: bool) -> int:
    """Shows the plan, asks, and installs. Without a source, lists what can be had by name."""
    if not text:
        return _list(environ)
    with opened(home, environ) as installer:
        name = installer.source(text).name
        if installer.has(name):
            say(f"{name} is there already. `llms ext update {name}` brings it up to date.")
            return ExitCode.SUCCESS
        plan = installer.plan_add(text)
        say(describe(plan))
        if not plan.refusals and not agreed("Install it? It will be able to do whatever the server can.", yes=yes):
            return ExitCode.FAILED
        installer.apply(plan)
        say(f"Installed {name}.")
    return ExitCode.SUCCESS


def plan(home: Home, text: str, environ: Mapping[str, str]) -> int:
    """Shows what `add` would do. 1 where it would refuse."""
    if not text:
        raise ConfigError(f"Name what to plan for: {source.FORMS}.")
    with opened(home, environ) as installer:
        found = installer.plan_add(text)
        say(describe(found))
    return ExitCode.FAILED if found.refusals else ExitCode.SUCCESS


def _list(environ: Mapping[str, str]) -> int:
    found = organisation.repositories(environ)
    width = max((len(one.name) for one in found), default=0)
    for one in found:
        say(f"{one.name:<{width}}  {one_line(one.description)}".rstrip())
    note(f"Install one with `llms --add NAME`, or from elsewhere: {source.FORMS}.")
    return ExitCode.SUCCESS
