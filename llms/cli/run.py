"""The order of a run, and the one place where its errors end.

Flags the core knows come first, so that `--version`, `--help`, `--init` and `--reset` work whatever the configuration
says. Then the configuration is read, extensions that are not disabled add their flags, and the whole line is parsed.
Only then does anything start.
"""

import io
import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from llms import __version__
from llms.cli.exit_code import ExitCode
from llms.cli.output import note, say
from llms.cli.parser import Parser
from llms.kernel.errors import LlmsError

if TYPE_CHECKING:
    from llms.cli.invocation import Invocation
    from llms.kernel.paths import Home
    from llms.kernel.secrets import Secrets


def main() -> int:
    """Runs this process's command line; gives its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an answer may hold what the terminal's encoding lacks
    return run(sys.argv[1:], os.environ)


def run(line: Sequence[str], environ: Mapping[str, str]) -> int:
    """Runs `line`; gives its exit code. Raises only SystemExit, for a line that cannot be parsed."""
    early = Parser().known(line)
    if early.version:
        say(f"llms {__version__}")
        return ExitCode.SUCCESS
    from llms.kernel.secrets import Secrets

    secrets = Secrets.from_environ(environ)
    try:
        code = _run(line, early, environ, secrets)
        sys.stdout.flush()
    except LlmsError as error:
        _report(error, early, environ, secrets)
        return ExitCode.FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that Python's own flush at exit meets an open end
        return ExitCode.PIPE_CLOSED
    return code


def _report(error: LlmsError, early: Namespace, environ: Mapping[str, str], secrets: "Secrets") -> None:
    if _verbose(early, environ):
        note(secrets.mask("".join(traceback.format_exception(error))), end="")
    note(f"{early.logprefix}Error: {secrets.mask(str(error))}")


def _run(line: Sequence[str], early: Namespace, environ: Mapping[str, str], secrets: "Secrets") -> int:
    from llms.cli.commands import ext, help, init, reset, update_providers
    from llms.kernel.paths import Home

    _start_log(early, environ, secrets)
    home = Home.from_env(environ)
    if early.help:
        return help.run(home, early, environ)
    if early.init:
        return init.run(home)
    if early.reset is not None:
        return reset.run(home, early.reset)
    if early.update_providers:
        return update_providers.run(home, early, environ)
    if ext.is_called(early, Parser().leftover(line)):
        return ext.run(home, *Parser().whole(line), environ)
    from llms.cli import loop

    return loop.run(_prepare(line, early, environ, secrets, home))


def _prepare(
    line: Sequence[str], early: Namespace, environ: Mapping[str, str], secrets: "Secrets", home: "Home"
) -> "Invocation":
    """Everything known before something starts, piped text included: asyncio would be in the way of a Ctrl-C there."""
    from llms.app import App
    from llms.cli import extensions
    from llms.cli.configuration import load
    from llms.cli.dispatch import piped_text
    from llms.cli.invocation import Invocation

    config = load(home, early, environ)
    secrets.add_from(config.data)
    parser = Parser()
    host = extensions.discover(parser, home, early, config, parser.leftover(line))
    try:
        options, words = parser.whole(line)
    except SystemExit:
        host.forget()
        raise
    app = App(
        *(home, config, secrets),
        verbose=_verbose(early, environ),
        debug=_debug(early, environ),
        auth_extension=early.auth or environ.get("LLMS_AUTH") or "credentials",
    )
    return Invocation(app, host, parser, options, words, piped_text(parser, options, words))


def _start_log(early: Namespace, environ: Mapping[str, str], secrets: "Secrets") -> None:
    from llms.kernel import log

    log.setup(
        secrets=secrets,
        verbose=_verbose(early, environ),
        debug=_debug(early, environ),
        json_lines=environ.get("LLMS_LOG") == "json",
        prefix=early.logprefix,
    )


def _verbose(early: Namespace, environ: Mapping[str, str]) -> bool:
    return early.verbose or environ.get("VERBOSE", "").lower() in ("1", "true")


def _debug(early: Namespace, environ: Mapping[str, str]) -> bool:
    return early.debug or environ.get("DEBUG") == "1"
