"""The command line's parser: the core's flags, and the flags and commands extensions add."""

import argparse
import difflib
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from llms.cli.flags import SECTIONS
from llms.cli.verbs import VERBS

Outcome = int | None
CommandFunction = Callable[[Any, list[str]], Outcome | Awaitable[Outcome]]

_USAGE = "llms [flags] [prompt ...]\n       llms ls [provider ...]\n       llms --serve [PORT]"
_NUMBER = re.compile(r"-\d*\.?\d+\Z")


@dataclass(frozen=True, slots=True)
class Command:
    """A verb an extension added, as in `llms local install`.

    `run(ctx, words)` gets the extension's own ctx and the words after the name. What it returns is the exit code;
    None counts as 0. It may be sync or async.
    """

    name: str
    help: str
    run: CommandFunction
    actions: tuple[str, ...]
    extension: str


class Parser(argparse.ArgumentParser):
    """What `__parser__(parser)` of an extension is given.

    An extension may call `add_argument`, as with any ArgumentParser, and `add_command`.
    """

    def __init__(self) -> None:
        super().__init__(prog="llms", usage=_USAGE, add_help=False, allow_abbrev=False)
        self.commands: dict[str, Command] = {}
        self._extension = ""
        for section in SECTIONS:
            group = self.add_argument_group(section.title)
            for flag in section.flags:
                group.add_argument(*flag.names, **flag.arguments)
        self._core_names = frozenset(action.dest for action in self._actions)

    # -- what extensions add -----------------------------------------------------------------------------------

    @contextmanager
    def extended_by(self, extension: str) -> Iterator[None]:
        """Whatever is added inside the block is the named extension's; nothing of it stays if that fails.

        Raises ArgumentError for flags with which no other line could be read.
        """
        before, commands = self._actions[:], dict(self.commands)
        self._extension, is_sound = extension, False
        try:
            yield
            for action in self._actions[len(before) :]:
                self._check(action)
            is_sound = True
        finally:
            self._extension = ""
            if not is_sound:
                self._keep(before)
                self.commands = commands

    def _check(self, action: argparse.Action) -> None:
        if not action.option_strings:
            raise argparse.ArgumentError(action, "it would swallow prompts: name it with dashes, or use add_command")
        if action.required:
            raise argparse.ArgumentError(action, "every line would need it: give it a default instead")
        if isinstance(action.default, str):
            self._get_value(action, action.default)  # as for every line without it

    def _keep(self, actions: list[argparse.Action]) -> None:
        """Takes out all other flags."""
        self._actions[:] = actions
        for name in [name for name, action in self._option_string_actions.items() if action not in actions]:
            del self._option_string_actions[name]
        for group in self._action_groups:
            group._group_actions[:] = [action for action in group._group_actions if action in actions]

    def add_command(self, name: str, help: str, run: CommandFunction, *, actions: Sequence[str] = ()) -> None:
        """Makes `llms NAME [ACTION ...]` call `run`. With any other second word, the line is a prompt as before."""
        if name in ("ls", "ext") or name in self.commands:
            raise argparse.ArgumentError(None, f"the command '{name}' exists already: choose another name")
        self.commands[name] = Command(name, help, run, tuple(actions), self._extension)

    def add_subparsers(self, **_: Any) -> NoReturn:
        """Refused: every prompt would have to be a subcommand."""
        raise argparse.ArgumentError(None, "subparsers would swallow prompts: use add_command")

    # -- reading a line ----------------------------------------------------------------------------------------

    def known(self, line: Sequence[str]) -> argparse.Namespace:
        """The flags this parser knows; the rest of the line is not looked at. Exits with 2 for a wrong value."""
        return self.parse_known_args(_split(line)[0])[0]

    def leftover(self, line: Sequence[str]) -> list[str]:
        """What stands between the flags this parser knows."""
        return self.parse_known_args(_split(line)[0])[1]

    def whole(self, line: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
        """The flags, and the words between them. Exits with 2 for a flag nobody added; after `--` all are words."""
        flags, after = _split(line)
        options, words = self.parse_known_args(flags)
        for word in words:
            if word.startswith("-") and not (word == "-" or " " in word or _NUMBER.match(word)):
                self.error(f"unknown option '{word}'.{self._suggestion(word)}")
        return options, words + after

    def command(self, words: list[str]) -> Command | None:
        """The command that `words` call, or None where they are a prompt."""
        found = self.commands.get(words[0]) if words else None
        return found if found and (len(words) == 1 or words[1] in found.actions) else None

    def extension_flags_given(self, options: argparse.Namespace) -> bool:
        """Whether the line holds a flag that an extension added."""
        return any(
            value != self.get_default(name) for name, value in vars(options).items() if name not in self._core_names
        )

    def error(self, message: str) -> NoReturn:
        end = "" if message.endswith((".", "?")) else "."
        self.exit(2, f"Error: {message}{end} `llms --help` shows all options.\n")

    def _suggestion(self, word: str) -> str:
        near = difflib.get_close_matches(word.partition("=")[0], self._option_string_actions, n=1)
        return f" Did you mean {near[0]}?" if near else ""

    # -- help --------------------------------------------------------------------------------------------------

    def format_help(self) -> str:
        return super().format_help() + self._commands_help()

    def _commands_help(self) -> str:
        calls = {**VERBS, **{_call(c): c.help for c in self.commands.values()}}
        lines = [
            f"  {call:<22}{text}" if len(call) < 22 else f"  {call}\n{'':24}{text}" for call, text in calls.items()
        ]
        return "\n".join(["", "Commands:", *lines, ""])


def _split(line: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before the first `--`, and what after it."""
    words = list(line)
    if "--" not in words:
        return words, []
    place = words.index("--")
    return words[:place], words[place + 1 :]


def _call(command: Command) -> str:
    """How the command is called, as in `local [install]`."""
    return f"{command.name} [{'|'.join(command.actions)}]" if command.actions else command.name
