"""`llms ext doctor`"""

from collections.abc import Mapping

from llms.cli.commands.ext_plan import one_line
from llms.cli.exit_code import ExitCode
from llms.cli.output import say
from llms.host.install.doctor import examine
from llms.host.install.environment import Environment
from llms.kernel.paths import Home


def doctor(home: Home, environ: Mapping[str, str]) -> int:
    """Prints what is wrong with what is installed, each with its fix. 1 if anything is."""
    findings = examine(home, Environment(environ))
    for finding in findings:
        name = f"{finding.extension}: " if finding.extension else ""
        problem = finding.problem if finding.problem.endswith(".") else f"{finding.problem}."
        say(one_line(f"✗ {name}{problem} {finding.fix}"))
    if not findings:
        say("✓ Every extension is as it was installed.")
    return ExitCode.FAILED if findings else ExitCode.SUCCESS
