"""`llms ext update [NAME[@REF]|all]`, `llms --update [NAME|all]` and `llms ext rollback NAME`"""

from collections.abc import Mapping

from llms.cli.commands.ext_consent import agreed
from llms.cli.commands.ext_plan import describe
from llms.cli.commands.ext_remove import list_installed
from llms.cli.exit_code import ExitCode
from llms.cli.output import note, say
from llms.host.install.installer import Installer, opened
from llms.kernel.errors import ConfigError, LlmsError
from llms.kernel.paths import Home


def update(home: Home, name: str, environ: Mapping[str, str], *, yes: bool, force: bool) -> int:
    """Shows what changes, asks, and updates one or all. Without a name, lists what is installed."""
    with opened(home, environ) as installer:
        if not name:
            return list_installed(installer, "Update one with `llms --update NAME`, or all with `llms --update all`.")
        if name != "all":
            return _update(installer, name, yes=yes, force=force)
        codes = [_leniently(installer, each, yes=yes, force=force) for each in installer.updatable]
        if not codes:
            say("Nothing to update: no extension came from anywhere.")
    return max(codes, default=ExitCode.SUCCESS)


def rollback(home: Home, name: str, environ: Mapping[str, str], *, yes: bool) -> int:
    """Shows what changes, asks, and puts the version before the present one back."""
    if not name:
        raise ConfigError("Name the extension: `llms ext rollback NAME`.")
    with opened(home, environ) as installer:
        plan = installer.plan_rollback(name)
        say(describe(plan))
        if not plan.refusals and not agreed("Go back to it?", yes=yes):
            return ExitCode.FAILED
        installer.apply(plan)
    say(f"{name} is back at {plan.commit[:12] or 'its former version'}.")
    return ExitCode.SUCCESS


def _leniently(installer: Installer, name: str, *, yes: bool, force: bool) -> int:
    """One of many: what stops it does not stop the others."""
    try:
        return _update(installer, name, yes=yes, force=force)
    except LlmsError as error:
        note(f"{name}: {error}")
        return ExitCode.FAILED


def _update(installer: Installer, text: str, *, yes: bool, force: bool) -> int:
    name, _, ref = text.partition("@")
    plan = installer.plan_update(name, ref=ref, force=force)
    if plan is None:
        say(f"{name} is up to date.")
        return ExitCode.SUCCESS
    say(describe(plan))
    if not plan.refusals and not agreed("Update it?", yes=yes):
        return ExitCode.FAILED
    installer.apply(plan)
    say(f"Updated {name}. `llms ext rollback {name}` takes that back.")
    return ExitCode.SUCCESS
