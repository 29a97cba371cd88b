"""The reference pages of extensions, made from the code: `python -m llms.host.reference [--check]`.

`docs/extensions/ctx.md` is made whole. In other pages a table stands between two comments, and the rest is written by
hand.
"""

import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import MappingProxyType

from llms.chat.tool_call import ToolCallEvent
from llms.host.app_extensions import AppExtensions
from llms.host.context import ExtensionContext
from llms.host.declared import Declarations
from llms.host.manifest import PERMISSIONS
from llms.host.origins import APP, CTX, MEANINGS, Origins, since
from llms.host.people import People
from llms.host.registrations import Registrations
from llms.host.surface import Name, names
from llms.kernel.hooks import Hooks
from llms.storage.sql import Sql
from llms.storage.store import Store

DOCS = Path("docs")
CTX_PAGE = "extensions/ctx.md"
SECTIONS = (  # the comments in the code, in the order of the page
    *("what is the case", "logging", "routes", "hooks", "tools", "chats", "files", "the cache", "providers"),
    *("the web page", "users", "folders that tools may touch", "errors", "what extensions lend each other"),
    *("in the background", "the network and the database"),
)
_HEADINGS = MappingProxyType({"what is the case": "Properties"})
CTX_PARTS = (Registrations, ExtensionContext, People)
_INTRODUCTION = """# The ctx reference

<!-- Made from the code by `python -m llms.host.reference`. Edit the docstrings there instead. -->

`ctx` is what an extension is given: one object for each extension, of the class `ExtensionContext` in `llms.api`. This
page lists every public name of it and of `ctx.app`. Whatever begins with an underscore is nobody's to use.

In signatures, `Json` is a dict of what JSON can say, `Chat` an OpenAI chat completion request, `Completion` its answer,
`Context` the [dict that travels with one chat](../hooks.md#the-context-of-a-chat), `Handler` any function, sync or
async, and `Undo` a function without arguments that takes back what was done. Where no error is told, none is raised
on purpose.

Each name says since when it is there:

"""
_FURTHER = (  # title, how its names are called, what it is
    ("ctx.app", "ctx.app", AppExtensions),
    ("Decorators", "ext", Declarations),
    ("ctx.store", "ctx.store", Store),
    ("ctx.store.sql", "sql", Sql),
    ("ToolCallEvent", "call", ToolCallEvent),
)
_TEXTS = MappingProxyType(
    {
        "ctx.app": """What all extensions share. Dicts and lists are live unless it says *a copy*. Every other name of
`ctx` is here too: `ctx.app.exec_tool` is `ctx.exec_tool`.""",
        "Decorators": """`from llms.api import ext`. Each does what a method of `ctx` does, said where the function
stands. A function with a parameter called `ctx` is given it. What is decorated in any module that your extension has
imported is registered after its `__install__`, if it has one.""",
        "ctx.store": """Values by key, and tables, in an SQLite database of the extension's own.""",
        "ctx.store.sql": """What `ctx.store.sql(migrations)` gives.""",
        "ToolCallEvent": """What a [`tool_call` handler](../hooks.md#tool_call) is given. It also has `phase`, `text`,
`resources` and `refused`.""",
    }
)


# -- the page of ctx -----------------------------------------------------------------------------------------------


def ctx_page() -> str:
    """The whole page, in Markdown."""
    known = [name for part in CTX_PARTS for name in names(part)]
    parts = [_INTRODUCTION + "".join(f"- *{origin}*: {meaning}\n" for origin, meaning in MEANINGS.items())]
    for section in SECTIONS:
        parts.append(f"## {_HEADINGS.get(section, section.capitalize())}\n")
        parts += [_told(name, "ctx", CTX) for name in known if name.section == section]
    for title, owner, kind in _FURTHER:
        parts.append(f"## {title}\n\n{_TEXTS[title]}\n")
        parts += [_told(name, owner, APP if kind is AppExtensions else {}) for name in names(kind)]
    return "\n".join(parts)


def _told(name: Name, owner: str, origins: Origins) -> str:
    """One name: a heading, how it is used, what it does, and since when it is there."""
    title = name.name if owner == "ctx" else f"{owner}.{name.name}"
    call = textwrap.fill(
        f"{name.how}{owner}.{name.name}{name.signature}", 100, subsequent_indent="    ", break_on_hyphens=False
    )
    code = f"```python\n{call}\n```\n"
    origin = f"*Since {since(origins, name.name)}.*\n" if origins else ""
    return "\n".join(filter(None, (f"### {title}\n", code, f"{name.text}\n", origin)))


# -- tables in other pages -----------------------------------------------------------------------------------------


def permissions() -> str:
    """What an extension may declare that it does."""
    rows = (*PERMISSIONS, ("secrets:NAME", "reads the environment variable `NAME`, such as a key"))
    return _table(("permission", "the extension…"), ((f"`{name}`", text) for name, text in rows))


def hooks() -> str:
    """Every hook, in the order of a request's life."""
    rows = []
    for hook in Hooks():
        arguments = f"`{hook.args}`" if hook.args else "–"
        failing = _STOPS[hook.name] if hook.stop else "logged, skipped"
        rows.append((f"`{hook.name}`", arguments, _registered_with(hook.name), hook.doc, failing))
    return _table(("hook", "arguments", "registered with", "when, and what for", "an error is"), rows)


_STOPS = MappingProxyType({"chat_request": "the end of the chat", "tool_call": "a refusal of the call"})


def _registered_with(hook: str) -> str:
    if hook == "reload_providers":
        return "`__reload_providers__(ctx)`"
    known = {name.name for name in names(Registrations)}
    wanted = (f"register_{hook.removesuffix('_changed')}_{kind}" for kind in ("filter", "handler"))
    return f"`ctx.{next(name for name in wanted if name in known)}`"


def origins() -> str:
    """Every public name of ctx and ctx.app, by where it comes from."""
    rows = [
        (f"`{owner}`", origin, ", ".join(f"`{name}`" for name in table[origin].split()))
        for owner, table in (("ctx", CTX), ("ctx.app", APP))
        for origin in table
    ]
    return _table(("object", "since", "names"), rows)


BLOCKS: MappingProxyType[str, tuple[str, Callable[[], str]]] = MappingProxyType(
    {
        "permissions": ("extensions/manifest.md", permissions),
        "hooks": ("hooks.md", hooks),
        "names": ("extensions/compatibility.md", origins),
    }
)


def with_block(page: str, name: str, content: str) -> str:
    """`page` with `content` in the block `name`, between two comments. Raises ValueError where there is none."""
    begin, end = f"<!-- {name}: made by `python -m llms.host.reference` -->\n", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    changed, count = pattern.subn(lambda _: f"{begin}\n{content}\n{end}", page)
    if count != 1:
        raise ValueError(f"The page must have one block '{name}', and has {count}.")
    return changed


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


# -- the command ---------------------------------------------------------------------------------------------------


def pages(docs: Path) -> dict[Path, str]:
    """Every page below `docs` that is made here, as it should be."""
    made = {docs / CTX_PAGE: ctx_page()}
    for name, (page, content) in BLOCKS.items():
        path = docs / page
        made[path] = with_block(made.get(path) or path.read_text("utf-8"), name, content())
    return made


def main(arguments: Sequence[str], docs: Path = DOCS) -> int:
    """Writes the pages; with `--check` only says which are not as they would be written."""
    stale = [path for path, page in pages(docs).items() if not path.exists() or path.read_text("utf-8") != page]
    if list(arguments) == ["--check"]:
        for path in stale:
            print(f"{path} is stale. Run `python -m llms.host.reference`.", file=sys.stderr)  # noqa: T201
        return 1 if stale else 0
    for path in stale:
        path.write_text(pages(docs)[path], "utf-8")
        print(f"Wrote {path}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
