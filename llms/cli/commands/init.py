"""`llms --init`"""

from llms.cli.exit_code import ExitCode
from llms.cli.output import say
from llms.kernel.first_run import create_home_files
from llms.kernel.paths import Home


def run(home: Home) -> int:
    """Creates the configuration files that are missing, and says so of each."""
    for said in create_home_files(home, mention_all=True):
        say(said)
    return ExitCode.SUCCESS
