"""Every flag of the core in one table: the parser, `--help` and the reference page are made from it."""

import argparse
from dataclasses import dataclass, field
from typing import Any

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `options` are further keyword arguments of `add_argument`."""

    names: tuple[str, ...]
    help: str
    metavar: str | tuple[str, str] | None = None  # None: the flag is a switch
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, Any]:
        """What `add_argument` is given besides the names."""
        kind = {"action": "store_true"} if self.metavar is None else {"metavar": self.metavar}
        return {"help": self.help.replace("%", "%%"), **kind, **self.options}

    @property
    def value(self) -> str:
        """How the flag's value is written in the reference; empty for a switch."""
        nargs = self.options.get("nargs")
        if isinstance(self.metavar, tuple):
            return f"{self.metavar[0]} [{self.metavar[1]} ...]"
        if self.metavar is None or nargs is None:
            return self.metavar or ""
        return f"[{self.metavar}]" if nargs == "?" else f"{self.metavar} ..."


@dataclass(frozen=True, slots=True)
class Section:
    """Flags that belong together."""

    title: str
    flags: tuple[Flag, ...]


def port(text: str) -> int:
    """A TCP port; 0 lets the system choose."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port. Give a number from 0 to 65535.")
    return int(text)


SECTIONS = (
    Section(
        "Chat",
        (
            Flag(("-m", "--model"), "Model that answers; `llms ls` shows them.", "MODEL"),
            Flag(("-s", "--system"), "System prompt.", "PROMPT"),
            Flag(("--chat",), "JSON chat request to start from, instead of a template of llms.json.", "FILE"),
            Flag(("--image",), "Image to ask about: a path or a URL.", "IMAGE"),
            Flag(("--audio",), "Audio to ask about: a path or a URL.", "AUDIO"),
            Flag(("--file",), "Document to ask about: a path or a URL.", "FILE"),
            Flag(("--out",), "Kind of answer: uses the template `out:MODALITY`, such as image or audio.", "MODALITY"),
            Flag(("--args",), 'Further request fields, URL-encoded: "temperature=0.2&seed=7".', "FIELDS"),
            Flag(
                ("--tools",),
                "Tools offered to the model: all (the default), none, or names with commas.",
                "TOOLS",
            ),
            Flag(("--raw",), "Print the whole response as JSON."),
            Flag(("--nohistory",), "Do not save the conversation."),
            Flag(("--nostore",), "Save nothing at all; implies --nohistory."),
        ),
    ),
    Section(
        "Server",
        (
            Flag(
                ("--serve",),
                f"Serve the API and the web page; without PORT on {DEFAULT_PORT}.",
                "PORT",
                {"nargs": "?", "type": port, "const": DEFAULT_PORT},
            ),
            Flag(
                ("--host",),
                f"Address to listen on (default {DEFAULT_HOST}).",
                "ADDRESS",
                options={"default": DEFAULT_HOST},
            ),
            Flag(("--insecure",), "Listen on an address others can reach although no login is asked for."),
            Flag(("--auth",), "The extension that may ask people to sign in, or none.", "EXTENSION"),
        ),
    ),
    Section(
        "Providers and models",
        (
            Flag(("--list",), "Show providers, models and prices; same as `llms ls`."),
            Flag(("--search",), "With ls: models whose id or name holds TEXT.", "TEXT"),
            Flag(("--modality",), "With ls: models that read or make all of these, as in image,pdf.", "KINDS"),
            Flag(
                ("--max-price",),
                "With ls: models that cost at most DOLLARS per million tokens, in and out; 0 for free ones.",
                "DOLLARS",
                {"type": float},
            ),
            Flag(
                ("--min-context",),
                "With ls: models whose context holds at least TOKENS.",
                "TOKENS",
                {"type": int},
            ),
            Flag(
                ("--check",),
                "Ask each named model of a provider (default: all of them) for a word, and say which answer.",
                ("PROVIDER", "MODEL"),
                {"nargs": "+"},
            ),
            Flag(("--enable",), "Enable providers in llms.json.", "PROVIDER", {"nargs": "+"}),
            Flag(("--disable",), "Disable providers in llms.json.", "PROVIDER", {"nargs": "+"}),
            Flag(("--default",), "Make this the model that answers when none is named.", "MODEL"),
        ),
    ),
    Section(
        "Extensions",
        (
            Flag(
                ("--extension",),
                "Load the extension in this folder too; may be given again.",
                "PATH",
                {"action": "append", "default": []},
            ),
            Flag(("--dev",), "While serving, load an extension anew when its code changes, and open pages with it."),
            Flag(("--safe-mode",), "Load built-in extensions only."),
            Flag(
                ("--add",),
                "Install an extension: NAME, user/repo[@ref], a URL, a path or pypi:NAME. Alone, shows some.",
                "SOURCE",
                {"nargs": "?", "const": ""},
            ),
            Flag(
                ("--update",),
                "Update an installed extension, or all. Alone, shows what is installed.",
                "NAME",
                {"nargs": "?", "const": ""},
            ),
            Flag(
                ("--remove",),
                "Remove an installed extension. Alone, shows what is installed.",
                "NAME",
                {"nargs": "?", "const": ""},
            ),
            Flag(("-y", "--yes"), "Do not ask before installing, updating or removing."),
            Flag(("--force",), "Update although files of the extension were edited here."),
            Flag(("--dir",), "Where `llms ext new` writes; without it, in the extensions folder.", "FOLDER"),
            Flag(("--json",), "Print JSON, where a command can: `llms ls --json`, `llms ext ls --json`."),
        ),
    ),
    Section(
        "Configuration",
        (
            Flag(("--config",), "Use this llms.json, and a providers.json beside it.", "FILE"),
            Flag(("--providers",), "Use this providers.json.", "FILE"),
            Flag(("--init",), "Create the configuration files that are missing."),
            Flag(("--update-providers",), "Bring models and prices in providers.json up to date with models.dev."),
            Flag(
                ("--reset",),
                "Put packaged files back: config, providers or all. Alone, shows the choices.",
                "config|providers|all",
                {"nargs": "?", "const": ""},
            ),
        ),
    ),
    Section(
        "This program",
        (
            Flag(("--verbose",), "Log what happens; show where an error came from."),
            Flag(("--debug",), "Log everything."),
            Flag(("--logprefix",), "Text put before log lines and error messages.", "PREFIX", options={"default": ""}),
            Flag(("--version",), "Print the version."),
            Flag(("-h", "--help"), "Print this help."),
        ),
    ),
)
