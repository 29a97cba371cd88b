"""Another program runs without a shell, and says why it failed."""

import sys

import pytest

from llms.kernel.command import CommandError, run_command


def test_it_gives_what_the_program_wrote() -> None:
    assert run_command([sys.executable, "-c", "print('hi')"]).stdout == "hi\n"


def test_no_shell_reads_the_arguments() -> None:
    assert (
        run_command([sys.executable, "-c", "import sys; print(sys.argv[1])", "$(id); `id`"]).stdout == "$(id); `id`\n"
    )


def test_a_failure_tells_the_code_and_the_words() -> None:
    with pytest.raises(CommandError, match="ended with code 3: no luck"):
        run_command([sys.executable, "-c", "import sys; sys.stderr.write('no luck'); sys.exit(3)"])


def test_a_missing_program_is_named() -> None:
    with pytest.raises(CommandError, match="no-such-program cannot be run"):
        run_command(["no-such-program"])
