"""The reference page of the command line, made from the flag table: `python -m llms.cli.reference [--check]`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from llms.cli.exit_code import ExitCode
from llms.cli.flags import SECTIONS, Flag
from llms.cli.output import note, say
from llms.cli.verbs import VERBS

PAGE = Path("docs/reference/cli.md")
_INTRODUCTION = """# Command line

<!-- Made from the flag table by `python -m llms.cli.reference`. Edit llms/cli/flags.py instead. -->

```text
llms [flags] [prompt ...]       ask a model
llms COMMAND [...]              see below
llms --serve [PORT]             serve the API and the web page
```

Words are a prompt. After `--` every word is one, also those that begin with a dash. `python -m llms` is the same as
`llms`. Answers go to stdout, everything else to stderr. On a terminal an answer is drawn as Markdown while it comes;
piped, it is the model's text and nothing else.
"""
_STDIN = """## Standard input

Piped text is the prompt, or is added to the words:

```sh
echo "What is the capital of France?" | llms
cat README.md | llms "Summarise"
```

- A piped chat request (a JSON object with `messages`) is the base of the request; words replace its last question.
- With `--chat`, stdin is not read, unless one of the words is `-`.
- Beside a prompt, and with no terminal to watch, a pipe on which nothing arrives for 0.3 seconds is left out, and a
  line on stderr says so. The word `-` makes llms wait for it.

## Request fields

`--args "temperature=0.7&stop=a,b&store=true"` sets any field of the request. `true` and `false` are booleans, numbers
are numbers, `stop` with commas is a list, a key given twice is a list of texts; anything else is text.
"""
_EXIT_CODES = """## Exit codes

| code | meaning |
| --- | --- |
| 0 | done |
| 1 | failed; stderr says why, and what to do |
| 2 | the line could not be understood: an unknown flag, a wrong value |
| 130 | stopped with Ctrl-C |
| 141 | whoever read the output went away |

The variables that count are in [Configuration](../configuration.md#environment).
"""


def page() -> str:
    """The whole page, in Markdown."""
    sections = "".join(f"## {section.title}\n\n{_table(section.flags)}\n" for section in SECTIONS)
    return "\n".join((_INTRODUCTION, _commands() + sections + _STDIN, _EXIT_CODES))


def main(arguments: Sequence[str]) -> int:
    """Writes the page; with `--check` only says whether it is as it would be written."""
    if list(arguments) != ["--check"]:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(), "utf-8")
        say(f"Wrote {PAGE}")
        return ExitCode.SUCCESS
    if PAGE.exists() and PAGE.read_text("utf-8") == page():
        return ExitCode.SUCCESS
    note(f"{PAGE} is stale. Run `python -m llms.cli.reference`.")
    return ExitCode.FAILED


def _commands() -> str:
    calls = ((call.replace("|", "\\|"), text) for call, text in VERBS.items())
    rows = "".join(f"| `llms {call}` | {text} |\n" for call, text in calls)
    local = "| `llms local [install]` | Show the models on this machine, or fetch the demo model. |\n"
    return f"## Commands\n\n| command | |\n| --- | --- |\n{rows}{local}\n"


def _table(flags: Sequence[Flag]) -> str:
    return "".join(("| flag | meaning |\n| --- | --- |\n", *_rows(flags)))


def _rows(flags: Sequence[Flag]) -> Iterator[str]:
    for flag in flags:
        names = ", ".join(f"`{name}`" for name in flag.names[:-1])
        call = f"`{flag.names[-1]} {flag.value}".rstrip().replace("|", "\\|") + "`"
        yield f"| {names}{', ' if names else ''}{call} | {flag.help} |\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
