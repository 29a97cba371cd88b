"""Running another program."""

import subprocess
from collections.abc import Sequence

from llms.kernel.errors import LlmsError


class CommandError(LlmsError):
    """A program could not be started, or ended with a code other than 0."""


def run_command(args: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, without a shell. Blocks. Raises CommandError with what it wrote to stderr."""
    try:
        return subprocess.run(list(args), capture_output=True, text=True, check=True)  # noqa: S603 - no shell
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip()
        raise CommandError(f"{args[0]} ended with code {error.returncode}: {said or 'it said nothing'}") from error
    except OSError as error:
        raise CommandError(f"{args[0]} cannot be run: {error.strerror}. Is it installed?") from error
