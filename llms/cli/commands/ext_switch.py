"""`llms ext enable|disable NAME`: a running server follows."""

from argparse import Namespace
from collections.abc import Mapping

from llms.cli.configuration import load
from llms.cli.exit_code import ExitCode
from llms.cli.output import say
from llms.host.crashes import Crashes
from llms.host.discovery import discover
from llms.host.live import listing
from llms.kernel.errors import NotFound
from llms.kernel.paths import Home


def switch(home: Home, name: str, options: Namespace, environ: Mapping[str, str], *, disabled: bool) -> int:
    """Writes to llms.json whether the extension is disabled. Enabling forgives its crashes. Raises LlmsError."""
    known = [extension.name for extension in discover(home.extensions)]
    if name not in known:
        raise NotFound(f"There is no extension '{name}'. There are: {', '.join(known)}.")
    load(home, options, environ).update(listing(name, disabled=disabled))
    if not disabled:
        Crashes(home.crashes).forgive(name)
    say(f"Extension '{name}' is {'disabled' if disabled else 'enabled'}.")
    return ExitCode.SUCCESS
