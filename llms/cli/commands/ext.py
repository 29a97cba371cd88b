"""`llms ext ACTION`, and the flags `--add`, `--update` and `--remove`

They come before anything starts, and no code of any extension runs.
"""

from argparse import Namespace
from collections.abc import Callable, Mapping

from llms.cli.exit_code import ExitCode
from llms.cli.output import note
from llms.kernel.paths import Home

ACTIONS = ("plan", "add", "update", "remove", "rollback", "enable", "disable", "doctor", "new", "test")
_FLAGS = ("add", "update", "remove")
_NONE_NEEDED = ("doctor",)


def is_called(options: Namespace, words: list[str]) -> bool:
    """Whether the line asks for one of these. After `ext`, any other word may be somebody else's, or a prompt."""
    return _flag(options) is not None or (words[:1] == ["ext"] and words[1:2] != [] and words[1] in ACTIONS)


def run(home: Home, options: Namespace, words: list[str], environ: Mapping[str, str]) -> int:
    """Does what the line asks for; gives the exit code. Raises LlmsError."""
    from llms.cli.commands import ext_add, ext_doctor, ext_new, ext_remove, ext_switch, ext_test, ext_update

    action, names = _asked(options, words)
    if len(names) > (0 if action in _NONE_NEEDED else 1):
        note(f"`ext {action}` takes {'nothing more' if action in _NONE_NEEDED else 'one name'}. Leave out the rest.")
        return ExitCode.FAILED
    name = names[0] if names else ""
    yes = options.yes
    verbs: dict[str, Callable[[], int]] = {
        "plan": lambda: ext_add.plan(home, name, environ),
        "add": lambda: ext_add.add(home, name, environ, yes=yes),
        "update": lambda: ext_update.update(home, name, environ, yes=yes, force=options.force),
        "rollback": lambda: ext_update.rollback(home, name, environ, yes=yes),
        "remove": lambda: ext_remove.remove(home, name, environ, yes=yes),
        "enable": lambda: ext_switch.switch(home, name, options, environ, disabled=False),
        "disable": lambda: ext_switch.switch(home, name, options, environ, disabled=True),
        "doctor": lambda: ext_doctor.doctor(home, environ),
        "new": lambda: ext_new.new(home, name, into=options.dir),
        "test": lambda: ext_test.test(home, name, environ, as_json=options.json),
    }
    return verbs[action]()


def _asked(options: Namespace, words: list[str]) -> tuple[str, list[str]]:
    if (flag := _flag(options)) is not None:
        given = getattr(options, flag)
        return flag, [*([given] if given else []), *words]
    return words[1], words[2:]


def _flag(options: Namespace) -> str | None:
    return next((flag for flag in _FLAGS if getattr(options, flag) is not None), None)
