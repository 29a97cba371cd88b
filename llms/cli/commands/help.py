"""`llms --help`"""

from argparse import Namespace
from collections.abc import Mapping

from llms.cli import configuration, extensions
from llms.cli.exit_code import ExitCode
from llms.cli.output import note
from llms.cli.parser import Parser
from llms.kernel.errors import LlmsError
from llms.kernel.paths import Home


def run(home: Home, options: Namespace, environ: Mapping[str, str]) -> int:
    """Prints every flag. Writes no file; where the configuration is broken, the core's flags alone."""
    parser = Parser()
    try:
        known = options.config or home.config_file.exists()
        config = configuration.read(home, options, environ) if known else None
    except LlmsError as error:
        note(f"{error} Until then, what extensions add is left out here.")
    else:
        extensions.discover(parser, home, options, config, []).forget()
    parser.print_help()
    return ExitCode.SUCCESS
