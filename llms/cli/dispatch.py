"""Which command a line calls: the first that matches."""

from argparse import Namespace
from collections.abc import Awaitable, Callable

from llms.cli import chat_line, stdin
from llms.cli.commands import ask, check, default, enable, ext_ls, extension, ls, serve
from llms.cli.exit_code import ExitCode
from llms.cli.invocation import Invocation
from llms.cli.output import watched
from llms.cli.parser import Parser


async def dispatch(invocation: Invocation) -> int:
    """Runs what the line calls; gives its exit code. A line that calls nothing gets the help."""
    options, words = invocation.options, invocation.words
    if (run := _verb(options, words)) is not None:
        return await run(invocation)
    if (command := invocation.parser.command(words)) is not None:
        return await extension.run(invocation, command, words[1:])
    if chat_line.is_chat(options, words, invocation.piped):
        return await ask.run(invocation)
    if await invocation.host.run():
        return ExitCode.SUCCESS
    invocation.parser.print_help()
    return ExitCode.SUCCESS


def _verb(options: Namespace, words: list[str]) -> Callable[[Invocation], Awaitable[int]] | None:
    verbs = (
        (options.list or words[:1] == ["ls"], ls.run),
        (words in (["ext"], ["ext", "ls"]), ext_ls.run),
        (options.check, check.run),
        (options.serve is not None, serve.run),
        (options.enable or options.disable, enable.run),
        (options.default, default.run),
    )
    return next((run for is_asked, run in verbs if is_asked), None)


def piped_text(parser: Parser, options: Namespace, words: list[str]) -> str:
    """What is piped in, if the line may be a chat that wants it.

    A prompt waits for a slow pipe only if someone watches; without a prompt the pipe is all there is to wait for.
    """
    other = _verb(options, words) or parser.command(words) or parser.extension_flags_given(options)
    if other or not chat_line.wants_stdin(options, words):
        return ""
    if "-" in words:
        return stdin.read_all()
    return stdin.read_piped(wait=watched() or not chat_line.is_chat(options, words, ""))
