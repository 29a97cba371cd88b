"""`llms --reset [config|providers|all]`"""

from typing import cast, get_args

from llms.cli.exit_code import ExitCode
from llms.cli.output import say
from llms.kernel import first_run
from llms.kernel.errors import ConfigError
from llms.kernel.paths import Home


def run(home: Home, what: str) -> int:
    """Puts packaged files back. Without `what`, shows the choices; for another word, raises ConfigError with them."""
    choices = get_args(first_run.What)
    usage = f"Choose what to reset: llms --reset {'|'.join(choices)}"
    if not what:
        say(usage)
        return ExitCode.SUCCESS
    if what not in choices:
        raise ConfigError(f"Cannot reset '{what}'. {usage}")
    for said in first_run.reset(home, cast(first_run.What, what)):
        say(said)
    return ExitCode.SUCCESS
