"""A command that an extension added, such as `llms local install`."""

from llms.cli.exit_code import ExitCode
from llms.cli.invocation import Invocation
from llms.cli.parser import Command
from llms.kernel import foreign


async def run(invocation: Invocation, command: Command, words: list[str]) -> int:
    """Runs the command with the ctx of the extension that added it; gives its exit code."""
    ctx = invocation.host.context(command.extension)
    if ctx is None:  # its `__install__` failed, which the log has told
        return ExitCode.FAILED
    outcome = await foreign.call_here(command.run, ctx, words, extension=ctx.name)
    return ExitCode.SUCCESS if outcome is None else int(outcome)
