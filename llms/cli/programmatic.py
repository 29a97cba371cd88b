"""Running a command line from Python."""

import os
import shlex
from collections.abc import Sequence

from llms.cli.exit_code import ExitCode
from llms.cli.invocation import CURRENT
from llms.cli.run import run
from llms.host.app_extensions import AppExtensions
from llms.host.context import ExtensionContext
from llms.kernel.errors import LlmsError
from llms.kernel.paths import PACKAGE


def cli(line: str | Sequence[str]) -> ExitCode:
    """Runs a line such as "ls groq" in this process, and gives its exit code. Not inside a running event loop."""
    words = shlex.split(line) if isinstance(line, str) else list(line)
    try:
        code = run(words, os.environ)
    except SystemExit as end:  # a line that cannot be parsed
        code = ExitCode.SUCCESS if not end.code else ExitCode.FAILED
    known = code in ExitCode.__members__.values()
    return ExitCode(code) if known else ExitCode.FAILED  # an extension's command may have ended with any other


def get_app() -> AppExtensions:
    """What extensions share in the run of this process, or in the last one `cli` has made. Raises LlmsError."""
    invocation = CURRENT.get()
    if invocation is None or invocation.host.shared is None:
        raise LlmsError("No app has been started in this process. Call `cli` first.")
    ctx = ExtensionContext(invocation.host.shared, name="llms", path=PACKAGE)
    return ctx.app
